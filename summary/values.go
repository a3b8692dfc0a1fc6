package summary

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/aggregate"
)

// considered is how many values of a list are looked at for what is new, if not
// more are listed.
const considered = 50

// Considered is how many values of each list a report looks at.
func (o ReportOptions) Considered() int {
	if o.Top < 0 {
		return maxValues
	}
	return max(o.Top, considered)
}

// listed is how many values of each list a report names.
func (o ReportOptions) listed() int {
	if o.Top < 0 {
		return maxValues
	}
	return o.Top
}

// largest are the n entries of a list that are certain to have the most events.
func (t *tally) largest(field, n int) []aggregate.Entry[seen] {
	return t.lists[field].List(n)
}

func (t *tally) noteOf(v *seen) string { return strings.Clone(t.notes.View(v.note)) }

// list is the largest values of a field.
func (b *Builder) list(field int, o ReportOptions) List {
	top, rest := b.now.lists[field], b.now.rest[field]
	l := List{Field: listFields[field], Values: []Item{}, Distinct: top.Len(), AtLeast: !top.Exact() || rest.events > 0,
		Others: top.Total() + rest.events, Bound: top.Bound() + rest.bound}
	l.setSketch(b.now.distinct[field], rest.events > 0)
	for _, e := range b.now.largest(field, o.listed()) {
		item := Item{Value: e.Key, Events: e.Count - e.Error, Error: e.Error + rest.bound,
			Mostly: mostly(field, &e.Value), First: e.Value.first.time().In(o.Location), Last: e.Value.last.time().In(o.Location)}
		switch field {
		case fieldClient:
			item.Name, item.Network = b.now.noteOf(&e.Value), clientNet(e.Key)
		case fieldRemote:
			item.Answer = b.now.noteOf(&e.Value)
		}
		l.Values = append(l.Values, item)
	}
	if b.merged() {
		l.setFormer(&b.then, field)
	}
	for i := range l.Values {
		l.Others -= l.Values[i].Events
		if n, ok := b.eventsBefore(field, l.Values[i].Value); ok {
			l.Values[i].Before = &n
		}
	}
	return l
}

// setSketch adds the sketch of a list's values, by which their number is known
// beyond those that are kept. More says that some were never named.
func (l *List) setSketch(d *aggregate.Distinct, more bool) {
	if l.Sketch = d; d != nil && l.AtLeast {
		l.Distinct, l.About, l.AtLeast = max(l.Distinct, d.Estimate()), true, more
	}
}

// eventsBefore is how many events a value had in the span before; not ok where
// that is not known to a tenth.
func (b *Builder) eventsBefore(field int, value string) (n int64, ok bool) {
	if !b.compares() {
		return 0, false
	}
	top, bound := b.then.lists[field], b.then.rest[field].bound
	e, found := top.GetHashed(b.then.hash(field, value))
	if n = e.Count - e.Error; found {
		return n, (e.Error+bound)*10 <= n
	}
	return 0, top.Bound()+bound == 0
}

// mostly is the kind that most events of a value of a list are of.
func mostly(field int, v *seen) string {
	if field == fieldRemote {
		return "remote"
	}
	most := 0
	for s, n := range v.kinds {
		if n > v.kinds[most] {
			most = s
		}
	}
	return (relaylens.KindRelayDenied + relaylens.Kind(most)).String()
}

// news are the causes, and the values of the lists, that the span before did
// not have. A client says more than its network, which is left out.
func (b *Builder) news(r *Report, o ReportOptions) []New {
	news := []New{}
	if !b.compares() {
		return news
	}
	news = newCauses(news, r.Causes)
	var values []New
	for field := range b.now.lists {
		if field != fieldNetwork {
			values = append(values, b.newValues(field, o)...)
		}
	}
	return append(news, largestNews(values, o.listed())...)
}

// newCauses adds the causes that the span before did not have.
func newCauses(news []New, causes []Count) []New {
	for _, c := range causes {
		if c.Events > 0 && c.Before != nil && *c.Before == 0 && c.Cause != relaylens.CauseNone {
			news = append(news, New{Field: "cause", Value: c.Cause.String(), Events: c.Events})
		}
	}
	return news
}

func (b *Builder) newValues(field int, o ReportOptions) []New {
	then := b.then.lists[field]
	bound := then.Bound() + b.then.rest[field].bound
	var news []New
	for _, e := range b.now.largest(field, o.Considered()) {
		events := e.Count - e.Error
		// Where not every value of the span before is known, only what would have
		// stood out is called new.
		if _, known := then.GetHashed(b.then.hash(field, e.Key)); known || events < 10*bound {
			continue
		}
		n := New{Field: listFields[field], Value: e.Key, Events: events, First: e.Value.first.time().In(o.Location), Before: bound}
		if field == fieldClient {
			n.Name = b.now.noteOf(&e.Value)
		}
		news = append(news, n)
	}
	return news
}
