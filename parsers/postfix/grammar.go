package postfix

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// Grammar reads Postfix lines. It is safe for concurrent use.
type Grammar struct {
	texts  relaylens.Texts
	recent *recent // nil where several goroutines may read
	said   *smtp.Meanings
}

// New is a grammar that knows a site's own texts for relay denials and sender
// verification beside those of Postfix. They are looked for in what the server
// says, never in what the client sent.
func New(texts relaylens.Texts) *Grammar { return &Grammar{texts: texts} }

// MTA is [relaylens.Postfix].
func (g *Grammar) MTA() relaylens.MTA { return relaylens.Postfix }

// daemon says which program of Postfix wrote a line.
type daemon uint8

const (
	daemonOther daemon = iota // writes nothing but warnings that matter here
	daemonAny                 // the tag was cut and does not tell: the text alone decides
	daemonSMTPD
	daemonCleanup
	daemonDelivery // smtp, lmtp, local, virtual, pipe, error, discard
	daemonQueue    // qmgr, pickup, bounce, postsuper
	daemonPostscreen
	daemonMaster
	daemonForeign // not of Postfix
)

// tagCut is where rsyslog's templates for forwarding cut a tag. When the process
// id is gone as well, the program's name may have lost its end: "smtp" of "smtpd".
const tagCut = 32

// Source: global/mail_task.c. The first component is syslog_name, which a
// site may choose, the last one the program.
func daemonOf(program string) daemon {
	name, usual := strings.CutPrefix(program, "postfix/")
	if slash := strings.LastIndexByte(name, '/'); slash >= 0 {
		name = name[slash+1:]
	} else if !usual {
		return daemonAny
	}
	switch name {
	case "smtpd", "qmqpd":
		return daemonSMTPD
	case "smtp", "lmtp", "local", "virtual", "pipe", "error", "retry", "discard", "relay":
		return daemonDelivery
	case "qmgr", "oqmgr", "nqmgr", "pickup", "bounce", "defer", "trace", "postsuper":
		return daemonQueue
	case "cleanup":
		return daemonCleanup
	case "postscreen":
		return daemonPostscreen
	case "master":
		return daemonMaster
	case "trivial-rewrite", "proxymap", "proxywrite", "verify", "scache", "proxy", "sendmail", "postdrop", "spawn", "tlsmgr", "tlsproxy", "anvil", "flush", "showq", "dnsblog", "postmap", "postalias":
		return daemonOther
	}
	return daemonForeign
}

// Service is the program without the instance's syslog_name:
// "submission/smtpd" of "postfix/submission/smtpd".
func Service(program string) string {
	if i := strings.IndexByte(program, '/'); i >= 0 {
		return program[i+1:]
	}
	return program
}

// Parse implements [relaylens.Grammar].
func (g *Grammar) Parse(env *relaylens.Envelope, rec *relaylens.Record) relaylens.Verdict {
	return g.read(daemonOf(env.Program), Service(env.Program), env, rec)
}

func (g *Grammar) read(d daemon, service string, env *relaylens.Envelope, rec *relaylens.Record) relaylens.Verdict {
	if env.PID == 0 && len(env.Program) == tagCut {
		d = daemonAny
	}
	if d == daemonForeign || env.Native || env.Continuation || len(env.Text) < 8 {
		return relaylens.Ignored
	}
	if len(env.Text) > maxRecord {
		whole := *env
		whole.Text = whole.Text[:maxRecord]
		env = &whole
	}
	verdict := g.parse(d, env, rec)
	switch verdict {
	case relaylens.Parsed:
		rec.Event.Service = service
	case relaylens.Malformed:
		*rec = relaylens.Record{}
	case relaylens.Ignored:
	}
	return verdict
}

func (g *Grammar) parse(d daemon, env *relaylens.Envelope, rec *relaylens.Record) relaylens.Verdict {
	text := env.Text
	switch text[0] {
	case 'a':
		if d == daemonOther && strings.HasPrefix(text, "addr ") {
			return listsAll(env.Program, text[len("addr "):], rec)
		}
	case 'w':
		if rest, ok := strings.CutPrefix(text, "warning: "); ok {
			return g.warning(d, env.PID, rest, rec)
		}
	case 'f':
		if rest, ok := strings.CutPrefix(text, "fatal: "); ok {
			return fatal(d, env.Program, rest, rec)
		}
	case 'e':
		if rest, ok := strings.CutPrefix(text, "error: "); ok {
			return backend(rest, rec)
		}
	case 'p':
		if rest, ok := strings.CutPrefix(text, "panic: "); ok {
			return died(env.Program, rest, rec)
		}
		if rest, ok := strings.CutPrefix(text, "proxy-reject: "); ok && smtpdLine(d) {
			return g.proxyReject("", rest, rec)
		}
		if rest, ok := strings.CutPrefix(text, "proxy-accept: "); ok && smtpdLine(d) {
			return proxyAccept(rest, rec)
		}
	}
	if id, rest, ok := cutID(text); ok {
		if id == noQueue {
			id = ""
		}
		return g.withID(d, env, id, rest, rec)
	}
	if smtpdLine(d) {
		if v := g.session(env.PID, text, rec); v != relaylens.Ignored || d == daemonSMTPD {
			return v
		}
	}
	if d == daemonPostscreen || d == daemonAny {
		return postscreenLine(text, rec)
	}
	return relaylens.Ignored
}

// withID reads the lines that begin with a queue id or NOQUEUE.
func (g *Grammar) withID(d daemon, env *relaylens.Envelope, id, rest string, rec *relaylens.Record) relaylens.Verdict {
	switch d {
	case daemonSMTPD, daemonPostscreen:
		return g.smtpdWithID(d, env, id, rest, rec)
	case daemonCleanup:
		return g.cleanup(id, rest, rec)
	case daemonDelivery:
		return delivery(id, rest, rec)
	case daemonQueue:
		return queue(id, rest, rec)
	case daemonAny:
		return g.anyWithID(env, id, rest, rec)
	default:
		return relaylens.Ignored
	}
}

func (g *Grammar) smtpdWithID(d daemon, env *relaylens.Envelope, id, rest string, rec *relaylens.Record) relaylens.Verdict {
	if client, ok := strings.CutPrefix(rest, "client="); ok {
		return g.birth(env.PID, id, client, rec)
	}
	if action, known, tail := cutAction(rest); known {
		return g.reject(d, env, id, action, tail, rec)
	}
	if tail, ok := strings.CutPrefix(rest, "proxy-reject: "); ok {
		return g.proxyReject(id, tail, rec)
	}
	if strings.HasPrefix(rest, "too many errors after ") {
		return tooManyErrors(id, rest, rec)
	}
	if client, ok := strings.CutPrefix(rest, "abort: TLS from "); ok {
		return abortedTLS(client, rec)
	}
	return relaylens.Ignored
}

// anyWithID reads a line whose program is not known. The forms of the programs
// do not overlap, save for the milter rejections of smtpd and cleanup, which
// differ by the reply code.
func (g *Grammar) anyWithID(env *relaylens.Envelope, id, rest string, rec *relaylens.Record) relaylens.Verdict {
	if v := g.smtpdWithID(daemonAny, env, id, rest, rec); v != relaylens.Ignored {
		return v
	}
	if v := delivery(id, rest, rec); v != relaylens.Ignored {
		return v
	}
	if v := queue(id, rest, rec); v != relaylens.Ignored {
		return v
	}
	return g.cleanup(id, rest, rec)
}

// smtpdLine reports whether d may be smtpd.
func smtpdLine(d daemon) bool { return d == daemonSMTPD || d == daemonAny }
