package classifier

import (
	"strings"

	"github.com/relaylens/relaylens"
)

// rule names a cause and the evidence that it needs.
type rule struct {
	cause relaylens.Cause
	// when reports whether the event has the evidence.
	when func(*relaylens.Event) bool
	// why, where it is set, tells the cause from what was seen. Late says that
	// nothing more will be: what is likely by then is said, too.
	why func(h *history, e *relaylens.Event, late bool) relaylens.Cause
}

func (r *rule) decide(h *history, e *relaylens.Event, late bool) (relaylens.Cause, bool) {
	switch {
	case !r.when(e):
		return relaylens.CauseNone, false
	case r.why != nil:
		return r.why(h, e, late), true
	}
	return r.cause, true
}

// rules are tried in order; the first whose evidence is there decides.
var rules = []rule{
	// The remote server speaks.
	{cause: relaylens.CauseRemoteRelayDenied, when: func(e *relaylens.Event) bool {
		return e.Direction == relaylens.Outbound && e.Kind == relaylens.KindRelayDenied
	}},
	{cause: relaylens.CauseRemoteBlocklisted, when: func(e *relaylens.Event) bool {
		return e.Direction == relaylens.Outbound && e.Reason == relaylens.ReasonDNSBL
	}},

	// The server says which part of the login failed.
	{cause: relaylens.CauseAuthMechanismUnsupported, when: reason(relaylens.ReasonMechanism)},
	{cause: relaylens.CauseAuthMalformed, when: reason(relaylens.ReasonMalformed)},
	{cause: relaylens.CauseAuthCancelled, when: reason(relaylens.ReasonCancelled)},
	{cause: relaylens.CauseAuthBackendUnavailable, when: reason(relaylens.ReasonBackend)},
	{when: func(e *relaylens.Event) bool {
		return e.Reason == relaylens.ReasonAuthPolicy && strings.Contains(e.Text, "when not advertised") // Exim src/smtp_in.c
	}, why: (*history).whyNotOffered},
	{cause: relaylens.CausePolicy, when: reason(relaylens.ReasonAuthPolicy)},

	// The sender's domain or its server speaks.
	{cause: relaylens.CauseSenderDomainUnresolvable, when: reason(relaylens.ReasonUnrouteable)},
	{when: reason(relaylens.ReasonDomainNotFound), why: (*history).whyNotFound},
	{cause: relaylens.CauseSenderDomainDNSTempfail, when: reason(relaylens.ReasonDomainTempfail)},
	{cause: relaylens.CauseSenderDomainNullMX, when: reason(relaylens.ReasonNullMX)},
	{cause: relaylens.CauseCalloutUnknownUser, when: reason(relaylens.ReasonCalloutUnknownUser)},
	{cause: relaylens.CauseCalloutDeferred, when: reason(relaylens.ReasonCalloutTempfail, relaylens.ReasonCalloutNoConnection)},
	{cause: relaylens.CauseCalloutRelayDenied, when: func(e *relaylens.Event) bool {
		return e.Reason == relaylens.ReasonCalloutRefused && saidNoRelay(e)
	}},
	{cause: relaylens.CauseCalloutBlocked, when: reason(relaylens.ReasonCalloutRefused)},

	// What the event does not tell, what was seen of its client, user and
	// domains may.
	{when: reason(relaylens.ReasonCredentials), why: (*history).whyFailed},
	{when: func(e *relaylens.Event) bool {
		return e.Kind == relaylens.KindRelayDenied || e.Reason == relaylens.ReasonAuthRequired
	}, why: (*history).whyRelayDenied},

	{cause: relaylens.CauseClientBlocklisted, when: reason(relaylens.ReasonDNSBL)},
	{cause: relaylens.CausePolicy, when: func(e *relaylens.Event) bool {
		return e.Kind == relaylens.KindRejected && e.Reason != relaylens.ReasonOther
	}},
}

// reason is the evidence that the server gave one of these reasons.
func reason(reasons ...relaylens.Reason) func(*relaylens.Event) bool {
	return func(e *relaylens.Event) bool {
		for _, r := range reasons {
			if e.Reason == r {
				return true
			}
		}
		return false
	}
}

// saidNoRelay reports whether the server that a callout asked refused to relay,
// by its own words: its name, which stands before them, may say relay as well.
func saidNoRelay(e *relaylens.Event) bool {
	said := strings.ToLower(e.Text)
	if _, after, ok := strings.Cut(said, " said: "); ok {
		said = after
	}
	if host := strings.ToLower(e.RemoteHost); host != "" {
		said = strings.ReplaceAll(said, host, "")
	}
	for _, listed := range []string{"blocked using", "blocklist", "blacklist", "block list", "black list", "listed"} {
		if strings.Contains(said, listed) {
			return false
		}
	}
	return strings.Contains(said, "relay")
}
