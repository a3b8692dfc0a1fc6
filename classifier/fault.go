package classifier

import (
	"fmt"
	"math"
	"strings"

	"github.com/relaylens/relaylens"
)

// services are all programs of a server's own: they need the same files.
var services = strings.TrimSuffix(relaylens.Service, ":")

// addFault takes in what the server itself says that fails. It is no refusal: where
// nothing is refused for it, as nobody is served or what was taken lies there, it is all
// that the log tells.
func (f *Findings) addFault(e *relaylens.Event, kept bool) {
	h := relaylens.HelperOf(e)
	if h == relaylens.HelperNone || h == relaylens.HelperService && f.history.loginsDown(e) || h == relaylens.HelperStore && waited(e) {
		return
	}
	entity := relaylens.Entity{Kind: relaylens.EntityHelper, Value: e.RemoteHost}
	if h == relaylens.HelperService {
		entity.Value = services // what one cannot read the others cannot, either
	}
	g, isNew := f.groups.Put(f.key(relaylens.CausePolicy, e.Host, entity), e.Time.Unix())
	if isNew {
		f.begin(g, e, relaylens.CausePolicy, e.Host, entity)
	}
	g.errors += min(1, math.MaxUint32-g.errors)
	g.halted = g.halted || halts(e)
	g.episode.add(e.Time)
	if e.Time.Before(g.first) {
		g.first = e.Time
	}
	newRecipient := e.Recipient != "" && g.users.add(f.history.name(e.Recipient))
	f.see(g, e, newRecipient, kept)
}

// halts reports whether the server says that it does without what failed for now: nobody
// is served by it then. Where a process dies, others may serve.
//
// Postfix src/master/master_spawn.c, master_throttle; src/qmgr/qmgr_transport.c. Exim
// src/daemon.c, daemon_go. Sendmail conf.c, refuseconnections; daemon.c, opendaemonsocket.
func halts(e *relaylens.Event) bool {
	return strings.HasSuffix(e.Text, "-- throttling") || strings.HasPrefix(e.Text, "connect to transport ") || e.Text == "mail transport unavailable" || strings.HasPrefix(e.Text, "socket bind() to port ") ||
		strings.HasPrefix(e.Text, "rejecting connections on daemon ") || strings.HasPrefix(e.Text, "opendaemonsocket: ")
}

// loginsDown reports whether the server of e said that it cannot check passwords, for which
// Postfix's server ends as well: that is one problem.
func (h *history) loginsDown(e *relaylens.Event) bool {
	host := h.known(e, e.Time.Unix())
	return host != nil && host.saidDown(e.Time.Unix())
}

// fewRecipients have each a broken mailbox of their own; more have a mailbox store that is.
const fewRecipients = 3

// ofPeer reports whether nobody answered where the store is, whoever the mail is for.
func ofPeer(e *relaylens.Event) bool {
	return strings.HasPrefix(e.Text, "connect to ") || strings.HasPrefix(e.Text, "delivery temporarily suspended: connect to ") ||
		strings.HasPrefix(e.Text, "Failed to connect to socket ") || e.Text == "alias database unavailable"
}

// mostlyStored reports whether a server delivered some mail on its own machine in the time
// of a finding that it cannot: to other recipients, or another store. Where nobody answers
// it takes plenty of it, as there are ways around a store.
func (h *history) mostlyStored(p *relaylens.Finding, peer bool) bool {
	l := h.lapseOf(p)
	if l == nil {
		return false
	}
	if peer {
		return l.stored > plenty*l.refused
	}
	return 2*l.stored > l.refused
}

// faultConfidence is how sure a finding is for which nothing was refused.
func (f *Findings) faultConfidence(g *group, p *relaylens.Finding, evidence []relaylens.Event) (probability float64, why string) {
	h := relaylens.HelperOf(&evidence[0])
	what, said := lacks[h], &evidence[0]
	if h == relaylens.HelperService {
		said = reasonIn(evidence)
		what += " (" + relaylens.Escaped(strings.TrimPrefix(said.RemoteHost, relaylens.Service), 100) + ")"
	}
	switch {
	case h == relaylens.HelperService && !g.halted:
		return 0.7, "a process of it ends now and then, and others may serve meanwhile"
	case h == relaylens.HelperCapacity && !g.halted:
		return 0.7, "the server says itself that " + what + ", and who comes has to wait"
	case h == relaylens.HelperStore && p.Users < fewRecipients && !ofPeer(&evidence[0]):
		return 0.7, fmt.Sprintf("the server says itself that mail for %s cannot be delivered, which may be their own mailboxes' doing", number(p.Users, "recipient"))
	case h == relaylens.HelperStore && f.history.mostlyStored(p, ofPeer(&evidence[0])):
		return 0.7, "the server says itself that mail for some recipients cannot be delivered, and delivers other mail meanwhile"
	case !g.halted && h != relaylens.HelperStore && f.history.mostlyWell(p):
		return 0.7, "the server says itself that " + what + ", and takes plenty of mail meanwhile"
	}
	return 0.97, "the server says itself that " + what + ": " + relaylens.Escaped(said.Text, 300)
}

// reasonIn is the event that tells most: why something ended, rather than that it did.
func reasonIn(evidence []relaylens.Event) *relaylens.Event {
	for i := range evidence {
		if !halts(&evidence[i]) {
			return &evidence[i]
		}
	}
	return &evidence[0]
}

// waited reports whether a message waits for more than some minutes, by the time that Exim
// makes the first part of its id of. What becomes of it then tells of a mailbox that is
// broken as well.
//
// Exim src/receive.c, string_base62.
func waited(e *relaylens.Event) bool {
	const younger, length = 5 * 60, 6
	if e.MTA != relaylens.Exim || len(e.QueueID) < length {
		return false
	}
	came := int64(0)
	for _, c := range []byte(e.QueueID[:length]) {
		digit := strings.IndexByte("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", c)
		came = came*62 + int64(max(digit, 0))
	}
	return e.Time.Unix()-came > younger
}

// complained learns from what the server says that fails.
func (h *history) complained(e *relaylens.Event, now int64) {
	if listsAll(e) {
		h.onList(e, h.name(e.RemoteHost), true, now)
		return
	}
	h.hostEntry(e, now).backendError(e, now)
	h.lapse(e, now)
}
