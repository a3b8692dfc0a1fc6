package sendmail

import (
	"strings"

	"github.com/relaylens/relaylens"
)

const rejecting = "rejecting "

// ownFault is what the server says that fails, where no command is refused for it: nobody
// can connect, or what was taken lies in the queue.
//
// Source: conf.c refuseconnections, daemon.c getrequests, queue.c runqueue.
func ownFault(name, said string, rec *relaylens.Record) relaylens.Verdict {
	rec.Event.Kind, rec.Event.Text, rec.Event.RemoteHost = relaylens.KindBackendError, unescape(said), name
	return relaylens.Parsed
}

// failing names what the server needs to run at all and says that it has not: its
// socket, its configuration, a queue that can be written. What other users call it with
// is their own.
//
// Source: daemon.c opendaemonsocket; readcf.c fileclass and others, err.c fmtmsg;
// queue.c queueup.
func failing(user, said string) (name string) {
	if rest, ok := strings.CutPrefix(said, "opendaemonsocket: daemon "); ok && user == "root" {
		daemon, why, _ := strings.Cut(rest, ": ")
		for _, p := range [...]string{"cannot bind", "can't create server SMTP socket", "cannot listen", "server SMTP socket wedged"} {
			if strings.HasPrefix(why, p) && strings.IndexByte(daemon, ' ') < 0 {
				return relaylens.Service + daemon
			}
		}
		return ""
	}
	if strings.HasPrefix(said, "queueup: cannot ") {
		return relaylens.Disk
	}
	file, rest, ok := strings.Cut(said, ": line ")
	if ok && user == "root" && strings.HasPrefix(file, "/") && strings.HasSuffix(file, ".cf") && strings.IndexByte(file, ' ') < 0 {
		if n := strings.IndexByte(rest, ':'); n > 0 && numeric(rest[:n]) {
			return relaylens.Configuration
		}
	}
	return ""
}

// notStored reads why a new message waits for a mailer that has the mailboxes. What becomes
// of one that waits already tells of a mailbox that is broken as well. A quota is its user's.
//
// Source: deliver.c giveresponse; mailer names of cf/mailer/*.m4.
func (a *attempt) notStored(rec *relaylens.Record) bool {
	if a.reply != "" || classOfDSN(a.dsn) == relaylens.Class5xx && !strings.HasPrefix(a.stat, "Deferred: ") || !ofMailboxes(a.mailer) {
		return false
	}
	if !strings.HasPrefix(a.stat, "Deferred: ") && a.stat != "Operating system error" || strings.Contains(a.stat, "uota") {
		return false
	}
	if len(a.delay) != len("00:00:00") || !strings.HasPrefix(a.delay, "00:0") || a.delay[4] > '4' {
		return false
	}
	rec.Event.Recipient = a.recipient
	ownFault(relaylens.Store+a.mailer, a.stat, rec)
	return true
}

func ofMailboxes(mailer string) bool {
	switch mailer {
	case "local", "procmail", "lmtp", "dovecot":
		return true
	}
	return strings.HasPrefix(mailer, "cyrus")
}
