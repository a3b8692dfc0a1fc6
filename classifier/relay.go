package classifier

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/relaylens/relaylens"
)

const (
	// strangers is how many unrelated clients have to want a domain from us until
	// it looks like one of ours that is not configured.
	strangers = 4
	// fewDomains is how many domains an honest server may bring mail for.
	fewDomains = 2
)

// whyRelayDenied says why a client was not relayed for, by what is known of it,
// of its sender and of the domain it wanted.
func (h *history) whyRelayDenied(e *relaylens.Event, late bool) relaylens.Cause {
	now := e.Time.Unix()
	if s := h.sessions.Get(h.sessionKey(e), now); e.User != "" || s != nil && s.loggedIn {
		return relaylens.CauseRestrictionOrder
	}
	c := h.client(e.ClientIP, now)
	if c == nil || !e.ClientIP.IsValid() {
		return relaylens.CauseUnknown
	}
	ourSender := h.ourSender(e, now)
	switch {
	case c.lostBackend(now):
		return relaylens.CauseAuthBackendUnavailable
	case c.failures > 0 && abs(now-c.failedAt) <= afterFailure && h.authDown(e):
		return relaylens.CauseAuthBackendUnavailable
	case h.site.has(h.recipient(e).name):
		return relaylens.CauseRecipientDomainNotConfigured // it is said to be ours
	case (h.site.internal(e.ClientIP) || c.ours && ourSender) && c.logins == 0:
		return relaylens.CauseClientNotInMynetworks
	case !ourSender && c.logins == 0 && h.wanted(h.recipient(e), now):
		return relaylens.CauseRecipientDomainNotConfigured
	case c.logins == 0 && h.moved(e, now):
		return relaylens.CauseAddressChanged
	case c.logins > 0, ourSender && h.isUser(e, now):
		return relaylens.CauseClientNotAuthenticated
	case ourSender:
		return h.whyUnknownUser(e, c, late)
	case !h.knowsOurs() && c.denDomains.Len() <= fewDomains:
		return relaylens.CauseUnknown // nothing was seen yet that would be ours
	case !late && c.maybeHonest() && !h.ofProvider(h.recipient(e).name, now):
		return relaylens.CauseUnknown // it may be the first of many honest servers
	}
	return relaylens.CauseOpenRelayProbe
}

// isUser reports whether a sender is known to log in.
func (h *history) isUser(e *relaylens.Event, now int64) bool {
	name := h.sender(e)
	if u := h.users.Get(name, now); u != nil && u.logins > 0 {
		return true
	}
	s := h.senders.Get(name, now)
	return s != nil && s.byUser
}

// whyUnknownUser is for a sender of ours that never logged in: a machine that
// sends under the name of a program, or somebody of whom nothing was seen before.
func (h *history) whyUnknownUser(e *relaylens.Event, c *client, late bool) relaylens.Cause {
	switch {
	case !late:
		return relaylens.CauseUnknown
	case c.denied > 1 && ofProgram(e.Sender):
		return relaylens.CauseClientNotInMynetworks
	}
	return relaylens.CauseClientNotAuthenticated
}

// programs are the names, in whole or before a hyphen, dot, underscore or plus,
// that machines send under.
var programs = []string{"alert", "alerts", "apache", "app", "backup", "backups", "bounce", "bounces", "cron", "daemon", "devnull", "donotreply", "git", "gitlab", "grafana",
	"icinga", "jenkins", "jira", "mailer", "mailer-daemon", "monitor", "monitoring", "nagios", "nginx", "no-reply", "nobody", "noc", "noreply", "notification", "notifications",
	"notify", "nrpe", "printer", "report", "reports", "robot", "root", "scan", "scanner", "scans", "server", "smartd", "sysadmin", "system", "ups", "webserver", "wordpress",
	"www", "www-data", "zabbix"}

func ofProgram(address string) bool {
	local, _, _ := strings.Cut(strings.ToLower(address), "@")
	head := local
	if i := strings.IndexAny(local, "-._+"); i > 0 {
		head = local[:i]
	}
	plain, _, _ := strings.Cut(local, "+")
	return slices.Contains(programs, plain) || slices.Contains(programs, head)
}

// whyNotFound tells a sender domain that does not exist from one of which DNS
// said nothing.
func (h *history) whyNotFound(e *relaylens.Event, late bool) relaylens.Cause {
	if e.ReplyClass() != relaylens.Class4xx {
		return relaylens.CauseSenderDomainUnresolvable
	}
	now := e.Time.Unix()
	host := h.known(e, now)
	switch {
	case host != nil && host.lookups.silent(now):
		return relaylens.CauseSenderDomainDNSTempfail
	case host != nil && host.refusesUnknown, h.mailed.has(h.from(e).key, now): // it did exist
		return relaylens.CauseSenderDomainDNSTempfail
	case late, host != nil && host.softUnknown.Len() >= softDomains:
		return relaylens.CauseSenderDomainUnresolvable
	}
	return relaylens.CauseUnknown
}

// authDown reports whether no login could succeed at the time of e.
func (h *history) authDown(e *relaylens.Event) bool {
	host := h.known(e, e.Time.Unix())
	return host != nil && host.wasDown(e.Time.Unix())
}

// afterFailure is for how long a client that could not log in goes on without.
const afterFailure = int64(15 * 60)

// lostBackend reports whether a client's login failed for the backend's sake,
// and none succeeded between that and a time.
func (c *client) lostBackend(now int64) bool {
	return c.backendAt != 0 && abs(now-c.backendAt) <= afterFailure && (c.okAt < c.backendAt || c.okAt > now)
}

// maybeHonest reports whether nothing speaks against a client: it looks like a mail
// server, it wants hardly any domain, and fails no logins.
func (c *client) maybeHonest() bool {
	return c.looks >= passable && c.denDomains.Len() <= fewDomains && c.failures == 0
}

func (h *history) maybeHonest(e *relaylens.Event) bool {
	c := h.client(e.ClientIP, e.Time.Unix())
	return c != nil && c.maybeHonest()
}

// ofTheHouse reports whether a client is a machine of our own.
func (h *history) ofTheHouse(e *relaylens.Event) bool {
	c := h.client(e.ClientIP, e.Time.Unix())
	return h.site.internal(e.ClientIP) || c != nil && c.ours
}

// wanted reports whether many unrelated servers bring mail for one domain, each
// with a name that DNS confirms, from senders of its own, and with mail for
// hardly any other domain: they follow an MX record that points to us. Of those that
// greet with a name that has nothing to do with theirs it takes twice as many.
func (h *history) wanted(domain domain, now int64) bool {
	d := h.denied.Get(domain.key, now)
	if d == nil || domain.name == "" || d.senders.Len() < strangers {
		return false
	}
	honest := 0
	for key := range d.clients.Members() {
		c := h.clients.Get(key, now)
		if c != nil && c.maybeHonest() {
			honest += int(c.looks - shady)
		}
	}
	return honest >= strangers*int(upright-shady)
}

// moved reports whether the sender's mail was accepted until now from other
// addresses, without a login.
func (h *history) moved(e *relaylens.Event, now int64) bool {
	s := h.senders.Get(h.sender(e), now)
	return e.Sender != "" && s != nil && !s.byUser && h.ourSender(e, now) && !s.from.Has(h.address(e.ClientIP))
}

// private are the networks that only the owner of this server can be in.
var private = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fe80::/10"),
}

func abs(n int64) int64 { return max(n, -n) }
