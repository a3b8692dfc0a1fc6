package syslog

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/swar"
)

// What Begin and Fill read is what Decode reads, of whatever lines, and so are the
// lines after them.
func TestBeginChangesNothing(t *testing.T) {
	t.Run("RFC 3164", func(t *testing.T) {
		sameByBegin(t, []string{"Mar  1 10:00:00 ", "Mar  1 10:00:00 ", "Mar  1 10:00:01 ", "Mar 11 10:00:00 ", "Mar  1 10:00:00", "2026-03-01T10:00:00+00:00 ", "<22>Mar  1 10:00:00 ", "\t"})
	})
	for _, stamp := range []string{"2026-03-01T10:00:00.019946+00:00 ", "2026-03-01T10:00:00Z ", "2026-03-01T10:00:00.123+01:00 ", "2026-03-01T10:00:00+0100 "} {
		t.Run(stamp, func(t *testing.T) {
			sameByBegin(t, []string{stamp, stamp, strings.Replace(stamp, ":00", ":01", 1), strings.Replace(stamp, "01T", "11T", 1), "2026-03-01T10:00:00.5Z ", "2026-03-01T10:00:00.123456+01:00 ", "2026-03-01T10:00:00.123456-01:00 ",
				"2026-03-01T10:00:00.12345+00:00 ", "2026-03-01T10:00:00.1234567+00:00 ", "2026-03-01T10:00:00.12345678+00:00 ", "2026-03-01T10:00:00.123456789+00:00 ", "2026-03-01T10:00:00,123456+00:00 ", "2026-03-01T10:00:00.12x456+00:00 ", "2026-03-01T10:00:60.123456+00:00 ",
				"2026-03-01T10:00:00.123456+0000 ", "2026-03-01T10:00:00.123456+00 ", "2026-03-01T10:00:00.123456 ", "2026-03-01T10:00:00 ", "2026-03-01t10:00:00.123456+00:00 ", "2026-03-01 10:00:00.123456+00:00 ", "2026-13-01T10:00:00.123456+00:00 ",
				stamp + stamp, stamp + "Mar  1 10:00:00 ", stamp + "stdout F ", stamp + " ", "Mar  1 10:00:00 ", "<22>" + stamp, "\t"})
		})
	}
}

func sameByBegin(t *testing.T, stamps []string) {
	rng := rand.New(rand.NewPCG(3, 4))
	hosts := []string{"mx1", "mx2", "mail.example.com", "2001:db8::1", "", "mx1[2]"}
	tags := []string{"postfix/smtpd", "postfix/qmgr", "sm-mta", "exim", "exim", "", "a b"}
	pids := []string{"[1]: ", ": ", ": ", "[12345678]: ", "[1234567]: ", "[123456789]: ", "[1x3]: ", "[4711]: ", "[4711]:", "[4711]:  ", "[0]: ", "[]: ", "[7] ", ": ", "[~]: "}
	texts := []string{"connect from unknown[192.0.2.1]", "x", "", "imap-login: Login: user=<joe>", "text of a line\r", "message repeated 2 times: [ said so again]", "last message repeated 3 times",
		"[1/2] 2026-03-01 10:00:00 a piece of a record", "[2/2] and its end", "4AbCdE12345[1]: to=<joe>, ...", "2026-03-01 10:00:00 stamped twice", "  indented by two"}
	with, without := NewDecoder(Options{Location: time.UTC}), NewDecoder(Options{Location: time.UTC})
	refs := [...]time.Time{time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), time.Date(2025, 12, 2, 12, 0, 0, 0, time.UTC)}
	begun := 0
	for i := range 20_000 {
		text := "disconnect from unknown[192.0.2.1]"
		if rng.IntN(4) == 0 { // a record that lacks pieces has others decoded
			text = pick(rng, texts[:7])
		}
		if rng.IntN(200) == 0 {
			text = pick(rng, texts)
		}
		if i%100 == 0 {
			with.Keep(nil)
			without.Keep(nil)
		}
		line, ref := relaylens.Line{Text: mostly(rng, stamps) + mostly(rng, hosts) + " " + mostly(rng, tags) + mostly(rng, pids) + text}, refs[rng.IntN(50)/49]
		var got, want relaylens.Envelope
		status := Ready
		if b := with.Begin(line.Text, ref.Unix()); b.Tag != 0 {
			begun++
			with.Fill(&b, &got)
		} else {
			status = with.Decode(&line, ref, &got)
		}
		if only := without.Decode(&line, ref, &want); status != only {
			t.Fatalf("%q: status %v, by Decode %v", line.Text, status, only)
		}
		if want.Tag == 0 && want.PID == 0 {
			got.Tag = 0 // Decode has none where there is no pid
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q (-Decode +Begin):\n%s", line.Text, diff)
		}
		popBoth(t, with, without)
	}
	if begun < 1000 {
		t.Errorf("Begin read %d lines", begun)
	}
}

// mostly is the first of list, two times of three.
func mostly(rng *rand.Rand, list []string) string {
	if rng.IntN(3) > 0 {
		return list[0]
	}
	return pick(rng, list)
}

func popBoth(t *testing.T, a, b *Decoder) {
	t.Helper()
	for {
		var gotA, gotB relaylens.Envelope
		var line relaylens.Line
		okA, okB := a.Joined() && a.Pop(&gotA, &line), b.Joined() && b.Pop(&gotB, &line)
		if diff := cmp.Diff(gotB, gotA); okA != okB || diff != "" {
			t.Fatalf("joined %v and %v (-Decode +Begin):\n%s", okB, okA, diff)
		}
		if !okA {
			return
		}
	}
}

func TestNumberInBrackets(t *testing.T) {
	for _, c := range []struct {
		word   string
		number int32
		digits int
	}{
		{"1]: text", 1, 1}, {"4711]: t", 4711, 4}, {"1234567]", 1234567, 7}, {"0]: text", 0, 1}, {"007]: te", 7, 3},
		{"12345678", 0, 0}, {"]: text ", 0, 0}, {"1x3]: te", 0, 0}, {"1/3]: te", 0, 0}, {"1:3]: te", 0, 0}, {"1\xb93]: t", 0, 0}, {"\xff1]: te", 0, 0}, {"-12]: te", 0, 0},
	} {
		if number, digits := numberInBrackets(swar.At(c.word, 0)); number != c.number || digits != c.digits {
			t.Errorf("%q: %d of %d digits, want %d of %d", c.word, number, digits, c.number, c.digits)
		}
	}
	for n := range int32(10_000) {
		if got, digits := numberInBrackets(swar.At(fmt.Sprintf("%d]       ", n*997), 0)); got != n*997 || digits == 0 {
			t.Fatalf("%d is read as %d", n*997, got)
		}
	}
}
