package classifier

import (
	"strings"

	"github.com/relaylens/relaylens"
)

// rule names a cause and the evidence that proves it.
type rule struct {
	cause relaylens.Cause
	// when reports whether the event alone proves the cause.
	when func(*relaylens.Event) bool
}

// rules are tried in order; the first whose evidence is there decides. What
// takes knowledge of other events is not here: such a refusal stays unknown.
var rules = []rule{
	// The remote server speaks.
	{relaylens.CauseRemoteRelayDenied, func(e *relaylens.Event) bool {
		return e.Direction == relaylens.Outbound && e.Kind == relaylens.KindRelayDenied
	}},
	{relaylens.CauseRemoteBlocklisted, func(e *relaylens.Event) bool {
		return e.Direction == relaylens.Outbound && e.Reason == relaylens.ReasonDNSBL
	}},

	// The server says which part of the login failed.
	{relaylens.CauseAuthMechanismUnsupported, reason(relaylens.ReasonMechanism)},
	{relaylens.CauseAuthMalformed, reason(relaylens.ReasonMalformed)},
	{relaylens.CauseAuthCancelled, reason(relaylens.ReasonCancelled)},
	{relaylens.CauseAuthBackendUnavailable, reason(relaylens.ReasonBackend)},
	{relaylens.CausePolicy, reason(relaylens.ReasonAuthPolicy)},

	// The sender's domain or its server speaks.
	{relaylens.CauseSenderDomainUnresolvable, reason(relaylens.ReasonDomainNotFound, relaylens.ReasonUnrouteable)},
	{relaylens.CauseSenderDomainDNSTempfail, reason(relaylens.ReasonDomainTempfail)},
	{relaylens.CauseSenderDomainNullMX, reason(relaylens.ReasonNullMX)},
	{relaylens.CauseCalloutUnknownUser, reason(relaylens.ReasonCalloutUnknownUser)},
	{relaylens.CauseCalloutDeferred, reason(relaylens.ReasonCalloutTempfail, relaylens.ReasonCalloutNoConnection)},
	{relaylens.CauseCalloutRelayDenied, func(e *relaylens.Event) bool {
		return e.Reason == relaylens.ReasonCalloutRefused && strings.Contains(strings.ToLower(e.Text), "relay")
	}},
	{relaylens.CauseCalloutBlocked, reason(relaylens.ReasonCalloutRefused)},

	// Refused although logged in: the restriction that refuses stands before the
	// one that would have permitted.
	{relaylens.CauseRestrictionOrder, func(e *relaylens.Event) bool {
		return e.Kind == relaylens.KindRelayDenied && e.User != ""
	}},
	{relaylens.CauseClientBlocklisted, reason(relaylens.ReasonDNSBL)},
	{relaylens.CausePolicy, func(e *relaylens.Event) bool {
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
