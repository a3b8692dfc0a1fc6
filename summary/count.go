package summary

import (
	"math"
	"net/netip"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/aggregate"
)

// listValue is one value of a list. Of an address the text is made when it is asked for.
type listValue struct {
	field int
	hash  uint64
	text  string
	of    netip.Addr // whose address or network it is, where text is empty
}

// value counts n events of one value; nil when there is none.
func (t *tally) value(field int, value string, s series, first, last time.Time, n int64) *seen {
	v := listValue{field: field, text: cut(relaylens.ValidText(value))}
	if v.text == "" {
		return nil
	}
	v.hash = t.hash(field, v.text)
	return t.count(&v, s, momentOf(first), momentOf(last), n)
}

func (t *tally) count(l *listValue, s series, first, last moment, n int64) *seen {
	if d := t.distinct[l.field]; d != nil {
		d.Add(t.text(l))
	}
	v := t.lists[l.field].Known(l.hash, n)
	if v == nil {
		v = t.lists[l.field].Take(t.text(l), l.hash, n)
	}
	v.widen(first, last)
	kind := &v.kinds[s%numKinds]
	*kind = uint32(min(int64(*kind)+n, math.MaxUint32))
	return v
}

// inbound counts the values of an event of this server's. What is known of them is
// mostly in no cache: first all of it is asked for, then it is used.
func (b *Builder) inbound(t *tally, e *relaylens.Event, s series) {
	texts := [fieldRemote]string{fieldUser: e.User, fieldSenderDomain: e.SenderDomain(), fieldRecipientDomain: e.RecipientDomain()}
	var hashes [fieldRemote]uint64 // 0 where there is no value
	if e.ClientIP.IsValid() {
		hashes[fieldClient], hashes[fieldNetwork] = t.clientHash(e.ClientIP), t.networkHash(e.ClientIP)
	}
	for i := fieldUser; i < fieldRemote; i++ {
		if texts[i] != "" {
			texts[i] = cut(relaylens.ValidText(texts[i]))
			hashes[i] = t.lists[i].Hash(texts[i])
		}
	}
	b.near += aggregate.Near(t.lists[:fieldRemote], hashes[:])
	at := momentOf(e.Time)
	for i, hash := range hashes {
		if hash == 0 {
			continue
		}
		l := listValue{field: i, hash: hash, text: texts[i], of: e.ClientIP}
		if v := t.count(&l, s, at, at, 1); i == fieldClient {
			t.note(v, e.ClientName)
		}
	}
}
