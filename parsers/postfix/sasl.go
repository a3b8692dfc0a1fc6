package postfix

import (
	"strings"

	"github.com/relaylens/relaylens"
)

// authFailure reads a failed or aborted AUTH command behind "warning: ". The
// line has no fields in front of the client; mechanism and login behind it are
// what the client sent.
//
// Source: smtpd/smtpd_sasl_glue.c smtpd_sasl_authenticate.
func authFailure(rest string, rec *relaylens.Record) relaylens.Verdict {
	ev := &rec.Event
	ev.Kind, ev.Direction, ev.Stage = relaylens.KindAuthFailed, relaylens.Inbound, relaylens.StageAuth
	n := methodLen(rest)
	why, known := strings.CutPrefix(rest[n:], " authentication ")
	switch {
	case known && n > 0 && n <= 20 && why == "aborted":
		ev.AuthMethod = rest[:n]
		ev.Reason, ev.Class, ev.Text = relaylens.ReasonCancelled, relaylens.Class5xx, "authentication aborted"
		return relaylens.Parsed
	case known && n > 0 && n <= 20 && strings.HasPrefix(why, "failed:"):
		ev.AuthMethod = rest[:n]
		why = strings.TrimPrefix(why[len("failed:"):], " ")
	case strings.Contains(rest, " authentication failed") || strings.HasSuffix(rest, " authentication aborted"):
		// The mechanism is not one: the rest of the line may be the client's.
		rec.Tainted = true
		ev.Reason, ev.Class = relaylens.ReasonMechanism, relaylens.Class5xx
		return relaylens.Parsed
	default:
		return relaylens.Malformed
	}
	reason, user, _ := strings.Cut(why, ", sasl_username=")
	if user != "(unavailable)" {
		ev.User = user
	}
	ev.Text = reason
	ev.Reason, ev.Class = authReason(reason)
	rec.Explained = true
	return relaylens.Parsed
}

// authReason reads what the SASL library said. Before 2022 the line ends with
// the server's last challenge instead, in base64: a prompt, not an answer.
//
// Source: xsasl/xsasl_dovecot_server.c, xsasl/xsasl_cyrus_server.c; Cyrus SASL
// lib/common.c sasl_errstring.
func authReason(why string) (relaylens.Reason, relaylens.Class) {
	switch why {
	case "generic failure", "remote authentication server unavailable", "out of memory", "internal error",
		"Connection lost to authentication server", "Can't connect to authentication server", "Authentication backend error",
		"Temporary authentication failure", "transient failure (e.g., weak key)", "system error":
		return relaylens.ReasonBackend, relaylens.Class4xx
	case "no mechanism available", "mechanism too weak for this user", "encryption needed to use mechanism":
		return relaylens.ReasonMechanism, relaylens.Class5xx
	case "bad protocol / cancel", "another step is needed in authentication", "invalid parameter supplied", "Malformed authentication response", "integrity check failed":
		return relaylens.ReasonMalformed, relaylens.Class5xx
	case "authorization failure", "account disabled", "user account has expired", "passphrase expired, must be reset", "passphrase expired", "user not allowed":
		return relaylens.ReasonAuthPolicy, relaylens.Class5xx
	}
	switch {
	case strings.HasPrefix(why, "Invalid authentication mechanism"):
		return relaylens.ReasonMechanism, relaylens.Class5xx
	case strings.HasPrefix(why, "Invalid base64 data"):
		return relaylens.ReasonMalformed, relaylens.Class5xx
	case strings.HasPrefix(why, "one time use of a plaintext password"), strings.Contains(why, "disabled"), strings.Contains(why, "expired"):
		return relaylens.ReasonAuthPolicy, relaylens.Class5xx
	case strings.HasPrefix(why, "Temporary "), strings.HasPrefix(why, "Internal "):
		return relaylens.ReasonBackend, relaylens.Class4xx
	}
	return relaylens.ReasonCredentials, relaylens.Class5xx
}

// saslDetail reads what Cyrus SASL logs by itself, without a client, before the
// failure of the same process: "SASL authentication failure: …".
func saslDetail(why string, rec *relaylens.Record) relaylens.Verdict {
	rec.Fact = relaylens.FactDetail
	ev := &rec.Event
	ev.Text = why
	if reason := detailReason(why); reason != relaylens.ReasonNone {
		ev.Kind, ev.Direction, ev.Stage, ev.Reason = relaylens.KindAuthFailed, relaylens.Inbound, relaylens.StageAuth, reason
	}
	return relaylens.Parsed
}

// details are what Cyrus SASL says of a failure, by what the client did wrong or
// what the server lacks. All else, as "Password verification failed", which follows
// whatever the reason was, leaves it to the failure's own line.
//
// Source: Cyrus SASL lib/checkpw.c, lib/canonusr.c, lib/server.c, plugins/*.c.
var details = [...]struct {
	prefix string
	reason relaylens.Reason
}{
	{"no secret in database", relaylens.ReasonCredentials},
	{"incorrect digest response", relaylens.ReasonCredentials},
	{"user not found", relaylens.ReasonCredentials},
	{"no user in db", relaylens.ReasonCredentials},
	{"client response doesn't match what we generated", relaylens.ReasonCredentials},
	{"StoredKey mismatch", relaylens.ReasonCredentials},
	{"Requested identity not authenticated identity", relaylens.ReasonAuthPolicy},
	{"All-whitespace username", relaylens.ReasonMalformed},
	{"Can only find author", relaylens.ReasonMalformed},
	{"Got more data than we were expecting", relaylens.ReasonMalformed},
	{"Couldn't find mech ", relaylens.ReasonMechanism},
	{"cannot connect to ", relaylens.ReasonBackend},
	{"cannot create socket", relaylens.ReasonBackend},
	{"unable to open Berkeley db ", relaylens.ReasonBackend},
	{"could not find auxprop plugin", relaylens.ReasonBackend},
}

// backendWords are in the texts of the services that Cyrus SASL asks, and in no
// other.
var backendWords = [...]string{"saslauthd", "authdaemon", "sasldb", "Berkeley db", "sql", "ldap", "LDAP", "unable to open", "No such file", "refused"}

func detailReason(why string) relaylens.Reason {
	for i := range details {
		if strings.HasPrefix(why, details[i].prefix) {
			return details[i].reason
		}
	}
	for _, word := range backendWords {
		if strings.Contains(why, word) {
			return relaylens.ReasonBackend
		}
	}
	return relaylens.ReasonNone
}

// fatal reads what ends a process. The session ends with it, and no disconnect
// line follows.
//
// Source: smtpd/smtpd_sasl_glue.c smtpd_sasl_activate, smtpd_sasl_initialize.
func fatal(d daemon, program, why string, rec *relaylens.Record) relaylens.Verdict {
	ev := &rec.Event
	if !smtpdLine(d) {
		if v := backend(why, rec); v != relaylens.Ignored {
			return v
		}
		return died(program, why, rec)
	}
	switch {
	case why == "no SASL authentication mechanisms", why == "SASL per-connection initialization failed",
		strings.HasPrefix(why, "smtpd_sasl_mechanism_filter discards all mechanisms"):
		ev.Kind, ev.Reason, ev.Class = relaylens.KindAuthFailed, relaylens.ReasonBackend, relaylens.Class4xx
		ev.Direction, ev.Stage, ev.Text = relaylens.Inbound, relaylens.StageAuth, why
	case why == "SASL per-process initialization failed":
		ev.Kind, ev.Text = relaylens.KindBackendError, why
	default:
		if backend(why, rec) == relaylens.Ignored && died(program, why, rec) == relaylens.Ignored && d == daemonAny {
			return relaylens.Ignored
		}
	}
	rec.Fact = relaylens.FactSessionEnd
	return relaylens.Parsed
}
