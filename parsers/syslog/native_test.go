package syslog

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

// What BeginNative reads is what Decode reads, of whatever lines, and so are the lines after
// them, also in the night that has an hour twice.
func TestBeginNativeChangesNothing(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	const stamp = "2026-10-25 02:10:00"
	stamps := []string{stamp, stamp, "2026-10-25 02:10:01", "2026-10-25 02:59:59", "2026-10-25 02:00:00", "2026-10-25 03:00:00", "2026-10-26 02:10:00", "2026-10-25 02:10:60", "2026-10-25 02:61:00",
		"2026-10-25T02:10:00", stamp + ".5", stamp + " +0100", stamp + "+0100", stamp + " [4711]", stamp + " -", "Oct 25 02:10:00", "", "\x00" + stamp, "<22>" + stamp}
	texts := []string{"1lnO0v-0000WK-6W Completed", "", " indented", "x", "text of a line\r", "ends escaped#012", "[1/2] a piece", "mx1 exim[4711]: of syslog"}
	for _, zone := range []*time.Location{time.UTC, berlin} {
		rng := rand.New(rand.NewPCG(3, 4))
		with, without := NewDecoder(Options{Location: zone}), NewDecoder(Options{Location: zone})
		ref, begun := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), 0
		for i := range 20_000 {
			if i%100 == 0 {
				with.Keep(nil)
				without.Keep(nil)
			}
			line := relaylens.Line{Text: mostly(rng, stamps) + " " + mostly(rng, texts)}
			var got, want relaylens.Envelope
			status := Ready
			if text, ok := with.BeginNative(line.Text); ok {
				begun++
				now, _ := with.Time()
				got.Native, got.Text, got.Time = true, text, *now
			} else {
				status = with.Decode(&line, ref, &got)
			}
			if only := without.Decode(&line, ref, &want); status != only {
				t.Fatalf("%q: status %v, by Decode %v", line.Text, status, only)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%q (-Decode +BeginNative):\n%s", line.Text, diff)
			}
			popBoth(t, with, without)
		}
		if begun < 1000 {
			t.Errorf("BeginNative read %d lines", begun)
		}
	}
}
