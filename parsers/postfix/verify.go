package postfix

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// senderRejected reads what follows "Sender address rejected: ".
//
// Source: smtpd/smtpd_check.c reject_unknown_mailhost, reject_unverified_address,
// reject_auth_sender_login_mismatch.
func (g *Grammar) senderRejected(why string, ev *relaylens.Event) {
	if reason, ok := senderReason(why); ok {
		ev.Kind, ev.Reason = reason.Kind(), reason
		return
	}
	if quoted, ok := cutUnverified(why); ok {
		ev.Kind = relaylens.KindSenderVerify
		ev.Reason = callout(quoted, ev)
		return
	}
	if user, ok := strings.CutPrefix(why, "not owned by user "); ok && user != "" {
		ev.Kind, ev.Reason = relaylens.KindRejected, relaylens.ReasonSenderLoginMismatch
		ev.User = user
		return
	}
	ev.Kind, ev.Reason = g.anyRejected(why, senderRule.reason)
}

// senderReason knows the texts about a sender that are whole in themselves.
func senderReason(why string) (relaylens.Reason, bool) {
	switch {
	case why == "Domain not found":
		return relaylens.ReasonDomainNotFound, true
	case nullMX(why):
		return relaylens.ReasonNullMX, true
	case why == "Malformed DNS server reply":
		return relaylens.ReasonDomainTempfail, true
	case why == "address verification problem":
		return relaylens.ReasonUnverified, true
	case why == "not logged in":
		return relaylens.ReasonSenderLoginMismatch, true
	}
	return relaylens.ReasonNone, false
}

func cutUnverified(why string) (quoted string, ok bool) {
	if quoted, ok = strings.CutPrefix(why, "unverified address: "); ok {
		return quoted, true
	}
	return strings.CutPrefix(why, "undeliverable address: ")
}

// callout reads what became of the attempt to reach the sender's own server. The
// text is cut at 250 bytes, and what a remote server said is its own words.
func callout(quoted string, ev *relaylens.Event) relaylens.Reason {
	if host, ok := strings.CutPrefix(quoted, "host "); ok {
		if rest, ok := cutHost(host, ev); ok {
			if reply, ok := strings.CutPrefix(rest, " said: "); ok {
				reply, _ = cutInReply(reply)
				return smtp.Callout(smtp.CutReply(reply))
			}
			if reply, ok := strings.CutPrefix(rest, " refused to talk to me: "); ok {
				if code, _, _ := smtp.CutReply(reply); code >= 400 && code < 500 {
					return relaylens.ReasonCalloutTempfail
				}
				return relaylens.ReasonCalloutRefused
			}
		}
		ev.RemoteHost = ""
		return relaylens.ReasonUnverified
	}
	for _, p := range [...]string{"connect to ", "lost connection with ", "conversation with "} {
		if host, ok := strings.CutPrefix(quoted, p); ok {
			if _, ok := cutHost(host, ev); !ok {
				ev.RemoteHost = ""
			}
			return relaylens.ReasonCalloutNoConnection
		}
	}
	return localFailure(quoted)
}

// localFailure reads the outcomes that involve no other server.
//
// Source: smtp/smtp_addr.c, smtp/smtp_connect.c; local/unknown.c, virtual/unknown.c,
// trivial-rewrite/resolve.c; global/verify_sender_addr.c.
func localFailure(quoted string) relaylens.Reason {
	switch {
	case strings.HasPrefix(quoted, "Address verification in progress"): // smtpd waited for the probe as long as it may
		return relaylens.ReasonCalloutTempfail
	case strings.HasPrefix(quoted, "Host or domain name not found. "):
		if strings.HasSuffix(quoted, "try again") {
			return relaylens.ReasonDomainTempfail
		}
		return relaylens.ReasonDomainNotFound
	case nullMX(quoted):
		return relaylens.ReasonNullMX
	case strings.HasPrefix(quoted, "unable to look up host "), strings.HasPrefix(quoted, "Malformed or unexpected name server reply"),
		strings.HasPrefix(quoted, "Malformed DNS server reply"):
		return relaylens.ReasonDomainTempfail
	case strings.HasPrefix(quoted, "mail for "):
		return relaylens.ReasonUnrouteable
	case strings.HasPrefix(quoted, "unknown user: "), strings.HasPrefix(quoted, "User unknown"): // the sender's own server is this one
		return relaylens.ReasonCalloutUnknownUser
	case strings.HasPrefix(quoted, "delivery temporarily suspended: "):
		return relaylens.ReasonCalloutTempfail
	}
	return relaylens.ReasonUnverified
}

// cutInReply removes "(in reply to RCPT TO command)" from the end of a remote
// server's answer and gives the command.
//
// Source: smtp/smtp_trouble.c, smtp/smtp_proto.c.
func cutInReply(reply string) (text, command string) {
	const mark = " (in reply to "
	i := strings.LastIndex(reply, mark)
	if i < 0 {
		return reply, ""
	}
	command = strings.TrimSuffix(reply[i+len(mark):], ")")
	return reply[:i], strings.TrimSuffix(command, " command")
}
