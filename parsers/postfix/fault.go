package postfix

import (
	"net/netip"
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/smtp"
)

// died reads what ends a process that master runs. Programs that people call, or that
// mail is handed to with their rights, end for reasons of their own.
//
// Source: util/msg.c msg_fatal, msg_panic.
func died(program, why string, rec *relaylens.Record) relaylens.Verdict {
	name := serviceName(program)
	if name == "" {
		return relaylens.Ignored
	}
	ownFault(relaylens.Service, name, why, rec)
	if unwritable(why) {
		rec.Event.RemoteHost = relaylens.Disk
	}
	return relaylens.Parsed
}

// serviceName is the program, if master runs it for mail.
//
// Source: conf/master.cf.
func serviceName(program string) string {
	at := strings.LastIndexByte(program, '/')
	if at < 0 {
		return ""
	}
	switch name := program[at+1:]; name {
	case "smtpd", "qmqpd", "postscreen", "dnsblog", "tlsproxy", "cleanup", "qmgr", "oqmgr", "nqmgr", "pickup", "trivial-rewrite", "proxymap", "proxywrite",
		"smtp", "lmtp", "local", "virtual", "pipe", "error", "retry", "discard", "bounce", "defer", "trace", "verify", "flush", "tlsmgr", "scache", "anvil", "spawn", "master":
		return name
	}
	return ""
}

// ownFault is what the server says that fails, by the name that begins with of.
func ownFault(of, name, said string, rec *relaylens.Record) {
	rec.Event.Kind, rec.Event.Text, rec.Event.RemoteHost = relaylens.KindBackendError, said, of+name
}

// unwritable reports whether a file could not be written for the want of room, by the
// system's words at the end of the line.
func unwritable(why string) bool {
	for _, e := range [...]string{": No space left on device", ": Disk quota exceeded", ": Read-only file system"} {
		if strings.HasSuffix(why, e) {
			return true
		}
	}
	return false
}

// masterWarning reads what master says of the programs that it runs: one that ends
// before its time, one that it does not start again for a minute, as it ended before it did anything,
// and one of which there are as many as there may be.
//
// Source: master/master_spawn.c master_reap_child, master_throttle; master/master_avail.c.
func masterWarning(rest string, rec *relaylens.Record) relaylens.Verdict {
	path, _, found := strings.Cut(rest, ": bad command startup -- throttling")
	if !found {
		if path, found = strings.CutPrefix(rest, "process "); found {
			path, _, _ = strings.Cut(path, " pid ")
			after := rest[len("process ")+len(path):]
			found = strings.Contains(after, " killed by signal ") || strings.Contains(after, " exit status ")
		}
	}
	switch {
	case found:
		if name := serviceName(path); name != "" {
			ownFault(relaylens.Service, name, rest, rec)
			return relaylens.Parsed
		}
	case strings.HasPrefix(rest, `service "`) && strings.Contains(rest, ") has reached its process limit "):
		ownFault("", relaylens.Capacity, rest, rec)
		return relaylens.Parsed
	}
	return relaylens.Ignored
}

// faultWarning reads the warnings of a queue that cannot be written, and of programs of
// Postfix's own that others cannot reach.
//
// Source: global/mail_queue.c mail_queue_enter; pickup/pickup.c copy_segment;
// qmgr/qmgr_transport.c; global/rewrite_clnt.c, resolve_clnt.c.
func faultWarning(rest string, rec *relaylens.Record) relaylens.Verdict {
	switch {
	case strings.HasPrefix(rest, "mail_queue_enter: create file "), strings.HasPrefix(rest, "maildrop/") && strings.HasSuffix(rest, ": queue file write error"):
		ownFault("", relaylens.Disk, rest, rec)
		return relaylens.Parsed
	case strings.HasPrefix(rest, "connect to transport private/"):
		name, _, ok := strings.Cut(rest[len("connect to transport private/"):], ": ")
		if ok && oneName(name) != "" {
			ownFault(relaylens.Service, name, rest, rec)
			return relaylens.Parsed
		}
	}
	return relaylens.Ignored
}

// listsAll reads "{address} listed by domain {zone} as {answer}" of dnsblog, where the answer
// is that the list has none for this resolver, or for whoever asks. What it says of clients
// that it lists comes with their refusal.
//
// Source: dnsblog/dnsblog.c dnsblog_query.
func listsAll(program, rest string, rec *relaylens.Record) relaylens.Verdict {
	address, said, ok := strings.Cut(rest, " ")
	zone, found := strings.CutPrefix(said, "listed by domain ")
	zone, answer, named := strings.Cut(zone, " as ")
	if !ok || !found || !named || !strings.HasPrefix(answer, "127.255.255.") || oneName(zone) == "" || !strings.HasSuffix(program, "/dnsblog") {
		return relaylens.Ignored
	}
	e := &rec.Event
	if e.ClientIP, ok = smtp.ParseIP(address); !ok {
		e.ClientIP = netip.Addr{}
		return relaylens.Malformed
	}
	e.Kind, e.Text, e.RemoteHost = relaylens.KindBackendError, said, zone
	return relaylens.Parsed
}
