package store

import (
	"cmp"
	"fmt"
	"slices"

	"zombiezen.com/go/sqlite"

	"github.com/relaylens/relaylens"
)

// rollup adds up the events of one transaction by hour, so that each count is
// written once.
type rollup struct {
	totals map[totalKey]int64
	tops   map[topKey]*topCount
}

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

type topKey struct {
	hour  int64
	field string
	value string
	kind  relaylens.Kind
}

type topCount struct{ events, first, last int64 }

func newRollup() *rollup {
	return &rollup{totals: make(map[totalKey]int64), tops: make(map[topKey]*topCount)}
}

func (r *rollup) add(e *relaylens.Event) {
	hour := hourOf(e.Time.Unix())
	r.totals[totalKey{hour, e.Host, e.MTA, e.Kind, e.Direction, e.Reason, e.Cause, e.ReplyClass()}]++
	// What a remote server refused is no deed of the client that sent it, and the
	// recipient is not of ours: it counts under the server that refused.
	if e.Direction == relaylens.Outbound {
		r.addTop(e, hour, "remote_host", remote(e))
		return
	}
	if e.ClientIP.IsValid() {
		r.addTop(e, hour, "client_ip", e.ClientIP.String())
		r.addTop(e, hour, "network", relaylens.NetworkOf(e.ClientIP).String())
	}
	r.addTop(e, hour, "user", e.User)
	r.addTop(e, hour, "sender_domain", e.SenderDomain())
	r.addTop(e, hour, "recipient_domain", e.RecipientDomain())
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

func (r *rollup) addTop(e *relaylens.Event, hour int64, field, value string) {
	if value == "" {
		return
	}
	key, at := topKey{hour, field, value, e.Kind}, e.Time.UnixNano()
	c := r.tops[key]
	if c == nil {
		c = &topCount{first: at, last: at}
		r.tops[key] = c
	}
	c.events++
	c.first, c.last = min(c.first, at), max(c.last, at)
}

// write adds the counts to the tables, in key order, which is the order of
// their pages.
func (r *rollup) write(w *writer, st *statements) error {
	for k, n := range r.totals {
		if err := k.write(w, st, n); err != nil {
			return fmt.Errorf("add to hourly totals: %w", err)
		}
	}
	keys := make([]topKey, 0, len(r.tops))
	for k := range r.tops {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b topKey) int {
		return cmp.Or(cmp.Compare(a.hour, b.hour), cmp.Compare(a.field, b.field), cmp.Compare(a.value, b.value), cmp.Compare(a.kind, b.kind))
	})
	days := make(map[dayField]bool)
	for _, k := range keys {
		c := r.tops[k]
		if err := c.write(w, st.top, k.hour, &k); err != nil {
			return fmt.Errorf("add to hourly top list: %w", err)
		}
		day := dayField{dayOf(k.hour), k.field}
		if there, err := day.late(w, st, days); err != nil {
			return err
		} else if !there {
			continue
		}
		if err := c.write(w, st.daily, day.day, &k); err != nil {
			return fmt.Errorf("add to daily top list: %w", err)
		}
	}
	return nil
}

// write adds n events, of which there may be fewer than before.
func (k *totalKey) write(w *writer, st *statements, n int64) error {
	b := binder{st: st.total}
	k.bind(&b)
	b.number(n)
	if _, err := w.run(b.st); err != nil || n >= 0 {
		return err
	}
	b = binder{st: st.none}
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

// write adds c to a top list of an hour or a day.
func (c *topCount) write(w *writer, st *sqlite.Stmt, at int64, k *topKey) error {
	b := binder{st: st}
	b.number(at)
	b.valid(k.field)
	b.valid(k.value)
	b.valid(k.kind.String())
	b.number(c.events)
	b.number(c.first)
	b.number(c.last)
	_, err := w.run(st)
	return err
}

// dayField is a field of a day in daily_top.
type dayField struct {
	day   int64
	field string
}

// late reports whether d was added up already, and notes that events come late;
// asked are those that were asked about.
func (d dayField) late(w *writer, st *statements, asked map[dayField]bool) (bool, error) {
	if there, ok := asked[d]; ok {
		return there, nil
	}
	b := binder{st: st.late}
	b.number(d.day)
	b.valid(d.field)
	n, err := w.run(st.late)
	if err != nil {
		return false, fmt.Errorf("note events of a day: %w", err)
	}
	asked[d] = n > 0
	return n > 0, nil
}
