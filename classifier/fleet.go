package classifier

import (
	"fmt"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/bounded"
)

const (
	// manyHosts is at how many servers a client is refused until it is no mail
	// server that follows an MX record: those have fewer.
	manyHosts = 5
	// honestPair of servers that bring mail for a domain are enough where another
	// of our servers takes it.
	honestPair = 2
	// lately is for how long a peer counts as well after it showed that it is.
	lately = int64(60 * 60)
)

// given reports whether a cause that came with an event stands. Whoever read the
// log knew the sessions, logins and messages of that server one by one, of which
// only counts came along. Where it could not tell, the whole fleet may.
func given(e *relaylens.Event) bool {
	return e.Given != relaylens.CauseNone && e.Given != relaylens.CauseUnknown
}

// fleet is what several servers tell together.
type fleet struct {
	domains *bounded.Table[bounded.Marks] // hosts that have the domain
	peers   *bounded.Table[peer]
}

// begin forgets what was a day ago.
func (c *client) begin(now int64) {
	if now-c.daySeen > day {
		c.hosts, c.welcome, c.daySeen = bounded.Marks{}, false, 0
	}
	c.daySeen = max(c.daySeen, now)
}

// peer is a server among others.
type peer struct {
	name           uint64
	loggedIn, seen int64 // when somebody logged in, when there was anything
	unresolved     int64 // when DNS told nothing of a sender's domain
}

func newFleet() *fleet {
	return &fleet{domains: bounded.NewTable[bounded.Marks](maxDomains, memory, nil),
		peers: bounded.NewTable[peer](maxHosts, day, nil)}
}

func (f *fleet) learn(h *history, e *relaylens.Event) {
	if e.Host == "" {
		return
	}
	now, host := e.Time.Unix(), h.host(e)
	f.meet(h.server(e), e, now)
	if here(e) {
		if d := h.recipient(e); d.name != "" {
			entry(f.domains, d.key, now).Add(host)
		}
	}
	if !e.ClientIP.IsValid() || e.Direction == relaylens.Outbound {
		return
	}
	switch {
	case e.Kind == relaylens.KindAccepted && f.peers.Len() < manyHosts: // too few to roam between, so nobody asks
	case e.Kind == relaylens.KindAuthOK, e.Kind == relaylens.KindAccepted:
		c := h.clientEntry(e.ClientIP, now)
		c.begin(now)
		c.welcome = true
	case e.Refusal() && (e.Kind == relaylens.KindAuthFailed || e.Kind == relaylens.KindRelayDenied):
		c := h.clientEntry(e.ClientIP, now)
		c.begin(now)
		c.hosts.Add(host)
	}
}

// meet says that a server was heard of.
func (f *fleet) meet(s *server, e *relaylens.Event, now int64) {
	p := s.peer.Get(f.peers, s.name, now)
	if p == nil {
		p = entry(f.peers, s.name, now)
	}
	p.name, p.seen = s.name, max(p.seen, now)
	if e.Kind == relaylens.KindAuthOK {
		p.loggedIn = max(p.loggedIn, now)
	} else if e.Reason == relaylens.ReasonDomainTempfail {
		p.unresolved = max(p.unresolved, now)
	}
}

// here reports whether an event shows that its server has the domain of its
// recipient.
func here(e *relaylens.Event) bool {
	if e.Direction == relaylens.Outbound {
		return false
	}
	return deliveredHere(e) || e.Reason == relaylens.ReasonUnknownRecipient
}

// roams reports whether a client is refused at many servers and welcome at none.
func (h *history) roams(e *relaylens.Event) bool {
	if !e.ClientIP.IsValid() || e.Direction == relaylens.Outbound {
		return false
	}
	now := e.Time.Unix()
	c := h.client(e.ClientIP, now)
	if c == nil {
		return false
	}
	c.begin(now)
	return !c.welcome && c.hosts.Len() >= manyHosts && !h.ofTheHouse(e)
}

// missing reports whether another of our servers has the domain that this one
// does not relay for, and honest servers bring mail for it here.
func (h *history) missing(e *relaylens.Event) bool {
	domain := h.recipient(e)
	if e.Kind != relaylens.KindRelayDenied || e.Direction == relaylens.Outbound || domain.name == "" || e.User != "" {
		return false
	}
	now := e.Time.Unix()
	hosts := h.fleet.domains.Get(domain.key, now)
	if hosts == nil || hosts.Len() == 0 || hosts.Has(h.host(e)) {
		return false
	}
	d := h.denied.Get(domain.key, now)
	if d == nil {
		return false
	}
	honest := 0
	for key := range d.clients.Members() {
		c := h.clients.Get(key, now)
		if c != nil && c.logins == 0 && c.maybeHonest() {
			honest++
		}
	}
	return honest >= honestPair
}

// fleetCause is a cause that no server alone can tell, of an event of which
// nothing better is known.
func (h *history) fleetCause(e *relaylens.Event, known relaylens.Cause) relaylens.Cause {
	switch {
	case (known == relaylens.CauseUnknown || known == relaylens.CauseOpenRelayProbe) && h.missing(e):
		return relaylens.CauseRecipientDomainNotConfigured
	case known != relaylens.CauseUnknown || !h.roams(e):
	case e.Reason == relaylens.ReasonCredentials:
		return relaylens.CauseCredentialGuessing
	case e.Kind == relaylens.KindRelayDenied:
		return relaylens.CauseOpenRelayProbe
	}
	return known
}

// scope is whose problem an event belongs to. Clients that try their luck all
// over the fleet are one problem, of no server in particular.
func (f *Findings) scope(e *relaylens.Event) (host string, entity relaylens.Entity) {
	if (e.Cause == relaylens.CauseCredentialGuessing || e.Cause == relaylens.CauseOpenRelayProbe) && f.history.roams(e) {
		return "", relaylens.Entity{}
	}
	return e.Host, f.entityOf(e)
}

// mergeRoamers adds to the finding about the whole fleet what was gathered about
// its clients before they stood out.
func (f *Findings) mergeRoamers(list []*problem) []*problem {
	whole := map[relaylens.Cause]*problem{}
	for _, p := range list {
		if p.Host == "" && p.Entity.Kind == relaylens.EntityNone {
			whole[p.Cause] = p
		}
	}
	kept := list[:0]
	for _, p := range list {
		w := whole[p.Cause]
		if w == nil || w == p || !f.allRoam(f.view(p.witnesses)) {
			continue
		}
		clients := max(w.Clients, p.Clients) // most of them are the same
		merge(w, p)
		w.Clients = clients
		p.Events = 0
	}
	for _, p := range list {
		if p.Events+p.Errors > 0 {
			kept = append(kept, p)
		}
	}
	return kept
}

func (f *Findings) allRoam(events []relaylens.Event) bool {
	for i := range events {
		if !f.history.roams(&events[i]) {
			return false
		}
	}
	return len(events) > 0
}

// mergeHosts makes one finding of what one client, user or domain has at several
// servers.
func mergeHosts(list []*problem) []*problem {
	type key struct {
		cause  relaylens.Cause
		entity relaylens.Entity
	}
	first := map[key]int{}
	kept := list[:0]
	for _, p := range list {
		k := key{p.Cause, p.Entity}
		i, again := first[k]
		switch {
		case p.Entity.Kind.OfServer() || p.Host == "":
			kept = append(kept, p)
		case again:
			merge(kept[i], p)
			kept[i].Host = ""
		default:
			first[k] = len(kept)
			kept = append(kept, p)
		}
	}
	return kept
}

// mergeResolver makes one finding of what a server refused while DNS told it nothing: it is
// the resolver, not the domains.
func (f *Findings) mergeResolver(list []*problem) []*problem {
	list = mergeBy(list, 1, func(p *problem) (relaylens.Entity, bool) {
		return relaylens.Entity{Kind: relaylens.EntityServer, Value: p.Host}, p.Cause == relaylens.CauseSenderDomainDNSTempfail && f.silent(p)
	})
	for _, p := range list {
		if p.Cause == relaylens.CauseSenderDomainDNSTempfail && p.Entity.Kind == relaylens.EntityServer {
			p.Fault = relaylens.FaultServer
			p.Why = fmt.Sprintf("DNS told nothing of %s and their senders' domains, and of hardly anybody else meanwhile, which is the resolver's doing", clientsAre(p.Clients))
		}
	}
	return list
}

// silent reports whether DNS told a server nothing while it refused what p is made of.
func (f *Findings) silent(p *problem) bool {
	if p.Entity.Kind == relaylens.EntityServer {
		return true
	}
	host := f.history.hosts.Get(f.history.name(p.Host), p.Last.Unix())
	return host != nil && host.lookups.silent(p.First.Unix()) && host.lookups.silent(p.Last.Unix())
}

// tellFleet says what makes clients of many servers suspicious, and adds to what
// one server suffers from that others do not.
func (f *Findings) tellFleet(list []*problem) {
	for _, p := range list {
		if p.Entity.Kind == relaylens.EntityNone && p.Host == "" {
			p.Confidence = max(p.Confidence, 0.95)
			p.Why = fmt.Sprintf("%s tried a little at each of %d servers or more, and %s welcome at none", clientsAre(p.Clients), manyHosts, wasWere(p.Clients))
			continue
		}
		if p.Entity.Kind != relaylens.EntityServer || p.Host == "" {
			continue
		}
		at, well := p.Last.Unix(), 0
		f.history.fleet.peers.Each(func(q *peer) {
			switch {
			case q.name == f.history.name(p.Host):
			case p.Cause == relaylens.CauseAuthBackendUnavailable && q.loggedIn >= at-lately:
				well++
			case p.Cause == relaylens.CauseSenderDomainDNSTempfail && q.seen >= at-lately && q.unresolved < at-lately:
				well++
			}
		})
		if well > 0 {
			p.Why += fmt.Sprintf("; %s meanwhile", peersAre(well))
			p.Confidence = max(p.Confidence, 0.97)
		}
	}
}

func clientsAre(n int) string {
	if n == 1 {
		return "one client"
	}
	return fmt.Sprintf("%d clients", n)
}

func wasWere(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

func peersAre(well int) string {
	if well == 1 {
		return "another server is well"
	}
	return fmt.Sprintf("%d other servers are well", well)
}
