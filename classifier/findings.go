package classifier

import (
	"cmp"
	"hash/maphash"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/bounded"
	"github.com/relaylens/relaylens/internal/packed"
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
	texts   bounded.Texts // of groups
	buf     []byte
	viewed  [maxWitnesses]relaylens.Event
	brief   bool
	packing packed.Packing
}

// group is a finding in the making. There are thousands, of which few are shown: it
// is as small as can be.
type group struct {
	host, entity bounded.Text
	cause        relaylens.Cause
	mta          relaylens.MTA
	kind         relaylens.EntityKind
	internal     bool             // the client is in a network of ours, or has a name of ours
	other        bool             // the first two of witnesses are two clients
	halted       bool             // the server says that it gave up, not only that something failed
	began        relaylens.Reason // of the first event
	latest       relaylens.Reason // of the latest
	latestClass  relaylens.Class
	events       uint32
	errors       uint32 // of the server's own, that are no refusals
	guesses      uint32 // events of which the cause is no more than likely
	first        time.Time
	clients      counter
	users        counter
	domains      counter // of recipients; of a blocklisting, the organisations that refuse
	episode      episode
	witnesses    [maxWitnesses]witness // the first event, one of another client, and the latest
}

// counter counts distinct hashes: exactly while they are few, and up to
// manyDistinct of them.
type counter struct {
	few  bounded.Marks
	many *bounded.Hashes
}

const manyDistinct = 4096

// add reports whether member is counted now and was not before.
func (c *counter) add(member uint64) bool {
	if c.many == nil {
		n := c.few.Len()
		if c.few.Add(member) {
			return c.few.Len() > n
		}
		c.many = bounded.NewHashes(manyDistinct)
		for m := range c.few.Members() {
			c.many.Add(m)
		}
		c.few = bounded.Marks{}
	}
	return c.many.Add(uint32(member))
}

func (c *counter) len() int {
	if c.many != nil {
		return c.many.Len()
	}
	return c.few.Len()
}

// NewFindings makes an empty gathering that knows what c has seen.
func (c *Classifier) NewFindings() *Findings {
	f := &Findings{history: c.history}
	f.groups = bounded.NewTable(maxFindings, memory, f.forget)
	f.groups.Spare = func(g *group) bool { return g.events+g.errors >= manyEvents }
	return f
}

// Brief has each finding tell one event of its Evidence, the first, unless it takes
// others to say what the finding is: that of the latest costs much for what is seldom shown.
func (f *Findings) Brief() { f.brief = true }

// Add takes in a refusal with its cause. Policy that works as it was meant to,
// and what has no known cause, are no problem. Where a helper of the server's fails,
// it does not work as it was meant to.
func (f *Findings) Add(e *relaylens.Event) {
	f.history.turn()
	f.add(e, false)
}

// AddKept is Add for an event that stays as it is for as long as the findings are
// asked for.
func (f *Findings) AddKept(e *relaylens.Event) {
	f.history.turn()
	f.add(e, true)
}

// AddLast is Add for the event that was classified last, of which much is known.
func (f *Findings) AddLast(e *relaylens.Event) { f.add(e, false) }

func (f *Findings) add(e *relaylens.Event, kept bool) {
	switch {
	case e.Kind == relaylens.KindBackendError:
		f.addFault(e, kept)
		return
	case !e.Refusal(), e.Cause == relaylens.CauseNone, e.Cause == relaylens.CauseUnknown:
		return
	case e.Cause == relaylens.CausePolicy:
		if h := relaylens.HelperOf(e); h == relaylens.HelperNone || h == relaylens.HelperBlocklist && f.history.site.isMonitor(e) {
			return
		}
	}
	host, entity := f.scope(e)
	g, isNew := f.groups.Put(f.key(e.Cause, host, entity), e.Time.Unix())
	if isNew {
		f.begin(g, e, e.Cause, host, entity)
	}
	f.addTo(g, e, kept)
}

// begin makes g one of e.
func (f *Findings) begin(g *group, e *relaylens.Event, cause relaylens.Cause, host string, entity relaylens.Entity) {
	*g = group{cause: cause, mta: e.MTA, kind: entity.Kind, first: e.Time, began: e.Reason}
	f.texts.Set(&g.host, host)
	f.texts.Set(&g.entity, entity.Value)
}

func (f *Findings) key(cause relaylens.Cause, host string, entity relaylens.Entity) uint64 {
	h := f.history
	at := bounded.Mix(maphash.String(h.seed, host), uint64(cause))
	return bounded.Mix(bounded.Mix(maphash.String(h.seed, entity.Value), uint64(entity.Kind)), at)
}

func (f *Findings) addTo(g *group, e *relaylens.Event, kept bool) {
	g.events += min(1, math.MaxUint32-g.events)
	g.latest, g.latestClass = e.Reason, e.ReplyClass()
	g.episode.add(e.Time)
	g.internal = g.internal || f.history.ofTheHouse(e)
	if e.Cause == relaylens.CauseOpenRelayProbe && f.history.maybeHonest(e) {
		g.guesses++
	}
	if e.Time.Before(g.first) {
		g.first = e.Time
	}
	newClient := e.ClientIP.IsValid() && g.clients.add(f.history.address(e.ClientIP))
	if e.User != "" {
		g.users.add(f.history.user(e))
	}
	if e.Cause == relaylens.CauseRemoteBlocklisted {
		g.domains.add(f.history.organisation(e))
	} else if d := f.history.recipient(e); d.name != "" {
		g.domains.add(d.key)
	}
	f.see(g, e, newClient, kept)
}

// entityOf says whom or what the problem behind e is about.
func (f *Findings) entityOf(e *relaylens.Event) relaylens.Entity {
	switch e.Cause {
	case relaylens.CauseCredentialGuessing:
		if u := f.history.users.Get(f.history.user(e), e.Time.Unix()); e.User != "" && u != nil && u.failFrom.Len() >= guessedFrom {
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
		if loginRefused(e) {
			return relaylens.Entity{Kind: relaylens.EntityRemoteHost, Value: e.RemoteHost}
		}
		if d := f.history.recipient(e); d.name != "" {
			return relaylens.Entity{Kind: relaylens.EntityRecipientDomain, Value: d.name}
		}
		return relaylens.Entity{Kind: relaylens.EntityRemoteHost, Value: e.RemoteHost}
	case relaylens.CauseSenderDomainDNSTempfail:
		if f.history.silent(e) {
			return relaylens.Entity{Kind: relaylens.EntityServer, Value: e.Host}
		}
		return relaylens.Entity{Kind: relaylens.EntitySenderDomain, Value: e.SenderDomain()}
	case relaylens.CauseCalloutRelayDenied, relaylens.CauseCalloutUnknownUser, relaylens.CauseCalloutBlocked, relaylens.CauseCalloutDeferred,
		relaylens.CauseSenderDomainUnresolvable, relaylens.CauseSenderDomainNullMX:
		return relaylens.Entity{Kind: relaylens.EntitySenderDomain, Value: e.SenderDomain()}
	case relaylens.CausePolicy:
		return helperEntity(e)
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
	list, _ := f.First(-1)
	return list
}

// First gives the first n findings of List, all when n is negative, and says how
// many there are.
func (f *Findings) First(n int) (list []relaylens.Finding, total int) {
	problems := f.problems()
	total = len(problems)
	if n < 0 || n > total {
		n = total
	}
	for _, p := range problems[:n] {
		p.Host, p.Entity.Value = strings.Clone(p.Host), strings.Clone(p.Entity.Value)
		p.Evidence = f.evidence(p.witnesses)
		list = append(list, p.Finding)
	}
	return list, total
}

// problems are the findings without their evidence.
func (f *Findings) problems() []*problem {
	all, list := make([]problem, 0, f.groups.Len()), make([]*problem, 0, f.groups.Len())
	now := f.history.latest
	f.groups.Each(func(g *group) {
		if g.episode.last.After(now) {
			now = g.episode.last
		}
	})
	f.groups.Each(func(g *group) {
		if g.cause != relaylens.CausePolicy || max(g.events, g.errors) >= helperRefusals {
			all = append(all, f.problem(g, now))
			list = append(list, &all[len(all)-1])
		}
	})
	slices.SortFunc(list, func(a, b *problem) int {
		return cmp.Or(a.First.Compare(b.First), cmp.Compare(a.Cause, b.Cause), cmp.Compare(a.Entity.Value, b.Entity.Value))
	})
	list = mergeHosts(f.mergeResolver(mergeGuessers(f.mergeRoamers(f.tellLogins(f.mergeRemotes(list))))))
	f.tellFleet(list)
	slices.SortFunc(list, func(a, b *problem) int {
		return cmp.Or(cmp.Compare(urgency(a.Fault), urgency(b.Fault)), cmp.Compare(b.Events+b.Errors, a.Events+a.Errors),
			cmp.Compare(a.Cause, b.Cause), cmp.Compare(a.Entity.Value, b.Entity.Value), cmp.Compare(a.Host, b.Host))
	})
	return list
}

// urgency orders faults by who can act, and how soon.
func urgency(f relaylens.Fault) int {
	return slices.Index([]relaylens.Fault{relaylens.FaultServer, relaylens.FaultClient, relaylens.FaultRemote, relaylens.FaultAttacker, relaylens.FaultNone}, f)
}
