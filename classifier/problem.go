package classifier

import (
	"strings"
	"time"

	"github.com/relaylens/relaylens"
)

// problem is a finding whose evidence is not taken out yet. Its texts are those of
// the group that it was made of, and are copied when the problem is told.
type problem struct {
	relaylens.Finding
	witnesses []witness
}

// problem is what g has come to.
func (f *Findings) problem(g *group, now time.Time) problem {
	p := problem{Finding: relaylens.Finding{Cause: g.cause, Fault: faultOf(g.cause), MTA: g.mta, Host: f.texts.View(g.host),
		Entity: relaylens.Entity{Kind: g.kind, Value: f.texts.View(g.entity)},
		Events: int(g.events), Errors: int(g.errors), Clients: g.clients.len(), Users: g.users.len(), First: g.first, Last: g.episode.last}, witnesses: g.seen()}
	g.episode.tell(&p.Finding, now)
	if p.Cause == relaylens.CausePolicy {
		p.Confidence, p.Why = f.helperConfidence(g, &p.Finding, f.view(p.witnesses))
	} else {
		p.Confidence, p.Why = confidence(g, &p.Finding)
	}
	return p
}

// faultOf is whose doing a finding of a cause is. Of policy that is one it is the
// server's own.
func faultOf(c relaylens.Cause) relaylens.Fault {
	if c == relaylens.CausePolicy {
		return relaylens.FaultServer
	}
	return c.Fault()
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
func (f *Findings) mergeRemotes(list []*problem) []*problem {
	return mergeBy(list, manyDomains, func(p *problem) (relaylens.Entity, bool) {
		if p.Cause != relaylens.CauseRemoteRelayDenied {
			return relaylens.Entity{}, false
		} else if p.Entity.Kind == relaylens.EntityRemoteHost { // it refuses the login, too
			return p.Entity, true
		}
		host := strings.Clone(f.view(p.witnesses[:1])[0].RemoteHost)
		return relaylens.Entity{Kind: relaylens.EntityRemoteHost, Value: host}, host != ""
	})
}

// mergeGuessers puts clients that try once or twice each together: what one
// of a botnet does is no problem, what all of them do is one.
func mergeGuessers(list []*problem) []*problem {
	return mergeBy(list, manyGuessers, func(p *problem) (relaylens.Entity, bool) {
		return relaylens.Entity{Kind: relaylens.EntityServer, Value: p.Host},
			p.Cause == relaylens.CauseCredentialGuessing && p.Entity.Kind == relaylens.EntityClient && p.Events <= fewGuesses
	})
}

// mergeBy makes one finding of those of one host that whole gives the same
// entity, if there are enough of them.
func mergeBy(list []*problem, enough int, whole func(*problem) (relaylens.Entity, bool)) []*problem {
	type key struct {
		host   string
		entity relaylens.Entity
	}
	parts := map[key][]int{}
	for i := range list {
		if entity, ok := whole(list[i]); ok {
			k := key{list[i].Host, entity}
			parts[k] = append(parts[k], i)
		}
	}
	gone := map[int]bool{}
	for k, same := range parts {
		if len(same) < enough {
			continue
		}
		first := list[same[0]]
		for _, i := range same[1:] {
			merge(first, list[i])
			gone[i] = true
		}
		first.Entity = k.entity
	}
	kept := list[:0]
	for i := range list {
		if !gone[i] {
			kept = append(kept, list[i])
		}
	}
	return kept
}

// merge adds b to a. Clients and users of both may be the same, so the larger
// number is what is certain.
func merge(a, b *problem) {
	a.Events += b.Events
	a.Errors += b.Errors
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
	a.witnesses = append(a.witnesses, b.witnesses...)[:min(maxWitnesses, len(a.witnesses)+len(b.witnesses))]
	a.Confidence = max(a.Confidence, b.Confidence)
	mergeStatus(&a.Finding, &b.Finding)
}
