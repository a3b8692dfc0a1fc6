package relaylens

// Cause is why a refusal happened. Only the classifier sets it.
type Cause uint8

const (
	CauseNone                         Cause = iota // not classified, or not a refusal
	CauseOpenRelayProbe                            // a stranger tried foreign sender to foreign recipient
	CauseClientNotAuthenticated                    // one of ours forgot to log in
	CauseClientNotInMynetworks                     // an internal application server is not allowed to relay
	CauseRecipientDomainNotConfigured              // our server does not know a domain whose MX it is
	CauseRestrictionOrder                          // refused although logged in
	CauseAuthNotOffered                            // the client must log in where no login is on offer
	CauseAuthBackendUnavailable                    // no login can succeed: the auth daemon or its database is down
	CauseAddressChanged                            // accepted from other addresses until recently
	CauseCredentialGuessing                        // somebody guesses passwords
	CauseStalePassword                             // a known user's device repeats an old password
	CauseAuthMechanismUnsupported
	CauseAuthMalformed
	CauseAuthCancelled
	CauseRemoteRelayDenied // the next hop does not take mail for that domain
	CauseRemoteBlocklisted // the remote names a blocklist or our reputation
	CauseCalloutRelayDenied
	CauseCalloutUnknownUser
	CauseCalloutBlocked
	CauseCalloutDeferred
	CauseSenderDomainUnresolvable
	CauseSenderDomainDNSTempfail
	CauseSenderDomainNullMX
	CauseClientBlocklisted // our DNSBL refused the client
	CausePolicy            // any other refusal by rule; the Reason says which
	CauseUnknown           // too little evidence
)

var causes = enum[Cause]{"cause", []string{
	"", "open_relay_probe", "client_not_authenticated", "client_not_in_mynetworks",
	"recipient_domain_not_configured", "restriction_order", "auth_not_offered",
	"auth_backend_unavailable", "address_changed", "credential_guessing", "stale_password",
	"auth_mechanism_unsupported", "auth_malformed", "auth_cancelled", "remote_relay_denied",
	"remote_blocklisted", "callout_relay_denied", "callout_unknown_user", "callout_blocked",
	"callout_deferred", "sender_domain_unresolvable", "sender_domain_dns_tempfail",
	"sender_domain_null_mx", "client_blocklisted", "policy", "unknown",
}}

// Causes lists every cause.
func Causes() []Cause { return causes.all() }

// ParseCause is the inverse of String.
func ParseCause(s string) (Cause, error) { return causes.parse(s) }

func (c Cause) String() string { return causes.name(c) }

// MarshalText implements [encoding.TextMarshaler].
func (c Cause) MarshalText() ([]byte, error) { return causes.text(c) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (c *Cause) UnmarshalText(b []byte) (err error) { *c, err = causes.parse(string(b)); return err }

// Fault says whose doing a cause is: who has to change something.
func (c Cause) Fault() Fault {
	if int(c) < len(causeFaults) {
		return causeFaults[c]
	}
	return FaultNone
}

// causeFaults says who has to act. Sender domains that
// do not resolve are the client's fault until every domain fails at once; that
// is for a finding to say, not for the list.
var causeFaults = [...]Fault{
	CauseOpenRelayProbe:               FaultAttacker,
	CauseClientNotAuthenticated:       FaultClient,
	CauseClientNotInMynetworks:        FaultServer,
	CauseRecipientDomainNotConfigured: FaultServer,
	CauseRestrictionOrder:             FaultServer,
	CauseAuthNotOffered:               FaultServer,
	CauseAuthBackendUnavailable:       FaultServer,
	CauseAddressChanged:               FaultClient,
	CauseCredentialGuessing:           FaultAttacker,
	CauseStalePassword:                FaultClient,
	CauseAuthMechanismUnsupported:     FaultClient,
	CauseAuthMalformed:                FaultClient,
	CauseAuthCancelled:                FaultClient,
	CauseRemoteRelayDenied:            FaultRemote,
	CauseRemoteBlocklisted:            FaultServer,
	CauseCalloutRelayDenied:           FaultRemote,
	CauseCalloutUnknownUser:           FaultRemote,
	CauseCalloutBlocked:               FaultRemote,
	CauseCalloutDeferred:              FaultRemote,
	CauseSenderDomainUnresolvable:     FaultClient,
	CauseSenderDomainDNSTempfail:      FaultClient,
	CauseSenderDomainNullMX:           FaultClient,
	CauseClientBlocklisted:            FaultClient,
	CausePolicy:                       FaultNone,
	CauseUnknown:                      FaultNone,
}
