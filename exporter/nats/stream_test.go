package nats

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/relaylens/relaylens"
)

// What is made fits what is asked for; everything that does not fit is said, and
// what is not asked for does not matter.
func TestCheckStream(t *testing.T) {
	o := Options{Fleet: "main", Stream: StreamOptions{Replicas: 3, MaxAge: 48 * time.Hour, MaxBytes: 1 << 30, Duplicates: 5 * time.Minute}}
	made := o.streamConfig()
	if err := o.checkStream(&made); err != nil {
		t.Errorf("the stream that is made does not fit: %v", err)
	}
	for name, tt := range map[string]struct {
		change func(*jetstream.StreamConfig)
		want   string
	}{
		"subjects":   {func(c *jetstream.StreamConfig) { c.Subjects = []string{"other.>"} }, "relaylens.main.>"},
		"retention":  {func(c *jetstream.StreamConfig) { c.Retention = jetstream.WorkQueuePolicy }, "with limits"},
		"discard":    {func(c *jetstream.StreamConfig) { c.Discard = jetstream.DiscardOld }, "--discard new"},
		"storage":    {func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage }, "memory"},
		"replicas":   {func(c *jetstream.StreamConfig) { c.Replicas = 1 }, "replicas asks for 3"},
		"age":        {func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour }, "max_age asks for 48h"},
		"size":       {func(c *jetstream.StreamConfig) { c.MaxBytes = 1000 }, "max_size asks for 1073741824"},
		"duplicates": {func(c *jetstream.StreamConfig) { c.Duplicates = time.Second }, "duplicates asks for 5m"},
	} {
		t.Run(name, func(t *testing.T) {
			c := o.streamConfig()
			tt.change(&c)
			if err := o.checkStream(&c); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
	unlimited := o.streamConfig()
	unlimited.MaxAge, unlimited.MaxBytes, unlimited.Replicas = 0, -1, 5
	if err := o.checkStream(&unlimited); err != nil {
		t.Errorf("more than is asked for: %v", err)
	}
	modest := Options{Fleet: "main"}
	small := o.streamConfig()
	small.Replicas, small.MaxAge = 1, time.Hour
	if err := modest.checkStream(&small); err != nil {
		t.Errorf("nothing is asked for: %v", err)
	}
}

func TestMissed(t *testing.T) {
	for _, tt := range []struct{ first, delivered, want uint64 }{{1, 0, 0}, {5, 4, 0}, {5, 9, 0}, {5, 2, 2}, {1, 7, 0}} {
		stream := &jetstream.StreamInfo{State: jetstream.StreamState{FirstSeq: tt.first}}
		consumer := &jetstream.ConsumerInfo{Delivered: jetstream.SequenceInfo{Stream: tt.delivered}}
		if got := missed(stream, consumer); got != tt.want {
			t.Errorf("the stream begins at %d, %d was delivered: %d missed, want %d", tt.first, tt.delivered, got, tt.want)
		}
	}
}

func TestFullStreamIsTold(t *testing.T) {
	for code, want := range map[jetstream.ErrorCode]failure{10077: failFull, 10047: failFull, 10076: failPublish} {
		var f *shipError
		if err := publishError(fmt.Errorf("wrapped: %w", &jetstream.APIError{ErrorCode: code})); !errors.As(err, &f) || f.why != want {
			t.Errorf("code %d: %v, want %s", code, err, want)
		}
	}
}

// Of a message that a shipper made anew after a crash, only what is new is
// handed on; the memory of it is bounded.
func TestUnseenEvents(t *testing.T) {
	r := newRecent[relaylens.ID](4)
	take := func(numbers ...int) (got []int, again int) {
		var s relaylens.Shipment
		for _, n := range numbers {
			s.Events = append(s.Events, relaylens.Event{ID: relaylens.ID{byte(n)}, PID: int32(n)})
		}
		again = unseen(r, &s)
		for _, e := range s.Events {
			got = append(got, int(e.PID))
		}
		return got, again
	}
	for _, tt := range []struct {
		in    []int
		want  string
		again int
	}{
		{[]int{1, 2}, "[1 2]", 0}, {[]int{2, 3}, "[3]", 1}, {[]int{1, 2, 3}, "[]", 3}, {[]int{4, 5, 6}, "[4 5 6]", 0},
		{[]int{1}, "[1]", 0}, // long ago: the store knows
		{[]int{6}, "[]", 1},
	} {
		if got, again := take(tt.in...); fmt.Sprint(got) != tt.want || again != tt.again {
			t.Errorf("of %d: %d and %d again, want %s and %d", tt.in, got, again, tt.want, tt.again)
		}
	}
	if len(r.set) != 4 {
		t.Errorf("%d are remembered", len(r.set))
	}
}

func TestSubjectsOfReaders(t *testing.T) {
	s := NewSource(SourceOptions{Options: Options{Fleet: "eu"}})
	if got := s.filters(); fmt.Sprint(got) != "[relaylens.eu.>]" {
		t.Errorf("all hosts: %s", got)
	}
	s.options.Hosts = []string{"mx1.example.com", "mx2"}
	if got := s.filters(); fmt.Sprint(got) != "[relaylens.eu.mx1_example_com.> relaylens.eu.mx2.>]" {
		t.Errorf("some hosts: %s", got)
	}
}
