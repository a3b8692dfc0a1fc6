package classifier

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/bounded"
)

// maxFindings bounds the problems that are kept apart. Of attackers' noise
// there is one finding a server, so real problems do not come near it.
const (
	maxFindings = 5_000
	// manyEvents make a problem stay when there are too many.
	manyEvents = 10
)

// Findings gathers refusals, whose causes are final, into problems: one for each
// lost domain, misplaced restriction, dead backend or guessed account, and one
// for all of a server's scanners.
type Findings struct {
	history *history
	groups  *bounded.Table[group]
}

// group is a finding in the making.
type group struct {
	finding  relaylens.Finding
	clients  counter
	users    counter
	domains  counter
	episode  episode
	internal bool             // the client is in a network of ours, or has a name of ours
	guesses  int              // events of which the cause is no more than likely
	other    bool             // finding.Evidence has two clients
	latest   *relaylens.Event // the event that came last, if it is none of finding.Evidence
	memory   []byte           // its texts
}

// counter counts distinct hashes: exactly while they are few, then as a lower
// bound that grows with every new one seen against a small sample.
type counter struct {
	few  bounded.Set
	many *bounded.Table[struct{}]
}

const manyDistinct = 4096

func (c *counter) add(member uint64) {
	if c.many == nil {
		if c.few.Add(member) {
			return
		}
		c.many = bounded.NewTable[struct{}](manyDistinct, 1<<40, nil)
		for m := range c.few.Members() {
			c.many.Put(m, 0)
		}
	}
	c.many.Put(member, 0)
}

func (c *counter) len() int {
	if c.many != nil {
		return c.many.Len()
	}
	return c.few.Len()
}

// NewFindings makes an empty gathering that knows what c has seen.
func (c *Classifier) NewFindings() *Findings {
	f := &Findings{history: c.history, groups: bounded.NewTable[group](maxFindings, memory, nil)}
	f.groups.Spare = func(g *group) bool { return g.finding.Events >= manyEvents }
	return f
}

// Add takes in a refusal with its cause. Policy that works as it was meant to,
// and what has no known cause, are no problem.
func (f *Findings) Add(e *relaylens.Event) { f.add(e, false) }

// AddKept is Add for an event whose texts stay as they are.
func (f *Findings) AddKept(e *relaylens.Event) { f.add(e, true) }

func (f *Findings) add(e *relaylens.Event, kept bool) {
	if !e.Refusal() || e.Cause == relaylens.CauseNone || e.Cause == relaylens.CausePolicy || e.Cause == relaylens.CauseUnknown {
		return
	}
	f.history.turn()
	host, entity := f.scope(e)
	g, isNew := f.groups.Put(f.key(e, host, entity), e.Time.Unix())
	if isNew {
		*g = group{finding: relaylens.Finding{Cause: e.Cause, Fault: e.Cause.Fault(), Host: strings.Clone(host), MTA: e.MTA, First: e.Time, Last: e.Time,
			Entity: relaylens.Entity{Kind: entity.Kind, Value: strings.Clone(entity.Value)}}}
	}
	g.add(f, e, kept)
}

func (f *Findings) key(e *relaylens.Event, host string, entity relaylens.Entity) uint64 {
	h := f.history
	at := bounded.Mix(maphash.String(h.seed, host), uint64(e.Cause))
	return bounded.Mix(bounded.Mix(maphash.String(h.seed, entity.Value), uint64(entity.Kind)), at)
}

func (g *group) add(f *Findings, e *relaylens.Event, kept bool) {
	p := &g.finding
	p.Events++
	g.episode.add(e.Time)
	g.internal = g.internal || f.history.ofTheHouse(e)
	if e.Cause == relaylens.CauseOpenRelayProbe && f.history.maybeHonest(e) {
		g.guesses++
	}
	if e.Time.Before(p.First) {
		p.First = e.Time
	}
	if e.Time.After(p.Last) {
		p.Last = e.Time
	}
	newClient := false
	if e.ClientIP.IsValid() {
		n := g.clients.len()
		g.clients.add(f.history.address(e.ClientIP))
		newClient = g.clients.len() > n
	}
	if e.User != "" {
		g.users.add(f.history.name(e.User))
	}
	if d := f.history.recipient(e); d.name != "" {
		g.domains.add(d.key)
	}
	g.witness(e, newClient, kept)
}

// witness keeps the first event, one of another client, and the latest.
func (g *group) witness(e *relaylens.Event, newClient, kept bool) {
	p := &g.finding
	keep := func() relaylens.Event {
		if kept {
			return *e
		}
		return e.Clone()
	}
	switch n := len(p.Evidence); {
	case n < 2:
		p.Evidence = append(p.Evidence, keep())
		g.other = n == 1 && newClient
	case newClient && !g.other:
		p.Evidence[1], g.other = keep(), true
		g.latest = nil
	default:
		if g.latest == nil {
			g.latest = new(relaylens.Event)
		}
		if kept {
			*g.latest = *e
		} else {
			*g.latest, g.memory = e.CloneInto(g.memory)
		}
	}
}

// evidence is what a finding shows.
func (g *group) evidence() []relaylens.Event {
	list := slices.Clone(g.finding.Evidence)
	if g.latest != nil {
		list = append(list, g.latest.Clone())
	}
	return list
}

// entityOf says whom or what the problem behind e is about.
func (f *Findings) entityOf(e *relaylens.Event) relaylens.Entity {
	switch e.Cause {
	case relaylens.CauseCredentialGuessing:
		if u := f.history.users.Get(f.history.name(e.User), e.Time.Unix()); e.User != "" && u != nil && u.failFrom.Len() >= guessedFrom {
			return relaylens.Entity{Kind: relaylens.EntityUser, Value: strings.ToLower(e.User)}
		}
	case relaylens.CauseRecipientDomainNotConfigured:
		return relaylens.Entity{Kind: relaylens.EntityRecipientDomain, Value: f.history.recipient(e).name}
	case relaylens.CauseStalePassword:
		return relaylens.Entity{Kind: relaylens.EntityUser, Value: strings.ToLower(e.User)}
	case relaylens.CauseAddressChanged, relaylens.CauseClientNotAuthenticated:
		if e.Sender != "" {
			return relaylens.Entity{Kind: relaylens.EntitySender, Value: strings.ToLower(e.Sender)}
		}
	case relaylens.CauseRemoteRelayDenied:
		if d := f.history.recipient(e); d.name != "" {
			return relaylens.Entity{Kind: relaylens.EntityRecipientDomain, Value: d.name}
		}
		return relaylens.Entity{Kind: relaylens.EntityRemoteHost, Value: e.RemoteHost}
	case relaylens.CauseCalloutRelayDenied, relaylens.CauseCalloutUnknownUser, relaylens.CauseCalloutBlocked, relaylens.CauseCalloutDeferred,
		relaylens.CauseSenderDomainUnresolvable, relaylens.CauseSenderDomainDNSTempfail, relaylens.CauseSenderDomainNullMX:
		return relaylens.Entity{Kind: relaylens.EntitySenderDomain, Value: e.SenderDomain()}
	case relaylens.CauseRestrictionOrder, relaylens.CauseAuthNotOffered, relaylens.CauseAuthBackendUnavailable,
		relaylens.CauseOpenRelayProbe, relaylens.CauseRemoteBlocklisted, relaylens.CauseClientBlocklisted:
		return relaylens.Entity{Kind: relaylens.EntityServer, Value: e.Host}
	}
	if e.ClientIP.IsValid() {
		return relaylens.Entity{Kind: relaylens.EntityClient, Value: e.ClientIP.String()}
	}
	return relaylens.Entity{Kind: relaylens.EntityServer, Value: e.Host}
}

// List gives the findings, the server's own faults first, then by events. Those
// that were quiet for a while, up to the latest event of all, are resolved.
func (f *Findings) List() []relaylens.Finding {
	var list []relaylens.Finding
	now := f.history.latest
	f.groups.Each(func(g *group) {
		if g.finding.Last.After(now) {
			now = g.finding.Last
		}
	})
	f.groups.Each(func(g *group) {
		p := g.finding
		p.Evidence = g.evidence()
		g.episode.tell(&p, now)
		p.Clients, p.Users = g.clients.len(), g.users.len()
		p.Confidence, p.Why = confidence(g, p.Evidence)
		list = append(list, p)
	})
	slices.SortFunc(list, func(a, b relaylens.Finding) int {
		return cmp.Or(a.First.Compare(b.First), cmp.Compare(a.Cause, b.Cause), cmp.Compare(a.Entity.Value, b.Entity.Value))
	})
	list = mergeHosts(f.mergeResolver(mergeGuessers(f.mergeRoamers(mergeRemotes(list)))))
	f.tellFleet(list)
	slices.SortFunc(list, func(a, b relaylens.Finding) int {
		return cmp.Or(cmp.Compare(urgency(a.Fault), urgency(b.Fault)), cmp.Compare(b.Events, a.Events),
			cmp.Compare(a.Cause, b.Cause), cmp.Compare(a.Entity.Value, b.Entity.Value), cmp.Compare(a.Host, b.Host))
	})
	return list
}

// urgency orders faults by who can act, and how soon.
func urgency(f relaylens.Fault) int {
	return slices.Index([]relaylens.Fault{relaylens.FaultServer, relaylens.FaultClient, relaylens.FaultRemote, relaylens.FaultAttacker, relaylens.FaultNone}, f)
}

const (
	// manyDomains is how many domains one next hop refuses until it is the hop
	// that is wrong, not the domains.
	manyDomains = 3
	// fewGuesses of each of manyGuessers are one network of them.
	fewGuesses   = 2
	manyGuessers = 3
)

// mergeRemotes puts the domains that one remote host does not relay for together.
func mergeRemotes(list []relaylens.Finding) []relaylens.Finding {
	return mergeBy(list, manyDomains, func(p *relaylens.Finding) (relaylens.Entity, bool) {
		host := p.Evidence[0].RemoteHost
		return relaylens.Entity{Kind: relaylens.EntityRemoteHost, Value: host},
			p.Cause == relaylens.CauseRemoteRelayDenied && p.Entity.Kind == relaylens.EntityRecipientDomain && host != ""
	})
}

// mergeGuessers puts clients that try once or twice each together: what one
// of a botnet does is no problem, what all of them do is one.
func mergeGuessers(list []relaylens.Finding) []relaylens.Finding {
	return mergeBy(list, manyGuessers, func(p *relaylens.Finding) (relaylens.Entity, bool) {
		return relaylens.Entity{Kind: relaylens.EntityServer, Value: p.Host},
			p.Cause == relaylens.CauseCredentialGuessing && p.Entity.Kind == relaylens.EntityClient && p.Events <= fewGuesses
	})
}

// mergeBy makes one finding of those of one host that whole gives the same
// entity, if there are enough of them.
func mergeBy(list []relaylens.Finding, enough int, whole func(*relaylens.Finding) (relaylens.Entity, bool)) []relaylens.Finding {
	type key struct {
		host   string
		entity relaylens.Entity
	}
	parts := map[key][]int{}
	for i := range list {
		if entity, ok := whole(&list[i]); ok {
			k := key{list[i].Host, entity}
			parts[k] = append(parts[k], i)
		}
	}
	gone := map[int]bool{}
	for k, same := range parts {
		if len(same) < enough {
			continue
		}
		first := &list[same[0]]
		for _, i := range same[1:] {
			merge(first, &list[i])
			gone[i] = true
		}
		first.Entity = k.entity
	}
	kept := make([]relaylens.Finding, 0, len(list))
	for i := range list {
		if !gone[i] {
			kept = append(kept, list[i])
		}
	}
	return kept
}

// merge adds b to a. Clients and users of both may be the same, so the larger
// number is what is certain.
func merge(a, b *relaylens.Finding) {
	a.Events += b.Events
	if a.Cause == relaylens.CauseCredentialGuessing { // of different clients each
		a.Clients += b.Clients
	} else {
		a.Clients = max(a.Clients, b.Clients)
	}
	a.Users = max(a.Users, b.Users)
	if b.First.Before(a.First) {
		a.First = b.First
	}
	if b.Last.After(a.Last) {
		a.Last = b.Last
	}
	a.Evidence = append(a.Evidence, b.Evidence...)[:min(3, len(a.Evidence)+len(b.Evidence))]
	a.Confidence = max(a.Confidence, b.Confidence)
	mergeStatus(a, b)
}
