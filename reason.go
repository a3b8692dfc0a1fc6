package relaylens

// Reason is what the server said, narrower than the [Kind]. Each reason belongs
// to exactly one kind; a relay denial needs none, its kind says it all.
type Reason uint8

const (
	ReasonNone Reason = iota

	// Of KindSenderVerify.

	ReasonDomainNotFound      // the sender's domain does not exist
	ReasonDomainTempfail      // DNS gave no answer for it
	ReasonNullMX              // RFC 7505: the domain takes no mail
	ReasonUnrouteable         // no route to the sender's domain, for another reason
	ReasonCalloutRefused      // the sender's server refused our callout, not the user
	ReasonCalloutUnknownUser  // the sender's server does not know the sender
	ReasonCalloutTempfail     // the sender's server answered 4xx
	ReasonCalloutNoConnection // the sender's server could not be reached
	ReasonCalloutCached       // an earlier callout's result, whose text is not repeated
	ReasonUnverified          // the log does not say why

	// Of KindAuthFailed.

	ReasonCredentials
	ReasonBackend
	ReasonMechanism
	ReasonMalformed
	ReasonCancelled
	ReasonAuthPolicy

	// Of KindRejected.

	ReasonDNSBL
	ReasonUnknownRecipient
	ReasonUnknownDomain
	ReasonHelo
	ReasonClientPolicy
	ReasonSenderPolicy
	ReasonRecipientPolicy
	ReasonSenderLoginMismatch
	ReasonRateLimit
	ReasonGreylist
	ReasonContent
	ReasonMilter
	ReasonPolicyService
	ReasonSize
	ReasonQuota
	ReasonProtocol
	ReasonAddressSyntax
	ReasonTLSRequired
	ReasonAuthRequired
	ReasonResources
	ReasonRemoteOther
	ReasonOther
)

var reasons = enum[Reason]{"reason", []string{"",
	"domain_not_found", "domain_tempfail", "null_mx", "unrouteable", "callout_refused",
	"callout_unknown_user", "callout_tempfail", "callout_no_connection", "callout_cached", "unverified",
	"credentials", "backend", "mechanism", "malformed", "cancelled", "policy",
	"dnsbl", "unknown_recipient", "unknown_domain", "helo", "client_policy", "sender_policy",
	"recipient_policy", "sender_login_mismatch", "rate_limit", "greylist", "content", "milter",
	"policy_service", "size", "quota", "protocol", "address_syntax", "tls_required", "auth_required",
	"resources", "remote_other", "other"}}

// Reasons lists every reason.
func Reasons() []Reason { return reasons.all() }

// ParseReason is the inverse of String.
func ParseReason(s string) (Reason, error) { return reasons.parse(s) }

// Kind is the one kind that r belongs to; KindNone for ReasonNone.
func (r Reason) Kind() Kind {
	switch {
	case r == ReasonNone || int(r) >= len(reasons.names):
		return KindNone
	case r <= ReasonUnverified:
		return KindSenderVerify
	case r <= ReasonAuthPolicy:
		return KindAuthFailed
	default:
		return KindRejected
	}
}

// Reasons lists the reasons that events of kind k can have. It is never empty
// for a refusal: a relay denial has the single reason ReasonNone.
func (k Kind) Reasons() []Reason {
	if k == KindRelayDenied {
		return []Reason{ReasonNone}
	}
	var rs []Reason
	for _, r := range Reasons() {
		if r.Kind() == k {
			rs = append(rs, r)
		}
	}
	return rs
}

// AnyReason is the one among the reasons of kind k that claims least.
func (k Kind) AnyReason() Reason {
	switch k {
	case KindSenderVerify:
		return ReasonUnverified
	case KindAuthFailed:
		return ReasonCredentials
	case KindRejected:
		return ReasonOther
	}
	return ReasonNone
}

func (r Reason) String() string { return reasons.name(r) }

// MarshalText implements [encoding.TextMarshaler].
func (r Reason) MarshalText() ([]byte, error) { return reasons.text(r) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (r *Reason) UnmarshalText(b []byte) (err error) { *r, err = reasons.parse(string(b)); return err }
