package classifier

import (
	"slices"
	"strings"

	"github.com/relaylens/relaylens"
)

// rule names a cause and the evidence that it needs.
type rule struct {
	cause relaylens.Cause
	// reasons, where they are set, are those that the server has to give.
	reasons []relaylens.Reason
	// when, where it is set, reports whether the event has the evidence.
	when func(*relaylens.Event) bool
	// why, where it is set, tells the cause from what was seen. Late says that
	// nothing more will be: what is likely by then is said, too.
	why func(h *history, e *relaylens.Event, late bool) relaylens.Cause
	// open says that later events may change what why tells, whatever was seen so far.
	open bool
}

func (r *rule) decide(h *history, e *relaylens.Event, late bool) relaylens.Cause {
	if r.why != nil {
		return r.why(h, e, late)
	}
	return r.cause
}

// ruleOf is the first rule whose evidence e has; nil where there is none.
func ruleOf(e *relaylens.Event) *rule {
	reason := e.Reason
	if e.Kind == relaylens.KindRelayDenied {
		reason = relaylens.ReasonNone // whatever another program says it was
	}
	for _, r := range rulesOf[reason] {
		if r.when == nil || r.when(e) {
			return r
		}
	}
	return nil
}

// rules are tried in order; the first whose evidence is there decides.
var rules = []rule{
	// The remote server speaks.
	{cause: relaylens.CauseRemoteRelayDenied, reasons: said(relaylens.ReasonNone, relaylens.ReasonAuthRequired), when: func(e *relaylens.Event) bool {
		return e.Direction == relaylens.Outbound && noRelay(e)
	}},
	{cause: relaylens.CauseRemoteBlocklisted, reasons: said(relaylens.ReasonDNSBL), when: func(e *relaylens.Event) bool {
		return e.Direction == relaylens.Outbound
	}},

	{cause: relaylens.CauseRemoteRelayDenied, reasons: said(relaylens.ReasonCredentials, relaylens.ReasonMechanism, relaylens.ReasonMalformed, relaylens.ReasonBackend, relaylens.ReasonAuthPolicy), when: func(e *relaylens.Event) bool {
		return e.Direction == relaylens.Outbound // this server's own login
	}},

	// The server says which part of the login failed.
	{cause: relaylens.CauseAuthMechanismUnsupported, reasons: said(relaylens.ReasonMechanism)},
	{cause: relaylens.CauseAuthMalformed, reasons: said(relaylens.ReasonMalformed)},
	{cause: relaylens.CauseAuthCancelled, reasons: said(relaylens.ReasonCancelled)},
	{cause: relaylens.CauseAuthBackendUnavailable, reasons: said(relaylens.ReasonBackend)},
	{reasons: said(relaylens.ReasonAuthPolicy), when: func(e *relaylens.Event) bool {
		return strings.Contains(e.Text, "when not advertised") // Exim src/smtp_in.c
	}, why: (*history).whyNotOffered, open: true},
	{cause: relaylens.CausePolicy, reasons: said(relaylens.ReasonAuthPolicy)},

	// The sender's domain or its server speaks.
	{cause: relaylens.CauseSenderDomainUnresolvable, reasons: said(relaylens.ReasonUnrouteable)},
	{reasons: said(relaylens.ReasonDomainNotFound), why: (*history).whyNotFound},
	{cause: relaylens.CauseSenderDomainDNSTempfail, reasons: said(relaylens.ReasonDomainTempfail)},
	{cause: relaylens.CauseSenderDomainNullMX, reasons: said(relaylens.ReasonNullMX)},
	{cause: relaylens.CauseCalloutUnknownUser, reasons: said(relaylens.ReasonCalloutUnknownUser)},
	{cause: relaylens.CauseCalloutDeferred, reasons: said(relaylens.ReasonCalloutTempfail, relaylens.ReasonCalloutNoConnection)},
	{cause: relaylens.CauseCalloutRelayDenied, reasons: said(relaylens.ReasonCalloutRefused), when: saidNoRelay},
	{cause: relaylens.CauseCalloutBlocked, reasons: said(relaylens.ReasonCalloutRefused)},

	// What the event does not tell, what was seen of its client, user and
	// domains may.
	{reasons: said(relaylens.ReasonCredentials), why: (*history).whyFailed, open: true},
	{reasons: said(relaylens.ReasonNone, relaylens.ReasonAuthRequired), when: noRelay, why: (*history).whyRelayDenied, open: true},

	{reasons: said(relaylens.ReasonClientPolicy, relaylens.ReasonHelo), when: nameless, why: (*history).whyNameless},
	{reasons: said(relaylens.ReasonDNSBL), why: (*history).whyListed}, // a remote server's were told above
	{cause: relaylens.CausePolicy, when: func(e *relaylens.Event) bool {
		return e.Kind == relaylens.KindRejected && e.Reason != relaylens.ReasonOther
	}},
}

// said is the evidence that the server gave one of these reasons.
func said(reasons ...relaylens.Reason) []relaylens.Reason { return reasons }

// noRelay reports whether the server does not relay, or not without a login.
func noRelay(e *relaylens.Event) bool {
	return e.Kind == relaylens.KindRelayDenied || e.Reason == relaylens.ReasonAuthRequired
}

// rulesOf are those that are worth trying for an event with a reason.
var rulesOf = func() (list [256][]*rule) {
	for reason := range list {
		for i := range rules {
			if r := &rules[i]; r.reasons == nil || slices.Contains(r.reasons, relaylens.Reason(reason)) {
				list[reason] = append(list[reason], r)
			}
		}
	}
	return list
}()

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
