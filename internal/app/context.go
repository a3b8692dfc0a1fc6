package app

import (
	"net/netip"
	"strings"
	"time"

	"github.com/relaylens/relaylens"
)

// maxTallies are counted apart within a minute; what comes beyond them is left
// out. They serve to tell causes, for which a sample does.
const maxTallies = 5000

// tallies count what happens beside the refusals, by the minute, for the fleet.
// The zero value counts nothing.
type tallies struct {
	on    bool
	since time.Time // by the clock; zero when there is none
	count map[tallyKey]uint32
}

// tallyKey is the context of an event, in a minute.
type tallyKey struct {
	minute                        int64
	host, user, sender, recipient string
	mta                           relaylens.MTA
	kind                          relaylens.Kind
	direction                     relaylens.Direction
	client                        netip.Addr
	null                          bool
}

// add counts an event that is no refusal. It keeps nothing of its batch.
func (t *tallies) add(e *relaylens.Event) {
	if !t.on || e.Kind.Refusal() || e.Given != relaylens.CauseNone {
		return
	}
	c, ok := e.Context()
	if !ok {
		return
	}
	key := tallyKey{minute: e.Time.Unix() / 60, host: c.Host, user: c.User, sender: c.Sender, recipient: c.Recipient,
		mta: c.MTA, kind: c.Kind, direction: c.Direction, client: c.ClientIP.WithZone(""), null: c.NullSender}
	if n, ok := t.count[key]; ok {
		t.count[key] = n + 1
		return
	}
	if len(t.count) >= maxTallies {
		return
	}
	for _, s := range []*string{&key.host, &key.user, &key.sender, &key.recipient} {
		*s = strings.Clone(*s)
	}
	if t.count == nil {
		t.count, t.since = map[tallyKey]uint32{}, time.Now()
	}
	t.count[key] = 1
}

// take gives the counts once they are a minute old, or at once.
func (t *tallies) take(now time.Time, atOnce bool) []relaylens.Tally {
	if len(t.count) == 0 || !atOnce && now.Sub(t.since) < time.Minute {
		return nil
	}
	list := make([]relaylens.Tally, 0, len(t.count))
	for k, n := range t.count {
		e := relaylens.Event{Time: time.Unix(k.minute*60, 0).UTC(), Host: k.host, MTA: k.mta, Kind: k.kind, Direction: k.direction,
			ClientIP: k.client, User: k.user, Sender: k.sender, NullSender: k.null, Recipient: k.recipient}
		list = append(list, relaylens.Tally{Event: e, Count: n})
	}
	t.count = nil
	return list
}
