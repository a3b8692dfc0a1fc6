package sendmail

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// pregreet reads what follows "rejecting ": "commands from {host} [{ip}] due to
// pre-greeting traffic after {n} seconds", "server EHLO from {host} [{ip}] due to
// traffic before response".
func pregreet(id, s string, rec *relaylens.Record) relaylens.Verdict {
	if id == "" && strings.HasPrefix(s, "connections on daemon ") {
		return ownFault(relaylens.Capacity, rejecting+s, rec)
	}
	if id == "" && strings.HasPrefix(s, "new messages: min free: ") {
		return ownFault(relaylens.Disk, rejecting+s, rec)
	}
	command, value, ok := strings.Cut(s, " from ")
	if !ok {
		return relaylens.Ignored
	}
	name, _, ok := cutLast(value, " due to pre-greeting traffic after ")
	if !ok {
		if name, ok = strings.CutSuffix(value, " due to traffic before response"); !ok {
			return relaylens.Malformed
		}
	}
	client, ok := parseRelay(unescape(name))
	if !ok {
		return relaylens.Malformed
	}
	e := &rec.Event
	e.Kind, e.Reason, e.Class = relaylens.KindRejected, relaylens.ReasonProtocol, relaylens.Class5xx
	e.Direction, e.Stage = relaylens.Inbound, stageOf(command)
	e.Text = value[len(name)+1:]
	e.ClientIP = client.ip // the name is as the DNS has it: whether it maps back is not told here
	return relaylens.Parsed
}

// lowOnSpace reads "low on space ({host} needs {n} bytes + {n} blocks in {directory}), max
// avail: {n}", which is about a MAIL command that gets 452, which is not logged, or else
// about the daemon, which looks for itself. It comes twice. queue.c, pickqdir; srvrsmtp.c
func lowOnSpace(text string, rec *relaylens.Record) relaylens.Verdict {
	name, _, ok := cutLast(text[len("low on space ("):], " needs ")
	switch {
	case !ok:
		return relaylens.Malformed
	case name == "SMTP-DAEMON":
		return relaylens.Ignored
	}
	e := &rec.Event
	if client, ok := parseRelay(unescape(name)); ok {
		e.ClientIP = client.ip // else the name is all that is told, and not whether it maps back
	}
	e.Kind, e.Reason, e.Direction, e.Stage = relaylens.KindRejected, relaylens.ReasonResources, relaylens.Inbound, relaylens.StageMail
	e.Class, e.Text, e.RemoteHost = relaylens.Class4xx, unescape(text), relaylens.Disk
	return relaylens.Parsed
}

// stageOf is the stage of a command in the words of srvrsmtp.c.
func stageOf(command string) relaylens.Stage {
	switch command {
	case "commands":
		return relaylens.StageConnect
	case "server EHLO", "server HELO":
		return relaylens.StageHelo
	case "server DATA":
		return relaylens.StageData
	}
	return relaylens.StageNone
}

// tcpwrappers reads "{host}, {ip}) rejection".
func tcpwrappers(s string, rec *relaylens.Record) relaylens.Verdict {
	s, ok := strings.CutSuffix(s, ") rejection")
	if !ok {
		return relaylens.Malformed
	}
	_, address, _ := cutLast(s, ", ")
	ip, ok := smtp.ParseIP(address)
	if !ok {
		return relaylens.Malformed
	}
	e := &rec.Event
	e.Kind, e.Reason, e.Class = relaylens.KindRejected, relaylens.ReasonClientPolicy, relaylens.Class5xx
	e.Direction, e.Stage, e.ClientIP = relaylens.Inbound, relaylens.StageConnect, ip
	return relaylens.Parsed
}

// connect reads "connect from REL", which is logged at LogLevel 10 and higher.
func connect(s string, rec *relaylens.Record) relaylens.Verdict {
	client, ok := parseRelay(unescape(s))
	if !ok {
		return relaylens.Ignored
	}
	rec.Event.Kind, rec.Fact = relaylens.KindConnection, relaylens.FactSession
	client.set(&rec.Event)
	return relaylens.Parsed
}

// starttls reads what follows "STARTTLS=server, ". At the default LogLevel it is
// often the first line that tells of a session.
func (g *Grammar) starttls(s string, rec *relaylens.Record) relaylens.Verdict {
	var client relay
	var ok bool
	if value, good := strings.CutPrefix(s, "relay="); good {
		if value, _, ok = strings.Cut(value, ", version="); ok { // no name has a space
			client, ok = g.relayOfCut(unescape(value))
		}
	} else if _, value, found := cutLast(s, relayMark); found && strings.HasPrefix(s, "error: ") {
		client, ok = g.relayOfCut(unescape(value))
	}
	if !ok || !client.ip.IsValid() {
		return relaylens.Ignored
	}
	client.set(&rec.Event)
	rec.Fact = relaylens.FactSession
	return relaylens.Parsed
}

// lostInput reads "REL to {daemon} after {command}".
func lostInput(s string, rec *relaylens.Record) relaylens.Verdict {
	before, _, ok := cutLast(s, " after ")
	if !ok {
		return relaylens.Ignored
	}
	return sessionEnd(before, " to ", rec)
}

// sessionEnd reads "REL{sep}…", the last line of a session. It ends the session of
// its process even where the client cannot be read.
func sessionEnd(s, sep string, rec *relaylens.Record) relaylens.Verdict {
	value, _, ok := cutLast(s, sep)
	if !ok {
		return relaylens.Ignored
	}
	read := parseRelay
	if sep == timeoutSep {
		read = parseCut
	}
	client, _ := read(unescape(value))
	client.set(&rec.Event)
	rec.Event.Kind, rec.Fact = relaylens.KindConnection, relaylens.FactSessionEnd
	return relaylens.Parsed
}

// timeoutSep follows the client in "timeout waiting for input from REL during
// {phase}", where REL is cut at 100 characters.
const timeoutSep = " during "

// hostFirst reads the lines that begin with REL. ours is false when it is none. All
// of them have a queue id. Whatever else such a line looks like, it is read as nothing else: the name
// before the address may imitate any keyword.
func (g *Grammar) hostFirst(id, text string, rec *relaylens.Record) (v relaylens.Verdict, ours bool) {
	if id == "" {
		return relaylens.Ignored, false
	}
	value, rest, ok := cutHost(text)
	if !ok {
		return relaylens.Ignored, false
	}
	client, ok := g.relay(unescape(value))
	if !ok || !client.ip.IsValid() {
		return relaylens.Ignored, false
	}
	if strings.HasPrefix(rest, didNotIssue) {
		client.set(&rec.Event)
		rec.Event.Kind, rec.Fact = relaylens.KindConnection, relaylens.FactSessionEnd
		return relaylens.Parsed, true
	}
	said, ok := strings.CutPrefix(rest, ": ")
	if !ok {
		return relaylens.Ignored, true
	}
	return hostSaid(client, said, rec), true
}

const didNotIssue = " did not issue MAIL/EXPN/VRFY/ETRN during connection to "

// hostSaid reads what follows "REL: ".
func hostSaid(client relay, said string, rec *relaylens.Record) relaylens.Verdict {
	e := &rec.Event
	if strings.HasPrefix(said, "possible SMTP attack: command=") || said == "Possible SMTP RCPT flood, throttling." {
		// It follows failures whose own lines have no address, or one that is cut.
		client.set(e)
		rec.Fact = relaylens.FactMessage
		return relaylens.Parsed
	}
	stage, reason, class := probed(said), relaylens.ReasonClientPolicy, relaylens.Class5xx
	if stage == relaylens.StageVrfy && said[0]|0x20 == 'v' {
		class = relaylens.ClassNone // VRFY is answered 252, the others 502
	}
	if said == "Possible SMTP RCPT flood, shutting down connection." {
		stage, reason, class = relaylens.StageRcpt, relaylens.ReasonRateLimit, relaylens.Class4xx
	}
	if stage == relaylens.StageNone {
		return relaylens.Ignored
	}
	client.set(e)
	e.Kind, e.Reason, e.Class = relaylens.KindRejected, reason, class
	e.Direction, e.Stage, e.Text = relaylens.Inbound, stage, unescape(said)
	return relaylens.Parsed
}

// probed tells the stage of a command that PrivacyOptions forbids, StageNone for
// any other text. The command is as the client typed it.
func probed(said string) relaylens.Stage {
	if len(said) < len("VRFY ") || said[4] != ' ' && said[4] != '\\' || !strings.HasSuffix(said, " [rejected]") {
		return relaylens.StageNone
	}
	switch command := said[:4]; {
	case strings.EqualFold(command, "VRFY"), strings.EqualFold(command, "EXPN"):
		return relaylens.StageVrfy
	case strings.EqualFold(command, "ETRN"):
		return relaylens.StageEtrn
	}
	return relaylens.StageNone
}

// invalidHelo reads "{x}) from REL", where x is what the client said or "too
// long". srvrsmtp.c, CMDHELO
func invalidHelo(s string, rec *relaylens.Record) relaylens.Verdict {
	helo, value, ok := cutLast(s, ") from ")
	if !ok {
		return relaylens.Malformed
	}
	client, _ := parseCut(unescape(value))
	e := &rec.Event
	e.Kind, e.Reason, e.Class = relaylens.KindRejected, relaylens.ReasonHelo, relaylens.Class5xx
	e.Direction, e.Stage, e.Text = relaylens.Inbound, relaylens.StageHelo, "invalid domain name"
	client.set(e)
	if helo != "too long" {
		e.Helo = unescape(helo)
	}
	return relaylens.Parsed
}

// setsender reads "{A}: invalid or unparsable, received from REL", A as typed.
func setsender(s string, rec *relaylens.Record) relaylens.Verdict {
	sender, value, ok := cutLast(s, ": invalid or unparsable, received from ")
	if !ok {
		return relaylens.Malformed
	}
	client, _ := parseRelay(unescape(value))
	e := &rec.Event
	e.Kind, e.Reason, e.Class = relaylens.KindRejected, relaylens.ReasonAddressSyntax, relaylens.Class5xx
	e.Direction, e.Stage, e.Text = relaylens.Inbound, relaylens.StageMail, "invalid or unparsable"
	client.set(e)
	e.Sender = smtp.TrimPath(unescape(sender))
	return relaylens.Parsed
}

// tempfailed reads what follows "SMTP ": "{command} command ({argument ≤100}) from
// REL tempfailed (due to previous checks)", at LogLevel 10 and higher. The check was
// a filter's, whose own line is counted; what it lacks, the client or the sender,
// stands here. srvrsmtp.c, smtp
func tempfailed(s string, rec *relaylens.Record) relaylens.Verdict {
	s, ok := strings.CutSuffix(s, " tempfailed (due to previous checks)")
	if !ok {
		return relaylens.Ignored
	}
	s, value, ok := cutLast(s, ") from ") // neither a name nor an ident reply has a space
	command, argument, given := strings.Cut(s, " command (")
	client, known := parseRelay(unescape(value))
	if !ok || !given || !known {
		return relaylens.Malformed
	}
	e := &rec.Event
	client.set(e)
	if command == "MAIL" {
		argument = unescape(argument)
		if end, open := scan(argument, ' '); end > 0 && (end < len(argument) || !open && end < maxArgument) {
			e.SetSender(mailbox(argument[:end]))
		}
	}
	rec.Fact = relaylens.FactMessage
	return relaylens.Parsed
}

// maxArgument is where tempfailed's argument is cut.
const maxArgument = 100

// disabled begins what is said of a client whose features cannot be looked up for now:
// its commands are refused with 450. srvrsmtp.c, smtp
const disabled = "ERROR: srv_features=tempfail, relay="

// srvDisabled reads "REL, access temporarily disabled".
func srvDisabled(s string, rec *relaylens.Record) relaylens.Verdict {
	const said = "access temporarily disabled"
	value, ok := strings.CutSuffix(s, ", "+said)
	if !ok {
		return relaylens.Malformed
	}
	client, _ := parseCut(unescape(value))
	e := &rec.Event
	e.Kind, e.Reason, e.Class = relaylens.KindRejected, relaylens.ReasonResources, relaylens.Class4xx
	e.Direction, e.Stage, e.Text = relaylens.Inbound, relaylens.StageMail, said
	client.set(e)
	return relaylens.Parsed
}
