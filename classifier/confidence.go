package classifier

import (
	"fmt"

	"github.com/relaylens/relaylens"
)

// confidence is how sure a finding is, and why, from the kind of its evidence:
// what a server says in words, what two lines prove together, what only many
// events make likely.
func confidence(g *group, p *relaylens.Finding) (probability float64, why string) {
	clients, users := g.clients.len(), g.users.len()
	if probability, why, is := ambiguous(g); is {
		return probability, why
	}
	switch p.Cause {
	case relaylens.CauseRestrictionOrder:
		return 0.98, "the log shows a login in the very sessions that were refused"
	case relaylens.CauseAuthBackendUnavailable:
		if g.began == relaylens.ReasonBackend {
			return 0.98, "the server says itself that its auth backend fails"
		}
		return 0.9, fmt.Sprintf("%s failed to log in and went on to send as themselves, while nobody could log in", clientsAre(clients))
	case relaylens.CauseRecipientDomainNotConfigured:
		return min(0.99, 0.8+0.03*float64(clients)), fmt.Sprintf("%d unrelated servers with confirmed names brought mail of their own for it", clients)
	case relaylens.CauseAuthNotOffered:
		return 0.8, "clients try to log in where no login is on offer, and nobody was seen to log in"
	case relaylens.CauseClientNotInMynetworks:
		if !g.internal {
			return 0.75, "the sender is ours and a program's by its name, and the client never logged in"
		}
		if p.Events == 1 {
			return 0.87, "the client is internal and never logs in"
		}
		return min(0.97, 0.85+0.02*float64(p.Events)), "the client is internal, sends steadily and never logs in"
	case relaylens.CauseClientNotAuthenticated:
		return 0.85, "the sender or the client is one of ours, and did not log in"
	case relaylens.CauseAddressChanged:
		return 0.7, "the sender's mail was accepted from other addresses before"
	case relaylens.CauseRemoteBlocklisted:
		if n := g.domains.len(); n >= organisations {
			return min(0.98, 0.9+0.02*float64(n)), fmt.Sprintf("%d unrelated organisations refuse this server for its reputation, in their own words", n)
		}
		return 0.75, "one organisation alone refuses this server for its reputation, which may be a list of its own"
	case relaylens.CauseCredentialGuessing:
		if p.Entity.Kind == relaylens.EntityUser {
			return 0.97, clientsAre(clients) + " tried this one user"
		}
		return min(0.98, 0.75+0.05*float64(max(users, p.Events))), attempts(users, p.Events)
	case relaylens.CauseStalePassword:
		return 0.85, "the user logged in before, and fails from few addresses, once at a time"
	case relaylens.CauseOpenRelayProbe:
		if g.guesses > 0 {
			return min(0.88, 0.7+0.02*float64(p.Events)), strangersAre(clients, g.domains.len()) + "; some have names and little to hide, and may be honest"
		}
		return min(0.95, 0.7+0.02*float64(p.Events)), strangersAre(clients, g.domains.len())
	}
	return 0.95, "the server's own words"
}

func strangersAre(clients, domains int) string {
	return fmt.Sprintf("%s with foreign senders, %s", number(clients, "stranger"), number(domains, "domain"))
}

func attempts(users, events int) string {
	if users == 0 {
		return fmt.Sprintf("one client made %s, without success", number(events, "attempt"))
	}
	return fmt.Sprintf("one client tried %s in %s, without success", number(users, "user"), number(events, "attempt"))
}

func number(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}

// ambiguous are the server's words where they mean two things: those of the latest event.
func ambiguous(g *group) (probability float64, why string, is bool) {
	switch {
	case g.cause == relaylens.CauseSenderDomainUnresolvable && g.latest == relaylens.ReasonDomainNotFound && g.latestClass == relaylens.Class4xx:
		return 0.8, "the server says \"not found\" for now, and does so as well when DNS gives no answer", true
	case g.latest == relaylens.ReasonCalloutCached:
		return 0.6, "the server repeats a verification that failed before, and does not say how", true
	}
	return 0, "", false
}
