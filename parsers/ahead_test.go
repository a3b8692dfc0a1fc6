package parsers_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers"
)

// denials are batches of one refused client each.
func denials(n int, release func()) []*relaylens.Batch {
	var batches []*relaylens.Batch
	for i := range n {
		text := fmt.Sprintf("2026-03-01T10:00:00Z mx1 postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[192.0.2.%d]: 554 5.7.1 <b@example.net>: Relay access denied; from=<a@example.org> to=<b@example.net> proto=ESMTP helo=<x>", i)
		batches = append(batches, &relaylens.Batch{Lines: []relaylens.Line{{Text: text, Source: "log", Number: int64(i)}},
			Reference: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Release: release})
	}
	return batches
}

func TestAheadKeepsOrder(t *testing.T) {
	p := newParser(t, parsers.Options{})
	released, next := 0, 0
	p.Ahead(func(hand func(*relaylens.Batch) bool) {
		for _, b := range denials(100, func() { released++ }) {
			if !hand(b) {
				t.Error("no more is wanted")
			}
		}
	}, func(e *relaylens.Event) {
		if want := fmt.Sprintf("192.0.2.%d", next); e.ClientIP.String() != want {
			t.Errorf("client %v, want %s", e.ClientIP, want)
		}
		next++
	}, func() bool { return true })
	if next != 100 || released != 100 {
		t.Errorf("%d events, %d batches released", next, released)
	}
}

func TestAheadStops(t *testing.T) {
	p := newParser(t, parsers.Options{})
	events := 0
	told, released := make(chan int), make(chan struct{}, 100)
	p.Ahead(func(hand func(*relaylens.Batch) bool) {
		for i, b := range denials(100, func() { released <- struct{}{} }) {
			if !hand(b) {
				go func() { told <- i }()
				return
			}
		}
		t.Error("the source was not told")
	}, func(*relaylens.Event) { events++ }, func() bool { return events < 3 })
	if events != 3 {
		t.Errorf("%d events, want 3", events)
	}
	handed := <-told
	if handed < 3 || handed > 10 {
		t.Errorf("the source was told at batch %d", handed)
	}
	for range handed { // each that was handed over, be it taken or not
		<-released
	}
}
