package relaylens

// Cause is why a refusal happened. Only the classifier sets it.
type Cause uint8

const (
	CauseNone                    Cause = iota // not classified, or not a refusal
	OpenRelayProbe                            // a stranger tried foreign sender to foreign recipient
	ClientNotAuthenticated                    // one of ours forgot to log in
	ClientNotInMynetworks                     // an internal application server is not allowed to relay
	RecipientDomainNotConfigured              // our server does not know a domain whose MX it is
	RestrictionOrder                          // refused although logged in
	AuthNotOffered                            // the client must log in where no login is on offer
	AuthBackendUnavailable                    // no login can succeed: the auth daemon or its database is down
	AddressChanged                            // accepted from other addresses until recently
	CredentialGuessing                        // somebody guesses passwords
	StalePassword                             // a known user's device repeats an old password
	AuthMechanismUnsupported
	AuthMalformed
	AuthCancelled
	RemoteRelayDenied // the next hop does not take mail for that domain
	RemoteBlocklisted // the remote names a blocklist or our reputation
	CalloutRelayDenied
	CalloutUnknownUser
	CalloutBlocked
	CalloutDeferred
	SenderDomainUnresolvable
	SenderDomainDNSTempfail
	SenderDomainNullMX
	ClientBlocklisted // our DNSBL refused the client
	Policy            // any other refusal by rule; the Reason says which
	Unknown           // too little evidence
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

// causeFaults follows the table of causes in docs/causes.md. Sender domains that
// do not resolve are the client's fault until every domain fails at once; that
// is for a finding to say, not for the list.
var causeFaults = [...]Fault{
	OpenRelayProbe:               FaultAttacker,
	ClientNotAuthenticated:       FaultClient,
	ClientNotInMynetworks:        FaultServer,
	RecipientDomainNotConfigured: FaultServer,
	RestrictionOrder:             FaultServer,
	AuthNotOffered:               FaultServer,
	AuthBackendUnavailable:       FaultServer,
	AddressChanged:               FaultClient,
	CredentialGuessing:           FaultAttacker,
	StalePassword:                FaultClient,
	AuthMechanismUnsupported:     FaultClient,
	AuthMalformed:                FaultClient,
	AuthCancelled:                FaultClient,
	RemoteRelayDenied:            FaultRemote,
	RemoteBlocklisted:            FaultServer,
	CalloutRelayDenied:           FaultRemote,
	CalloutUnknownUser:           FaultRemote,
	CalloutBlocked:               FaultRemote,
	CalloutDeferred:              FaultRemote,
	SenderDomainUnresolvable:     FaultClient,
	SenderDomainDNSTempfail:      FaultClient,
	SenderDomainNullMX:           FaultClient,
	ClientBlocklisted:            FaultClient,
	Policy:                       FaultNone,
	Unknown:                      FaultNone,
}
