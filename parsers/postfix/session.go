package postfix

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// session reads the lines of smtpd that begin neither with an id nor with a
// severity.
//
// Source: smtpd/smtpd.c smtpd_service, smtpd_proto.
func (g *Grammar) session(pid int32, text string, rec *relaylens.Record) relaylens.Verdict {
	ev := &rec.Event
	if fact, ok := g.visit(pid, text, ev); fact != relaylens.FactNone {
		if !ok {
			return relaylens.Malformed
		}
		ev.Kind, rec.Fact = relaylens.KindConnection, fact
		return relaylens.Parsed
	}
	if strings.HasPrefix(text, "too many errors after ") {
		return tooManyErrors("", text, rec)
	}
	if strings.HasPrefix(text, bareLF) {
		return bareLineFeed(text, rec)
	}
	if rest, ok := strings.CutPrefix(text, "improper command pipelining after "); ok {
		return pipelining(rest, rec)
	}
	return relaylens.Ignored
}

// visit reads that a client came or left; FactNone is another line.
func (g *Grammar) visit(pid int32, text string, ev *relaylens.Event) (fact relaylens.Fact, ok bool) {
	if rest, ok := strings.CutPrefix(text, "connect from "); ok {
		rest, ok = g.client(pid, rest, ev)
		return relaylens.FactSession, ok && rest == ""
	}
	if rest, ok := strings.CutPrefix(text, "disconnect from "); ok {
		rest, ok = g.client(pid, rest, ev)
		ev.Text = strings.TrimPrefix(rest, " ")
		return relaylens.FactSessionEnd, ok
	}
	return relaylens.FactNone, false
}

// pipelining reads "{WHERE} from {client}: {commands}": the client did not wait
// for an answer. With smtpd_forbid_unauth_pipelining that answer is a refusal, of
// which nothing else tells but the counts of the session: they have a HELO or EHLO
// that failed, or no command at all. Other commands fail for other reasons as well.
//
// Source: smtpd/smtpd.c smtpd_flag_ill_pipelining, smtpd_proto.
func pipelining(rest string, rec *relaylens.Record) relaylens.Verdict {
	where, client, _ := strings.Cut(rest, " from ")
	if where != "EHLO" && where != "HELO" && where != "CONNECT" {
		return relaylens.Ignored
	}
	if _, ok := cutClient(client, &rec.Event); !ok {
		return relaylens.Malformed
	}
	stage, _ := stageOf(where)
	refuse(&rec.Event, stage, relaylens.ReasonProtocol, relaylens.Class5xx, "improper command pipelining")
	rec.Presumed = true
	return relaylens.Parsed
}

const bareLF = "bare <LF> received after "

// bareLineFeed reads "bare <LF> received after {WHERE}⟦ ({n} bytes)⟧ from
// {client}". In four releases that is all that tells of it; later ones write a
// reject line.
//
// Source: smtpd/smtpd.c smtpd_proto of Postfix 3.5.23, 3.6.13, 3.7.9 and 3.8.4.
func bareLineFeed(text string, rec *relaylens.Record) relaylens.Verdict {
	where, client, _ := strings.Cut(text[len(bareLF):], " from ")
	command, _, content := strings.Cut(where, " (")
	stage, known := stageOf(command)
	if content {
		stage = relaylens.StageEOD
	}
	if rest, ok := cutClient(client, &rec.Event); !ok || !known || rest != "" {
		return relaylens.Malformed
	}
	refuse(&rec.Event, stage, relaylens.ReasonProtocol, relaylens.Class5xx, "bare <LF> received")
	return relaylens.Parsed
}

// tooManyErrors reads the end of a session that passed smtpd_hard_error_limit;
// the client was answered 421.
func tooManyErrors(id, text string, rec *relaylens.Record) relaylens.Verdict {
	i := strings.LastIndex(text, " from ")
	if i < 0 {
		return relaylens.Malformed
	}
	rest, ok := cutClient(text[i+6:], &rec.Event)
	if !ok || rest != "" {
		return relaylens.Malformed
	}
	ev := &rec.Event
	ev.QueueID = id
	refuse(ev, relaylens.StageNone, relaylens.ReasonProtocol, relaylens.Class4xx, text[:i])
	return relaylens.Parsed
}

// abortedTLS reads "{client}: {why}": a client without a certificate that is
// trusted, where smtpd_tls_req_ccert asks for one, was answered 421.
//
// Source: smtpd/smtpd.c smtpd_start_tls.
func abortedTLS(rest string, rec *relaylens.Record) relaylens.Verdict {
	rest, ok := cutClient(rest, &rec.Event)
	why, found := strings.CutPrefix(rest, ": ")
	if !ok || !found {
		return relaylens.Malformed
	}
	refuse(&rec.Event, relaylens.StageHelo, relaylens.ReasonClientPolicy, relaylens.Class4xx, why)
	return relaylens.Parsed
}

// refuse sets what is common to the refusals that have no reject line.
func refuse(ev *relaylens.Event, stage relaylens.Stage, reason relaylens.Reason, class relaylens.Class, text string) {
	ev.Kind, ev.Direction = relaylens.KindRejected, relaylens.Inbound
	ev.Stage, ev.Reason, ev.Class, ev.Text = stage, reason, class, text
}

// limit is one of anvil's limits, or that there is no TLS: the line is all that tells of the refusal.
type limit struct {
	prefix string
	stage  relaylens.Stage
	reason relaylens.Reason
}

var limits = [...]limit{
	{"Connection rate limit exceeded: ", relaylens.StageConnect, relaylens.ReasonRateLimit},
	{"Connection concurrency limit exceeded: ", relaylens.StageConnect, relaylens.ReasonRateLimit},
	{"Message delivery request rate limit exceeded: ", relaylens.StageMail, relaylens.ReasonRateLimit},
	{"Recipient address rate limit exceeded: ", relaylens.StageRcpt, relaylens.ReasonRateLimit},
	{"New TLS session rate limit exceeded: ", relaylens.StageHelo, relaylens.ReasonRateLimit},
	{"AUTH command rate limit exceeded: ", relaylens.StageAuth, relaylens.ReasonRateLimit},
	{"Refusing STARTTLS request", relaylens.StageHelo, relaylens.ReasonRateLimit},
	{"Refusing TLS service request", relaylens.StageConnect, relaylens.ReasonRateLimit},
	{"Wrapper-mode request dropped", relaylens.StageConnect, relaylens.ReasonResources},
}

// warning reads what stands behind "warning: ".
func (g *Grammar) warning(d daemon, pid int32, rest string, rec *relaylens.Record) relaylens.Verdict {
	if rest == "" || !smtpdLine(d) {
		return otherWarning(d, rest, rec)
	}
	ev := &rec.Event
	if after, ok := g.client(pid, rest, ev); ok {
		if after, ok = strings.CutPrefix(after, ": SASL "); ok {
			return authFailure(after, rec)
		}
		*ev = relaylens.Event{}
		return relaylens.Ignored
	}
	if v := g.smtpdWarning(rest, rec); v != relaylens.Ignored {
		return v
	}
	return otherWarning(d, rest, rec)
}

// smtpdWarning reads the warnings that only smtpd writes.
func (g *Grammar) smtpdWarning(rest string, rec *relaylens.Record) relaylens.Verdict {
	switch rest[0] {
	case 'S':
		for _, p := range [...]string{"SASL authentication failure: ", "SASL authentication problem: "} {
			if why, ok := strings.CutPrefix(rest, p); ok {
				return saslDetail(why, rec)
			}
		}
	case 'I':
		if after, ok := strings.CutPrefix(rest, "Illegal address syntax from "); ok {
			return illegalAddress(after, rec)
		}
	case 'n':
		if after, ok := strings.CutPrefix(rest, "non-SMTP command from "); ok {
			after, ok = cutClient(after, &rec.Event)
			if !ok || !strings.HasPrefix(after, ": ") {
				return relaylens.Malformed
			}
			refuse(&rec.Event, relaylens.StageNone, relaylens.ReasonProtocol, relaylens.Class5xx, "non-SMTP command")
			return relaylens.Parsed
		}
	case 'p', 'c', 'l', 't':
		if v := g.proxyWarning(rest, rec); v != relaylens.Ignored {
			return v
		}
	case 'N':
		if rest == noQueue+": "+tooBig {
			refuse(&rec.Event, relaylens.StageEOD, relaylens.ReasonSize, relaylens.Class5xx, tooBig)
			rec.Fact = relaylens.FactDetail // of the proxy-reject that follows
			return relaylens.Parsed
		}
	case 'r', 'b':
		if strings.HasPrefix(rest, "reject: ETRN ") || strings.HasPrefix(rest, "bad ETRN ") {
			return badETRN(rest, rec)
		}
	}
	if v := badBDAT("", rest, rec); v != relaylens.Ignored {
		return v
	}
	return limited(rest, &rec.Event)
}

// limited reads "{limit} exceeded: {n} from {client} for service {S}". What
// comes before the client is Postfix's own.
func limited(rest string, ev *relaylens.Event) relaylens.Verdict {
	for i := range limits {
		if !strings.HasPrefix(rest, limits[i].prefix) {
			continue
		}
		_, client, ok := strings.Cut(rest, " from ")
		if !ok {
			return relaylens.Malformed
		}
		if _, ok = cutClient(client, ev); !ok {
			return relaylens.Malformed
		}
		refuse(ev, limits[i].stage, limits[i].reason, relaylens.Class4xx, strings.TrimSuffix(limits[i].prefix, ": "))
		if limits[i].reason == relaylens.ReasonResources {
			ev.RemoteHost = relaylens.Certificate
		}
		if ev.Stage == relaylens.StageAuth {
			ev.Kind, ev.Reason = relaylens.KindAuthFailed, relaylens.ReasonAuthPolicy
		}
		return relaylens.Parsed
	}
	return relaylens.Ignored
}

// illegalAddress reads "{client} in {MAIL∣RCPT∣VRFY} command: {argument}". There is
// no reject line; the client was answered 501.
//
// Source: smtpd/smtpd.c extract_addr.
func illegalAddress(rest string, rec *relaylens.Record) relaylens.Verdict {
	ev := &rec.Event
	rest, ok := cutClient(rest, ev)
	where, arg, found := strings.Cut(strings.TrimPrefix(rest, " in "), " command: ")
	if !ok || !found {
		return relaylens.Malformed
	}
	address := smtp.TrimPath(arg)
	switch where {
	case "MAIL":
		refuse(ev, relaylens.StageMail, relaylens.ReasonAddressSyntax, relaylens.Class5xx, "Illegal address syntax")
		ev.Sender = address
	case "RCPT":
		refuse(ev, relaylens.StageRcpt, relaylens.ReasonAddressSyntax, relaylens.Class5xx, "Illegal address syntax")
		ev.Recipient = address
	case "VRFY":
		refuse(ev, relaylens.StageVrfy, relaylens.ReasonAddressSyntax, relaylens.Class5xx, "Illegal address syntax")
		ev.Recipient = address
	default:
		return relaylens.Malformed
	}
	return relaylens.Parsed
}

// badETRN reads lines whose client comes last, behind the client's words. The
// answer is 459 where fast_flush_domains forbids it, else 458.
//
// Source: smtpd/smtpd.c etrn_cmd.
func badETRN(rest string, rec *relaylens.Record) relaylens.Verdict {
	i := strings.LastIndex(rest, " from ")
	if i < 0 {
		return relaylens.Malformed
	}
	if after, ok := cutClient(rest[i+6:], &rec.Event); !ok || after != "" {
		return relaylens.Malformed
	}
	refuse(&rec.Event, relaylens.StageEtrn, relaylens.ReasonProtocol, relaylens.Class4xx, "ETRN")
	return relaylens.Parsed
}

// badBDAT reads the refusals of smtpd/smtpd.c bdat_cmd that have no reject line.
func badBDAT(id, rest string, rec *relaylens.Record) relaylens.Verdict {
	reason := relaylens.ReasonProtocol
	for _, p := range [...]string{"malformed BDAT command syntax from ", "null BDAT request from ", "BDAT request from ", "too much BDAT content from "} {
		if after, ok := strings.CutPrefix(rest, p); ok {
			if _, ok = cutClient(after, &rec.Event); !ok {
				return relaylens.Malformed
			}
			if p[0] == 'B' || p[0] == 't' {
				reason = relaylens.ReasonSize
			}
			rec.Event.QueueID = id
			refuse(&rec.Event, relaylens.StageData, reason, relaylens.Class5xx, strings.TrimSuffix(p, " from "))
			return relaylens.Parsed
		}
	}
	return relaylens.Ignored
}
