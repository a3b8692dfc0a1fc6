package summary

import (
	"math"
	"net/netip"
	"time"
	"unsafe"

	"github.com/relaylens/relaylens"
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

// together is how many refusals are counted in the lists at once. What is known of their
// values is mostly in no cache: first all of it is asked for, list by list, then it is used.
const together = 64

// waiting are the values of refusals that are not in the lists yet.
type waiting struct {
	n      int
	hashes [fieldRemote][together]uint64 // 0 where there is no value
	events [together]waitingEvent
	texts  []byte // of events
	read   uint64 // see [aggregate.Top.Reach]
}

type waitingEvent struct {
	at     moment
	series series
	client netip.Addr
	texts  [fieldRemote]stretch // the values; of the client its name
}

// stretch is where a text stands.
type stretch struct{ begin, end int }

func (w *waiting) keep(text string) stretch {
	begin := len(w.texts)
	w.texts = append(w.texts, text...)
	return stretch{begin, len(w.texts)}
}

func (w *waiting) text(s stretch) string {
	return unsafe.String(unsafe.SliceData(w.texts[s.begin:]), s.end-s.begin)
}

// inbound counts the values of an event of this server's.
func (t *tally) inbound(e *relaylens.Event, s series) {
	w := &t.waiting
	at := &w.events[w.n]
	at.at, at.series, at.client = momentOf(e.Time), s, e.ClientIP
	values := [fieldRemote]string{fieldUser: e.User, fieldSenderDomain: e.SenderDomain(), fieldRecipientDomain: e.RecipientDomain()}
	for field := fieldUser; field < fieldRemote; field++ {
		hash := &w.hashes[field][w.n]
		if *hash = 0; values[field] != "" {
			value := cut(relaylens.ValidText(values[field]))
			*hash, at.texts[field] = t.lists[field].Hash(value), w.keep(value)
		}
	}
	client, network := &w.hashes[fieldClient][w.n], &w.hashes[fieldNetwork][w.n]
	if *client, *network = 0, 0; e.ClientIP.IsValid() {
		*client, *network = t.clientHash(e.ClientIP), t.networkHash(e.ClientIP)
		at.texts[fieldClient] = w.keep(cut(e.ClientName))
	}
	if w.n++; w.n == together {
		t.settle()
	}
}

// settle counts what waits. Who reads a list calls it before.
func (t *tally) settle() {
	w := &t.waiting
	for field := range fieldRemote {
		hashes := w.hashes[field][:w.n]
		w.read += t.lists[field].Reach(hashes)
		for i, hash := range hashes {
			if hash == 0 {
				continue
			}
			e := &w.events[i]
			l := listValue{field: field, hash: hash, of: e.client}
			if field >= fieldUser {
				l.text = w.text(e.texts[field])
			}
			v := t.count(&l, e.series, e.at, e.at, 1)
			if field == fieldClient {
				t.note(v, w.text(e.texts[field]))
			}
		}
	}
	w.n, w.texts = 0, w.texts[:0]
}
