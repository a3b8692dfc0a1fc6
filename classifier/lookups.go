package classifier

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/bounded"
)

const (
	// silentNames and silentClients of which DNS tells nothing, and hardly one of which it
	// tells, are no coincidence: they are the least that a resolver is blamed for.
	silentNames   = 4
	silentClients = 3
	// answeredShare is how many refusals there are at least for each client of whom DNS told
	// meanwhile: a cache still knows some.
	answeredShare = 4
	// answeredInARow shows that DNS answers again.
	answeredInARow = 3
	// silentGap is how far apart two refusals of one silence may be, in seconds.
	silentGap = int64(5 * 60)
	// maxSilences bounds what is remembered of a host.
	maxSilences = 16
)

// silence is a time in which the resolver of a server told nothing.
type silence struct{ from, to int64 }

// lookups is how a server fares with DNS.
type lookups struct {
	// One that is on, or looks like it.
	now      silence
	names    bounded.Marks // that DNS told nothing of, though it should know them
	clients  bounded.Marks
	failed   int
	answered int
	inARow   int // answered since the last refusal

	past []silence // that are proven, in order
}

// fail notes a refusal for what DNS did not tell. A sure one has a name in it that DNS knows,
// or the server's own word that it did not answer.
func (l *lookups) fail(name, client uint64, sure bool, at int64) {
	if at-l.now.to > silentGap || l.inARow >= answeredInARow || l.answered > l.failed {
		past := l.past
		*l = lookups{now: silence{from: at}, past: past}
	}
	l.now.from, l.now.to, l.failed, l.inARow = min(l.now.from, at), max(l.now.to, at), l.failed+1, 0
	l.clients.Add(client)
	if sure {
		l.names.Add(name)
	}
	if l.names.Len() >= silentNames && l.clients.Len() >= silentClients && l.answered*answeredShare <= l.failed {
		l.prove()
	}
}

// prove remembers the silence that is on.
func (l *lookups) prove() {
	if n := len(l.past) - 1; n >= 0 && l.now.from <= l.past[n].to {
		l.past[n] = silence{min(l.past[n].from, l.now.from), l.now.to}
		return
	}
	l.past = pushed(l.past, l.now, maxSilences)
}

// answer notes that DNS told of a client, or of whom it brought mail from.
func (l *lookups) answer(at int64) {
	if l.failed > 0 && at-l.now.to <= silentGap {
		l.answered++
		l.inARow++
	}
}

// silent reports whether DNS told the server nothing at a time.
func (l *lookups) silent(at int64) bool {
	for _, s := range l.past {
		if s.from <= at && at <= s.to {
			return true
		}
	}
	return false
}

// maxLists bounds the lists of a host.
const maxLists = 8

// list is how a list in DNS answers a server. Clients that mail came from are to it what
// domains that DNS knows are to a resolver.
type list struct {
	zone    uint64
	lookups lookups
}

// listAt is what is known of a list; nil where nothing is.
func (h *host) listAt(zone uint64) *list {
	for i := range h.lists {
		if h.lists[i].zone == zone {
			return &h.lists[i]
		}
	}
	return nil
}

// listed learns from a refusal for the sake of a list.
func (h *history) listed(e *relaylens.Event, now int64) {
	if named := h.blocklist(e); named.zone != 0 {
		h.onList(e, named.zone, refusesAll(named.said) || h.resolved(e, now), now)
	}
}

// onList notes that a list has the client of e on it; sure is that it should not.
func (h *history) onList(e *relaylens.Event, zone uint64, sure bool, now int64) {
	host := h.hostEntry(e, now)
	l := host.listAt(zone)
	if l == nil {
		host.lists = pushed(host.lists, list{zone: zone}, maxLists)
		l = &host.lists[len(host.lists)-1]
	}
	client := h.address(e.ClientIP)
	l.lookups.fail(client, client, sure, now)
	h.silentAt = max(h.silentAt, now)
}

// listsAll reports whether postscreen's helper says that a list has no answer for it: what
// it refuses for the list's sake names the list alone.
func listsAll(e *relaylens.Event) bool {
	return e.MTA == relaylens.Postfix && e.ClientIP.IsValid() && strings.HasPrefix(e.Text, "listed by domain ")
}

// refusesAll reports whether a list says itself that it has no answer for whoever asks, which
// is one in 127.255.255.0/24 by convention, or that the resolver is one for everybody.
func refusesAll(said string) bool {
	return strings.Contains(said, "127.255.255.") || strings.Contains(said, "open resolver") || strings.Contains(said, "public resolver") || strings.Contains(said, "/returnc/")
}

// whyListed tells a client that is on a list from a list that has everybody on it.
func (h *history) whyListed(e *relaylens.Event, _ bool) relaylens.Cause {
	h.current.settled = true
	named := h.blocklist(e)
	if named.zone == 0 && strings.HasSuffix(e.Service, "postscreen") && h.anyListSilent(e) {
		return relaylens.CausePolicy
	}
	if named.zone != 0 {
		if host := h.known(e, e.Time.Unix()); host != nil {
			if l := host.listAt(named.zone); l != nil && h.unanswered(&l.lookups, e) {
				return relaylens.CausePolicy
			}
		}
	}
	return relaylens.CauseClientBlocklisted
}

// anyListSilent reports whether some list has everybody on it, where postscreen adds up what
// several say and names none.
func (h *history) anyListSilent(e *relaylens.Event) bool {
	const sums = 10 // seconds that it waits for what lists say, at most
	at := e.Time.Unix()
	host := h.known(e, at)
	if host == nil {
		return false
	}
	for i := range host.lists {
		l := &host.lists[i].lookups
		if l.silent(at) || l.silent(at-sums) {
			return true
		}
		h.current.settled = h.current.settled && l.names.Len() == 0
	}
	return false
}

// unanswered reports whether a refusal is due to l's silence. As long as nothing hints at one
// none is found later that it is of.
func (h *history) unanswered(l *lookups, e *relaylens.Event) bool {
	if l.silent(e.Time.Unix()) {
		return true
	}
	h.current.settled = l.names.Len() == 0
	return false
}

// lookup learns from an event how the server of e fares with DNS.
func (h *history) lookup(e *relaylens.Event, now int64) {
	switch {
	case e.Direction == relaylens.Outbound || !e.ClientIP.IsValid() || h.site.internal(e.ClientIP):
	case e.ClientName == "" && ofDNS(e):
		host := h.hostEntry(e, now)
		host.lookups.fail(h.from(e).key, h.address(e.ClientIP), e.Reason == relaylens.ReasonDomainTempfail || h.resolved(e, now), now)
		h.silentAt = max(h.silentAt, now)
	case e.Reason == relaylens.ReasonDNSBL:
		h.listed(e, now)
	case h.silentLately(now):
		h.answered(e, now)
	}
}

// answered learns from an event what DNS told the server of e, while it matters.
func (h *history) answered(e *relaylens.Event, now int64) {
	taken := e.Kind == relaylens.KindAccepted
	if e.ClientName == "" && (!taken || e.User != "" || e.Sender == "") {
		return
	}
	host := h.known(e, now)
	if host == nil || host.lookups.failed == 0 && len(host.lists) == 0 || e.Direction == relaylens.Outbound || !e.ClientIP.IsValid() || h.site.internal(e.ClientIP) {
		return
	}
	host.lookups.answer(now)
	if taken {
		for i := range host.lists {
			host.lists[i].lookups.answer(now)
		}
	}
}

// silentLately reports whether DNS told any server nothing not long ago, so that it matters
// what it tells now.
func (h *history) silentLately(now int64) bool { return h.silentAt != 0 && now-h.silentAt <= silentGap }

// resolved reports whether DNS told before what it does not tell now: mail came from the
// sender's domain, or of the sender from this very client.
func (h *history) resolved(e *relaylens.Event, now int64) bool {
	if e.Reason == relaylens.ReasonDomainNotFound {
		return h.mailed.has(h.from(e).key, now)
	}
	s := h.senders.Get(h.sender(e), now)
	return e.Sender != "" && s != nil && s.from.Has(h.address(e.ClientIP))
}

// ofDNS reports whether a refusal is for now, and for what DNS does not tell.
func ofDNS(e *relaylens.Event) bool {
	switch e.Reason {
	case relaylens.ReasonDomainTempfail:
		return true
	case relaylens.ReasonDomainNotFound:
		return e.ReplyClass() == relaylens.Class4xx
	}
	return nameless(e)
}

// nameless reports whether a server refused for now, as it found no name or no address of the
// client or of what it greets with, by its own words. Most servers say the same where there is none.
//
// Postfix src/smtpd/smtpd_check.c, reject_unknown_client, reject_unknown_hostname; Sendmail
// cf/m4/proto.m4, require_rdns; Exim src/acl.c, acl_verify_reverse.
func nameless(e *relaylens.Event) bool {
	switch e.Reason {
	case relaylens.ReasonClientPolicy:
		return e.ReplyClass() == relaylens.Class4xx && (strings.HasPrefix(e.Text, "Client host rejected: cannot find your ") ||
			strings.HasPrefix(e.Text, "cannot find your ") || strings.HasPrefix(e.Text, "Client IP address ") || strings.HasPrefix(e.Text, "host lookup deferred "))
	case relaylens.ReasonHelo:
		return e.ReplyClass() == relaylens.Class4xx && e.Text == "Helo command rejected: Host not found"
	}
	return false
}

// silent reports whether DNS told the server of e nothing at the time.
func (h *history) silent(e *relaylens.Event) bool {
	now := e.Time.Unix()
	host := h.known(e, now)
	return host != nil && host.lookups.silent(now)
}

// whyNameless tells a client without a name from one of which DNS said nothing.
func (h *history) whyNameless(e *relaylens.Event, _ bool) relaylens.Cause {
	h.current.settled = true
	if host := h.known(e, e.Time.Unix()); host != nil && h.unanswered(&host.lookups, e) {
		return relaylens.CauseSenderDomainDNSTempfail
	}
	return relaylens.CausePolicy
}
