package store

import (
	"fmt"

	"github.com/relaylens/relaylens"
)

type totalKey struct {
	hour      int64
	host      string
	mta       relaylens.MTA
	kind      relaylens.Kind
	direction relaylens.Direction
	reason    relaylens.Reason
	cause     relaylens.Cause
	class     relaylens.Class
}

// totals are what the events of one transaction add to hourly_totals, so that each
// count is written once.
type totals map[totalKey]int64

func (t totals) add(e *relaylens.Event) {
	t[totalKey{hourOf(e.Time.Unix()), relaylens.ValidText(e.Host), e.MTA, e.Kind, e.Direction, e.Reason, e.Cause, e.ReplyClass()}]++
}

func (t totals) write(w *writer, st *statements) error {
	for k, n := range t {
		if err := k.write(w, st, n); err != nil {
			return fmt.Errorf("add to hourly totals: %w", err)
		}
	}
	return nil
}

// remote names the other server, by its address where it has no name.
func remote(e *relaylens.Event) string {
	if e.RemoteHost == "" && e.RemoteIP.IsValid() {
		return e.RemoteIP.String()
	}
	return e.RemoteHost
}

// hourOf is the beginning of the hour of a time, both in Unix seconds.
func hourOf(seconds int64) int64 { return seconds - ((seconds%3600)+3600)%3600 }

// write adds n events, of which there may be fewer than before, or as many.
func (k *totalKey) write(w *writer, st *statements, n int64) error {
	if n == 0 {
		return nil
	}
	b := st.total.bind()
	k.bind(&b)
	b.number(n)
	if _, err := w.run(b.st); err != nil || n >= 0 {
		return err
	}
	b = st.none.bind()
	k.bind(&b)
	_, err := w.run(b.st)
	return err
}

func (k *totalKey) bind(b *binder) {
	b.number(k.hour)
	for _, s := range [...]string{k.host, k.mta.String(), k.kind.String(), k.direction.String(), k.reason.String(), k.cause.String(), k.class.String()} {
		b.valid(s)
	}
}

// dayField is a field of a day in daily_top.
type dayField struct {
	day   int64
	field string
}

// late reports whether d was added up already, and notes that events come late.
func (d dayField) late(w *writer, st *statements) (bool, error) {
	b := st.late.bind()
	b.number(d.day)
	b.valid(d.field)
	n, err := w.run(b.st)
	if err != nil {
		return false, fmt.Errorf("note events of a day: %w", err)
	}
	return n > 0, nil
}
