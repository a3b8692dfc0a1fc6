package store

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/relaylens/relaylens"
)

// rollup adds up the events of one transaction by hour, so that each count is
// written once. It is used again for the next one.
type rollup struct {
	totals map[totalKey]int64
	places map[topKey]int // in tops
	tops   []topCount
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
	field uint8 // of topFields
	kind  relaylens.Kind
	value string
}

type topCount struct {
	topKey

	events, first, last int64
}

func newRollup() *rollup {
	return &rollup{totals: make(map[totalKey]int64), places: make(map[topKey]int)}
}

// reset forgets what was added.
func (r *rollup) reset() {
	clear(r.totals)
	clear(r.places)
	clear(r.tops)
	r.tops = r.tops[:0]
}

func (r *rollup) add(e *relaylens.Event) {
	hour := hourOf(e.Time.Unix())
	r.totals[totalKey{hour, relaylens.ValidText(e.Host), e.MTA, e.Kind, e.Direction, e.Reason, e.Cause, e.ReplyClass()}]++
	// What a remote server refused is no deed of the client that sent it, and the
	// recipient is not of ours: it counts under the server that refused.
	if e.Direction == relaylens.Outbound {
		r.addTop(e, hour, fieldRemoteHost, remote(e))
		return
	}
	if e.ClientIP.IsValid() {
		r.addTop(e, hour, fieldClientIP, e.ClientIP.String())
		r.addTop(e, hour, fieldNetwork, relaylens.NetworkOf(e.ClientIP).String())
	}
	r.addTop(e, hour, fieldUser, e.User)
	r.addTop(e, hour, fieldSenderDomain, e.SenderDomain())
	r.addTop(e, hour, fieldRecipientDomain, e.RecipientDomain())
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

func (r *rollup) addTop(e *relaylens.Event, hour int64, field uint8, value string) {
	if value == "" {
		return
	}
	key, at := topKey{hour, field, e.Kind, value}, e.Time.UnixNano()
	place, ok := r.places[key]
	if !ok {
		place = len(r.tops)
		r.places[key] = place
		r.tops = append(r.tops, topCount{topKey: key, first: at, last: at})
	}
	c := &r.tops[place]
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
	slices.SortFunc(r.tops, func(a, b topCount) int {
		return cmp.Or(cmp.Compare(a.hour, b.hour), cmp.Compare(a.field, b.field), strings.Compare(a.value, b.value), cmp.Compare(a.kind, b.kind))
	})
	days := make(map[dayField]bool)
	for i := range r.tops {
		c := &r.tops[i]
		if err := c.write(w, st.top, c.hour); err != nil {
			return fmt.Errorf("add to hourly top list: %w", err)
		}
		day := dayField{dayOf(c.hour), topFields[c.field]}
		if there, err := day.late(w, st, days); err != nil {
			return err
		} else if !there {
			continue
		}
		if err := c.write(w, st.daily, day.day); err != nil {
			return fmt.Errorf("add to daily top list: %w", err)
		}
	}
	return nil
}

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

// write adds c to a top list of an hour or a day.
func (c *topCount) write(w *writer, p *prepared, at int64) error {
	b := p.bind()
	b.number(at)
	b.valid(topFields[c.field])
	b.valid(c.value)
	b.valid(c.kind.String())
	b.number(c.events)
	b.number(c.first)
	b.number(c.last)
	_, err := w.run(b.st)
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
	b := st.late.bind()
	b.number(d.day)
	b.valid(d.field)
	n, err := w.run(b.st)
	if err != nil {
		return false, fmt.Errorf("note events of a day: %w", err)
	}
	asked[d] = n > 0
	return n > 0, nil
}
