package relaylens

import (
	"fmt"
	"testing"
)

// The words are a contract: stores, machines of a fleet and whoever asks know them.
func TestWords(t *testing.T) {
	for value, want := range map[fmt.Stringer]string{
		KindRelayDenied: "relay_denied", KindSenderVerify: "sender_verify", KindAuthFailed: "auth_failed", KindRejected: "rejected",
		KindAccepted: "accepted", KindDelivered: "delivered", KindAuthOK: "auth_ok", KindBackendError: "backend_error", KindConnection: "connection",

		Inbound: "inbound", Outbound: "outbound",
		ActionRefuse: "refuse", ActionWarn: "warn", ActionHold: "hold", ActionDiscard: "discard",
		Class4xx: "4xx", Class5xx: "5xx",
		Postfix: "postfix", Exim: "exim", Sendmail: "sendmail",
		FaultServer: "server", FaultClient: "client", FaultRemote: "remote", FaultAttacker: "attacker",
		SeverityWarning: "warning", SeverityCritical: "critical",
		StatusOpen: "open", StatusResolved: "resolved",
		PositionOpen: "open", PositionEnded: "ended", PositionSkipped: "skipped",

		StageConnect: "connect", StageHelo: "helo", StageAuth: "auth", StageMail: "mail", StageRcpt: "rcpt",
		StageData: "data", StageEOD: "eod", StageEtrn: "etrn", StageVrfy: "vrfy",

		ReasonDomainNotFound: "domain_not_found", ReasonDomainTempfail: "domain_tempfail", ReasonNullMX: "null_mx", ReasonUnrouteable: "unrouteable",
		ReasonCalloutRefused: "callout_refused", ReasonCalloutUnknownUser: "callout_unknown_user", ReasonCalloutTempfail: "callout_tempfail",
		ReasonCalloutNoConnection: "callout_no_connection", ReasonCalloutCached: "callout_cached", ReasonUnverified: "unverified",
		ReasonCredentials: "credentials", ReasonBackend: "backend", ReasonMechanism: "mechanism", ReasonMalformed: "malformed",
		ReasonCancelled: "cancelled", ReasonAuthPolicy: "policy",
		ReasonDNSBL: "dnsbl", ReasonUnknownRecipient: "unknown_recipient", ReasonUnknownDomain: "unknown_domain", ReasonHelo: "helo",
		ReasonClientPolicy: "client_policy", ReasonSenderPolicy: "sender_policy", ReasonRecipientPolicy: "recipient_policy",
		ReasonSenderLoginMismatch: "sender_login_mismatch", ReasonRateLimit: "rate_limit", ReasonGreylist: "greylist", ReasonContent: "content",
		ReasonMilter: "milter", ReasonPolicyService: "policy_service", ReasonSize: "size", ReasonQuota: "quota", ReasonProtocol: "protocol",
		ReasonAddressSyntax: "address_syntax", ReasonTLSRequired: "tls_required", ReasonAuthRequired: "auth_required",
		ReasonResources: "resources", ReasonRemoteOther: "remote_other", ReasonOther: "other",

		CauseOpenRelayProbe: "open_relay_probe", CauseClientNotAuthenticated: "client_not_authenticated",
		CauseClientNotInMynetworks: "client_not_in_mynetworks", CauseRecipientDomainNotConfigured: "recipient_domain_not_configured",
		CauseRestrictionOrder: "restriction_order", CauseAuthNotOffered: "auth_not_offered", CauseAuthBackendUnavailable: "auth_backend_unavailable",
		CauseAddressChanged: "address_changed", CauseCredentialGuessing: "credential_guessing", CauseStalePassword: "stale_password",
		CauseAuthMechanismUnsupported: "auth_mechanism_unsupported", CauseAuthMalformed: "auth_malformed", CauseAuthCancelled: "auth_cancelled",
		CauseRemoteRelayDenied: "remote_relay_denied", CauseRemoteBlocklisted: "remote_blocklisted",
		CauseCalloutRelayDenied: "callout_relay_denied", CauseCalloutUnknownUser: "callout_unknown_user",
		CauseCalloutBlocked: "callout_blocked", CauseCalloutDeferred: "callout_deferred",
		CauseSenderDomainUnresolvable: "sender_domain_unresolvable", CauseSenderDomainDNSTempfail: "sender_domain_dns_tempfail",
		CauseSenderDomainNullMX: "sender_domain_null_mx", CauseClientBlocklisted: "client_blocklisted", CausePolicy: "policy", CauseUnknown: "unknown",
	} {
		if got := value.String(); got != want {
			t.Errorf("%T %d is %q, want %q", value, value, got, want)
		}
	}
}
