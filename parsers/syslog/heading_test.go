package syslog

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

// Lines whose beginning was read before are read like the first of them.
func TestHeadingsChangeNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	hosts := []string{"mx1", "mx2", "m", "mail.example.com", "2001:db8::1", "192.0.2.1", "", "host:", "mx1[2]", "a-very-long-host-name-of-more-than-eighty-characters.which-nobody-has.but.that-may-come.example"}
	tags := []string{"postfix/smtpd", "postfix/submission/smtpd", "postfix/smtp", "exim", "sm-mta", "x", "", "a b", "name:", "postfix/aaaaaaaaaaaaaaaaaaaaaaaa"}
	pids := []string{"[1]:", "[2147483647]:", "[2147483648]:", "[99999999999]:", "[worker-1]:", "[]:", "[7]", "[7] ", "[7", "[7:", ":", "", "[x", "[7][8]:"}
	shared := NewDecoder(Options{Location: time.UTC})
	ref := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	known := 0
	for range 50_000 {
		text := fmt.Sprintf("2026-03-01T10:00:00+00:00 %s %s%s said [1]: something", pick(rng, hosts), pick(rng, tags), pick(rng, pids))
		line := relaylens.Line{Text: text}
		var got, want relaylens.Envelope
		status := shared.Decode(&line, ref, &got)
		if got.Tag != 0 {
			known++
		}
		got.Tag = 0
		if alone := NewDecoder(Options{Location: time.UTC}).Decode(&line, ref, &want); status != alone {
			t.Fatalf("%q: status %v, alone %v", text, status, alone)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q (-alone +after others):\n%s", text, diff)
		}
	}
	if known < 1000 {
		t.Errorf("%d lines had a heading that was known", known)
	}
}

// A tag stands for one host and program until others take its place.
func TestHeadingsTag(t *testing.T) {
	d := NewDecoder(Options{Location: time.UTC})
	ref := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	decode := func(text string) (env relaylens.Envelope) {
		d.Decode(&relaylens.Line{Text: text}, ref, &env)
		return env
	}
	const first, second = "Mar  1 10:00:00 mx1 postfix/smtpd[1]: a", "Mar  1 10:00:01 mx1 postfix/smtpd[22]: b"
	if tag := decode(first).Tag; tag != 0 {
		t.Errorf("the first line has tag %d", tag)
	}
	a, b := decode(second), decode(first)
	if a.Tag == 0 || a.Tag != b.Tag || a.PID != 22 || b.PID != 1 {
		t.Errorf("tags %d and %d, pids %d and %d", a.Tag, b.Tag, a.PID, b.PID)
	}
	if other := decode("Mar  1 10:00:01 dovecot: imap-login: Login: rip=[2001:db8::1]"); other.Tag != 0 {
		t.Errorf("a line without pid has tag %d", other.Tag)
	}
}

func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }
