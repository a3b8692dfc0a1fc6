package spool

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/relaylens/relaylens"
)

func event(n int, at time.Time) relaylens.Event {
	line := relaylens.Line{Text: "line", Offset: int64(n)}
	return relaylens.Event{
		ID: relaylens.NewID(&line, 0), Time: at, TimeDigits: 6, Host: "mx1", MTA: relaylens.Exim, Service: "smtpd", PID: int32(n), QueueID: "4X",
		Kind: relaylens.KindSenderVerify, Direction: relaylens.Outbound, Stage: relaylens.StageRcpt, Reason: relaylens.ReasonNullMX,
		Cause: relaylens.CausePolicy, Action: relaylens.ActionHold, Class: relaylens.Class4xx, ClientIP: netip.MustParseAddr("2001:db8::1"),
		ClientName: "pc", ClientPort: 25, Helo: "\xff\x00", Proto: "ESMTP", User: "joe", AuthMethod: "PLAIN", Sender: fmt.Sprint(n),
		Recipient: "b@example.com", Code: 554, Enhanced: "5.7.1", Text: "no", RemoteHost: "mx2", RemoteIP: netip.MustParseAddr("203.0.113.9"),
		Source: "mail.log", Line: int64(n), Offset: int64(n), Raw: "raw",
	}
}

var sameTime = cmp.Options{
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b time.Time) bool {
		return a.Equal(b) && a.Format(time.RFC3339Nano) == b.Format(time.RFC3339Nano)
	}),
	cmpopts.EquateEmpty(),
}

// Events without an id come back one by one.
func TestSpoolKeepsWhatHasNoID(t *testing.T) {
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	s := New(1<<20, false)
	defer s.Close()
	for i := range 3 {
		e := event(i, at)
		e.ID = relaylens.ID{}
		if err := s.Add(&e); err != nil {
			t.Fatal(err)
		}
	}
	var got []int32
	for e, err := range s.Events() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.PID)
	}
	if diff := cmp.Diff([]int32{0, 1, 2}, got); diff != "" {
		t.Error(diff)
	}
}

// What goes in comes out sorted, whole and once, whether it fits into memory or not.
func TestSpool(t *testing.T) {
	began := time.Date(2026, 11, 20, 9, 0, 0, 123_456_789, time.FixedZone("", 3600))
	var events []relaylens.Event
	for i := range 500 {
		e := event(i, began.Add(time.Duration(rand.IntN(100))*time.Second))
		switch i % 50 {
		case 3: // more than a chunk
			e.Raw = strings.Repeat("x", chunkSize+i)
		case 7:
			e = relaylens.Event{ID: e.ID, Time: e.Time, NullSender: true, PID: -1}
		}
		events = append(events, e)
	}
	for _, memory := range []int64{1, 20 << 10, 1 << 30} {
		for _, reverse := range []bool{false, true} {
			t.Run(fmt.Sprint(memory, reverse), func(t *testing.T) {
				s := New(memory, reverse)
				defer s.Close()
				for i := range events {
					for range 1 + i%2 { // every other one twice
						if err := s.Add(&events[i]); err != nil {
							t.Fatal(err)
						}
					}
				}
				if spilled := len(s.runs) > 0; spilled != (memory < 1<<30) {
					t.Errorf("%d runs are on disk", len(s.runs))
				}
				want := slices.Clone(events)
				slices.SortStableFunc(want, func(a, b relaylens.Event) int { return a.Time.Compare(b.Time) })
				if reverse {
					slices.Reverse(want)
				}
				for range 2 { // it can be asked again
					var got []relaylens.Event
					for e, err := range s.Events() {
						if err != nil {
							t.Fatal(err)
						}
						got = append(got, e.Clone())
					}
					if diff := cmp.Diff(want, got, sameTime); diff != "" {
						t.Errorf("(- want, + got):\n%s", diff)
					}
				}
			})
		}
	}
}

func TestSpoolEmpty(t *testing.T) {
	for _, err := range New(1, false).Events() {
		t.Errorf("an event or the error %v came out of nothing", err)
	}
}

func TestSpoolOfABrokenFile(t *testing.T) {
	s := New(1, false)
	e := event(1, time.Unix(1, 0))
	if err := s.Add(&e); err != nil {
		t.Fatal(err)
	}
	if err := s.file.Truncate(20); err != nil {
		t.Fatal(err)
	}
	for _, err := range s.Events() {
		if err == nil {
			t.Error("half a record is an event")
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func BenchmarkSpill(b *testing.B) {
	s := New(1<<20, false)
	defer s.Close()
	began := time.Unix(1_700_000_000, 0)
	for i := range b.N {
		e := event(i, began.Add(time.Duration(i)))
		if err := s.Add(&e); err != nil {
			b.Fatal(err)
		}
	}
	for _, err := range s.Events() {
		if err != nil {
			b.Fatal(err)
		}
	}
}

func TestSpoolCloses(t *testing.T) {
	for memory, spills := range map[int64]bool{1: true, DefaultMemory: false} {
		s := New(memory, false)
		e := event(1, time.Unix(1, 0))
		if err := s.Add(&e); err != nil {
			t.Fatal(err)
		}
		file := s.file
		if (file != nil) != spills {
			t.Fatalf("with %d bytes of memory the file is %v", memory, file)
		}
		if err := s.Close(); err != nil {
			t.Errorf("with %d bytes of memory: %v", memory, err)
		}
		if spills {
			if _, err := file.Stat(); !errors.Is(err, os.ErrClosed) {
				t.Errorf("the file is open: %v", err)
			}
		}
		for _, err := range s.Events() {
			t.Errorf("something is left, or the error %v", err)
		}
	}
}
