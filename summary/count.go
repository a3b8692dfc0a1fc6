package summary

import (
	"net/netip"
	"time"
	"unsafe"

	"github.com/relaylens/relaylens"
)

// value counts n events of one value; nil when there is none.
func (t *tally) value(field int, value string, s series, first, last time.Time, n int64) *seen {
	text := cut(relaylens.ValidText(value))
	if text == "" {
		return nil
	}
	hash := t.hash(field, text)
	v := t.lists[field].Known(hash, n)
	if v == nil {
		v = t.lists[field].Take(text, hash, n)
	}
	if d := t.distinct[field]; d != nil {
		d.Add(text)
	}
	v.add(s, momentOf(first), momentOf(last), n)
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
		list, hashes := t.lists[field], w.hashes[field][:w.n]
		w.read += list.Reach(hashes)
		for i, hash := range hashes {
			if hash == 0 {
				continue
			}
			e := &w.events[i]
			v := list.Known(hash, 1)
			if v == nil {
				v = list.Take(t.waitingText(field, e), hash, 1)
			}
			if d := t.distinct[field]; d != nil {
				d.Add(t.waitingText(field, e))
			}
			v.add(e.series, e.at, e.at, 1)
			if field == fieldClient {
				t.note(v, w.text(e.texts[field]))
			}
		}
	}
	w.n, w.texts = 0, w.texts[:0]
}

// waitingText is a value of an event, valid until the next call.
func (t *tally) waitingText(field int, e *waitingEvent) string {
	switch field {
	case fieldClient:
		return t.addressText(e.client)
	case fieldNetwork:
		return t.networkText(e.client)
	}
	return t.waiting.text(e.texts[field])
}
