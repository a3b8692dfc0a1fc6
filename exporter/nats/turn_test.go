package nats

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
)

// said is what a reader is told.
type said chan bool

func (s said) next(t *testing.T) bool {
	t.Helper()
	select {
	case mine := <-s:
		return mine
	case <-time.After(patience):
		t.Fatal("it was not told")
		return false
	}
}

// Of a group's readers each gets everything, and it is the turn of one; when that
// one ends, of the other.
func TestTurns(t *testing.T) {
	t.Parallel()
	ns := startServer(t)
	outbox := &memoryOutbox{}
	s := newTestShipper(t, options(ns, "mx1"), outbox)
	ship := func(from, n int) {
		outbox.add(refusals("mx1", from, n)...)
		round(t, s)
	}
	ship(0, 5)
	reader := func(name string) (*running, said, said) {
		turn, late := make(said, 100), make(said, 100)
		o := SourceOptions{Options: options(ns, name), Consumer: name, Group: "pagers", Turn: func(mine bool) { turn <- mine }, Late: func(on bool) { late <- on }}
		return read(t, o), turn, late
	}
	a, turnA, lateA := reader("a")
	if !turnA.next(t) {
		t.Fatal("it is not the only reader's turn")
	}
	if !lateA.next(t) {
		t.Error("before it was asked, nothing can be late")
	}
	a.want(t, 5)
	b, turnB, _ := reader("b")
	if turnB.next(t) {
		t.Fatal("it is the turn of both")
	}
	ship(5, 3)
	a.want(t, 3)
	b.want(t, 8)
	if err := a.end(); err != nil {
		t.Error(err)
	}
	died := time.Now()
	for ended := false; !ended; {
		ship(100+int(time.Since(died)/time.Millisecond)*10, 1)
		select {
		case mine := <-turnB:
			if !mine {
				t.Error("it is nobody's turn")
			}
			ended = true
		case <-time.After(100 * time.Millisecond):
			if time.Since(died) > patience {
				t.Fatal("the other does not take over")
			}
		}
	}
	if len(turnA) > 0 {
		t.Errorf("the one that ended was told %t", <-turnA)
	}
	for last := true; last; { // told first that it may be late, and at its end that it is not
		if last = lateA.next(t); len(lateA) > 0 {
			last = true
		}
	}
}

// A reader whose store takes nothing leaves the turn to the other, and stands by
// when it is well again.
func TestStuckReaderLeavesItsTurn(t *testing.T) {
	t.Parallel()
	ns := startServer(t)
	outbox := &memoryOutbox{}
	s := newTestShipper(t, options(ns, "mx1"), outbox)
	outbox.add(refusals("mx1", 0, 5)...)
	round(t, s)
	turnA, turnB := make(said, 100), make(said, 100)
	o := SourceOptions{Options: options(ns, "a"), Consumer: "a", Group: "pagers", Turn: func(mine bool) { turnA <- mine }, Late: func(bool) {}, Metrics: NewMetrics(prometheus.NewRegistry())}
	a := NewSource(o)
	a.stuckAfter = 100 * time.Millisecond
	ctx, cancel := context.WithCancel(context.Background())
	out, ended := make(chan relaylens.Batch, 1), make(chan error, 1)
	go func() { ended <- a.Run(ctx, out) }()
	waiting := <-out // on its way to a store that is full
	if !turnA.next(t) {
		t.Fatal("it is not the only reader's turn")
	}
	o.Options, o.Consumer, o.Turn = options(ns, "b"), "b", func(mine bool) { turnB <- mine }
	b := read(t, o)
	b.want(t, 5)
	outbox.add(refusals("mx1", 5, 1)...)
	for mine := false; !mine; {
		select {
		case mine = <-turnB:
		case <-time.After(200 * time.Millisecond):
			outbox.add(refusals("mx1", 1000+outbox.delivered(), 1)...)
			round(t, s)
		}
	}
	if turnA.next(t) {
		t.Error("it is the turn of both")
	}
	waiting.Committed()
	for len(out) > 0 {
		(<-out).Committed()
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if len(turnA) > 0 {
		t.Errorf("it was told %t", <-turnA)
	}
}

// A reader whose servers cannot say whose turn it is speaks after a while, and
// one that knew stays with that.
func TestTurnUnknown(t *testing.T) {
	for name, tt := range map[string]struct {
		known, mine bool
		after       time.Duration
		want        bool
	}{
		"not for long":        {false, false, turnPatience - time.Second, false},
		"for long":            {false, false, turnPatience, true},
		"another's, for long": {true, false, time.Hour, false},
		"ours, for long":      {true, true, time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			told := tt.mine
			s := NewSource(SourceOptions{Options: Options{Logger: zap.NewNop()}, Group: "g", Metrics: NewMetrics(prometheus.NewRegistry()), Turn: func(mine bool) { told = mine }})
			now := time.Now()
			turn := turn{begun: now, known: tt.known, told: tt.known, mine: tt.mine}
			s.silentTooLong(&turn, now.Add(tt.after))
			if told != tt.want {
				t.Errorf("it speaks: %t", told)
			}
		})
	}
}
