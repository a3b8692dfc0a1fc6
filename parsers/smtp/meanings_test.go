package smtp

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/relaylens/relaylens"
)

// What is remembered is what would be read.
func TestMeaningsAreWhatIsRead(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	words := []string{"greylisted", "no", "relay", "user unknown", "550", "5.7.1", "4", "45.1.2.3", "192.0.2.45", "1", "listed at", "550-no", "spam", "for", "quota", "in 4 minutes", "in 12 minutes", "<a@example.com>", "a5.7.1 relay denied", "x"}
	var m Meanings
	asked, reads := 0, 0
	for range 50_000 {
		text := ""
		for range 1 + r.IntN(3) {
			text += words[r.IntN(len(words))] + []string{" ", "  ", ": ", ""}[r.IntN(4)]
		}
		about := uint8(r.IntN(2))
		read := func() (relaylens.Kind, relaylens.Reason, bool) {
			kind, reason, ok := Wording(text)
			return kind, reason, ok != (about == 1)
		}
		got := fmt.Sprint(m.Of(text, about, func() (relaylens.Kind, relaylens.Reason, bool) { reads++; return read() }))
		if want := fmt.Sprint(read()); got != want {
			t.Fatalf("%q about %d means %s, want %s", text, about, got, want)
		}
		asked++
	}
	if reads == asked || reads < asked/100 {
		t.Errorf("%d of %d were read, want some to be remembered and some not", reads, asked)
	}
}

func TestNumbersAreFolded(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.14 is listed at bl.example":         "0.0.0.0 is listed at bl.example",
		"greylisted, try again in 12 minutes":        "greylisted, try again in 0 minutes",
		"550 5.7.1 no relay, 451 or 4510 or x55-511": "550 5.7.1 no relay, 451 or 4510 or x0-0",
	} {
		var buf [maxMeaning]byte
		if got := string(buf[:fold(&buf, text)]); got != want {
			t.Errorf("%q is folded to %q, want %q", text, got, want)
		}
	}
	var m Meanings
	read := func() (relaylens.Kind, relaylens.Reason, bool) {
		return relaylens.KindRejected, relaylens.ReasonDNSBL, true
	}
	m.Of("192.0.2.14 is listed at bl.example", 0, read)
	m.Of("192.0.2.7 is listed at bl.example", 0, func() (relaylens.Kind, relaylens.Reason, bool) {
		t.Error("another address is read anew")
		return read()
	})
	var none *Meanings
	if _, _, ok := none.Of("192.0.2.14 is listed", 0, read); !ok {
		t.Error("what remembers nothing does not read")
	}
}
