package store

import (
	"context"
	"errors"
	"testing"
	"time"
	"unsafe"

	"zombiezen.com/go/sqlite"

	"github.com/relaylens/relaylens"
)

// What the daemon reads with cannot write.
func TestReadsOnly(t *testing.T) {
	s := open(t, t.TempDir())
	conn, err := s.read.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.read.give(conn)
	if _, err := (&writer{conn}).exec("DELETE FROM positions"); err == nil {
		t.Error("a connection for reading deleted")
	}
}

// The memory of a batch is its caller's again after the commit: what is bound from
// one row to the next does not depend on it.
func TestMemoryOfABatchIsUsedAgain(t *testing.T) {
	s := open(t, t.TempDir())
	memory := []byte("first@example.com")
	e := event(1)
	e.Sender = unsafe.String(&memory[0], len(memory))
	commit(t, s, &Batch{Events: []relaylens.Event{e}})
	copy(memory, "other")
	o := event(2)
	o.Sender = e.Sender
	commit(t, s, &Batch{Events: []relaylens.Event{o}})
	if got := list(t, s, Span{}); len(got) != 2 || got[0].Sender != "first@example.com" || got[1].Sender != "other@example.com" {
		t.Errorf("stored %+v", got)
	}
}

// A listing that is left, or whose context ends, gives its connection back, and
// none is kept when the store is closed.
func TestListingIsLeft(t *testing.T) {
	s := open(t, t.TempDir())
	commit(t, s, &Batch{Events: someEvents(0, 100)})
	for range 10 {
		for _, err := range s.Events(t.Context(), Span{}) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	var last error
	for _, err := range s.Events(ctx, Span{}) {
		n, last = n+1, err
		cancel()
	}
	if n != 2 || !errors.Is(last, context.Canceled) {
		t.Errorf("%d events and then %v, want one more and that it was canceled", n, last)
	}
	var nested []relaylens.Event
	for _, err := range s.Events(t.Context(), Span{}) {
		if err != nil {
			t.Fatal(err)
		}
		nested = append(nested, list(t, s, Span{Until: at.Add(2 * time.Second)})...)
	}
	if idle := len(s.read.idle); len(nested) != 200 || idle != 2 {
		t.Errorf("%d events, %d connections kept; want 200, 2", len(nested), idle)
	}
	var many []*sqlite.Conn
	for range idleReaders + 1 {
		conn, err := s.read.take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		many = append(many, conn)
	}
	for _, conn := range many {
		s.read.give(conn)
	}
	if idle := len(s.read.idle); idle != idleReaders {
		t.Errorf("%d connections kept; want %d", idle, idleReaders)
	}
	s.read.rest()
	if got := len(list(t, s, Span{})); got != 100 {
		t.Errorf("%d events after a rest", got)
	}
	s.Close()
	for _, err := range s.Events(t.Context(), Span{}) {
		if !errors.Is(err, errClosed) {
			t.Errorf("a closed store says %v", err)
		}
	}
	if len(s.read.idle) > 0 {
		t.Error("a closed store keeps connections")
	}
}

// A store that another program holds is said to be locked, and is written once
// it is let go.
func TestLockedByAnother(t *testing.T) {
	s := open(t, t.TempDir())
	other, err := openWriter(s.path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.close()
	if _, err := other.exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	b := &Batch{Events: []relaylens.Event{event(1)}}
	s.write.conn.SetBusyTimeout(time.Millisecond)
	if _, err := s.Commit(t.Context(), b); FailureOf(err) != FailureLocked {
		t.Errorf("commit says %v", err)
	}
	if _, err := other.exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if n := commit(t, s, b); n != 1 {
		t.Errorf("%d inserted, want 1", n)
	}
}

// What is cut short leaves nothing behind, and does not stand in the way of what
// comes next.
func TestCutShort(t *testing.T) {
	s := open(t, t.TempDir())
	ctx, cancel := context.WithCancel(context.Background())
	err := s.transact(ctx, "write", func(w *writer) error {
		if _, err := s.insert(w, []relaylens.Event{event(1)}); err != nil {
			return err
		}
		cancel()
		_, err := w.exec("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a transaction whose context ends says %v", err)
	}
	if n := commit(t, s, &Batch{Events: []relaylens.Event{event(1)}}); n != 1 {
		t.Errorf("%d inserted, want 1", n)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(t.Context(), &Batch{}); !errors.Is(err, errClosed) {
		t.Errorf("a commit to a closed store says %v", err)
	}
}

// Nobody waits for a disk that hangs longer than he wants to.
func TestWaitIsBounded(t *testing.T) {
	s := open(t, t.TempDir())
	hangs, goOn, ended := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		ended <- s.transact(context.Background(), "hang", func(*writer) error {
			close(hangs)
			<-goOn
			return nil
		})
	}()
	<-hangs
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := s.SaveAlerts(ctx, []byte("[]")); !errors.Is(err, context.DeadlineExceeded) || FailureOf(err) != FailureLocked {
		t.Errorf("save alerts says %v", err)
	}
	close(goOn)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := s.SaveAlerts(t.Context(), []byte("[]")); err != nil {
		t.Error(err)
	}
	for range 2 { // closing again does nothing
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
