package summary

import (
	"math"
	"time"

	"github.com/relaylens/relaylens"
)

// value counts n events of one value; nil when there is none.
func (t *tally) value(field int, value string, s series, first, last time.Time, n int64) *seen {
	if value == "" {
		return nil
	}
	v := listValue{field: field, value: cut(relaylens.ValidText(value))}
	v.hash = t.lists[field].Hash(v.value)
	return t.count(&v, s, momentOf(first), momentOf(last), n)
}

// listValue is one value of a list, empty for none.
type listValue struct {
	field int
	value string
	hash  uint32
}

func (t *tally) count(l *listValue, s series, first, last moment, n int64) *seen {
	if l.value == "" {
		return nil
	}
	if d := t.distinct[l.field]; d != nil {
		d.Add(l.value)
	}
	v := t.lists[l.field].AddHashed(l.value, l.hash, n)
	v.widen(first, last)
	kind := &v.kinds[s%numKinds]
	*kind = uint32(min(int64(*kind)+n, math.MaxUint32))
	return v
}

// inbound counts the values of an event of this server's. What is known of them is
// mostly in no cache: first all of it is asked for, then it is used.
func (b *Builder) inbound(t *tally, e *relaylens.Event, s series) {
	values := [...]listValue{
		{field: fieldClient}, {field: fieldNetwork}, {field: fieldUser, value: e.User},
		{field: fieldSenderDomain, value: e.SenderDomain()}, {field: fieldRecipientDomain, value: e.RecipientDomain()},
	}
	if e.ClientIP.IsValid() {
		values[0].value = b.text(e.ClientIP.WithZone(""))
		values[1].value = b.network(e.ClientIP, values[0].value)
	}
	for i := range values {
		if v := &values[i]; v.value != "" {
			if v.field > fieldNetwork {
				v.value = cut(relaylens.ValidText(v.value))
			}
			v.hash = t.lists[v.field].Hash(v.value)
		}
	}
	for i := range values {
		b.near += t.lists[values[i].field].Near(values[i].hash)
	}
	at := momentOf(e.Time)
	for i := range values {
		if v := t.count(&values[i], s, at, at, 1); i == 0 {
			t.note(v, e.ClientName)
		}
	}
}
