package postfix

import (
	"testing"

	"github.com/relaylens/relaylens"
)

func TestOwnFaults(t *testing.T) {
	const master, smtpd, cleanup = "postfix/master", "postfix/submission/smtpd", "postfix/cleanup"
	cases := map[string]struct {
		program, name string
	}{
		"fatal: bad numerical configuration: smtpd_recipient_limit = abc":                                                 {smtpd, "service:smtpd"},
		"panic: mymalloc: requested length 0":                                                                             {cleanup, "service:cleanup"},
		"fatal: open active D1FC43BF: Permission denied":                                                                  {"postfix/virtual", "service:virtual"},
		"fatal: write queue file: No space left on device":                                                                {"postfix/qmgr", "disk"},
		"fatal: bind 192.0.2.2 port 25: Address already in use":                                                           {master, "service:master"},
		"warning: process /usr/lib/postfix/sbin/cleanup pid 303 killed by signal 11":                                      {master, "service:cleanup"},
		"warning: /usr/lib/postfix/sbin/trivial-rewrite: bad command startup -- throttling":                               {master, "service:trivial-rewrite"},
		`warning: service "smtp" (25) has reached its process limit "2": new clients may experience noticeable delays`:    {master, "capacity"},
		"warning: mail_queue_enter: create file incoming/945396.486: No space left on device":                             {cleanup, "disk"},
		"warning: maildrop/DEDE5261: error writing DEECC1B: queue file write error":                                       {"postfix/pickup", "disk"},
		"warning: connect to transport private/nothere: No such file or directory":                                        {"postfix/qmgr", "service:nothere"},
		"warning: process /usr/lib/postfix/sbin/cleanup pid 303 exit status 1":                                            {master, "service:cleanup"},
		"warning: process /usr/lib/postfix/sbin/cleanup pid 303":                                                          {master, ""},
		"warning: to avoid this condition, increase the process count in master.cf or reduce the service time per client": {master, ""},
		"fatal: user@example.com(1000): No recipient addresses found in message header":                                   {"postfix/sendmail", ""},
		"fatal: the Postfix mail system is not running":                                                                   {"postfix/postfix-script", ""},
		"fatal: usage: pipe": {"pipe", ""},
		"warning: /usr/lib/postfix/sbin/evil: bad command startup -- throttling":                                                      {master, ""},
		"warning: unknown[192.0.2.1]: /usr/lib/postfix/sbin/smtpd: bad command startup -- throttling":                                 {smtpd, ""},
		"warning: hostname smtpd: bad command startup -- throttling does not resolve to address 192.0.2.1: Name or service not known": {smtpd, ""},
	}
	for text, c := range cases {
		t.Run(text, func(t *testing.T) {
			var rec relaylens.Record
			New(relaylens.Texts{}).Parse(&relaylens.Envelope{Host: "mx1", Program: c.program, PID: 7, Text: text}, &rec)
			e := &rec.Event
			if c.name == "" {
				if e.Kind != relaylens.KindNone || e.RemoteHost != "" {
					t.Errorf("read as %s of %q", e.Kind, e.RemoteHost)
				}
				return
			}
			if e.Kind != relaylens.KindBackendError || e.RemoteHost != c.name || !relaylens.OfFinding(e) {
				t.Errorf("read as %s of %q", e.Kind, e.RemoteHost)
			}
		})
	}
}

func TestMailThatCannotBeStored(t *testing.T) {
	cases := map[string]string{ // where it is stored; "" where it is another's doing
		"relay=none, delay=0.01, delays=0.01/0/0/0, dsn=4.4.1, status=deferred (connect to mx1.example.com[private/dovecot-lmtp]: No such file or directory)":                          "store:private/dovecot-lmtp",
		"relay=none, delay=0.01, delays=0.01/0/0/0, dsn=4.4.1, status=deferred (connect to 127.0.0.1[127.0.0.1]:10024: Connection refused)":                                            "store:127.0.0.1:10024",
		"relay=none, delay=0.01, delays=0.01/0/0/0, dsn=4.4.1, status=deferred (connect to mx.example.net[127.0.0.1]:25: Connection refused)":                                          "",
		"relay=none, delay=4, delays=0/4/0/0, dsn=4.4.1, status=deferred (delivery temporarily suspended: connect to localhost[::1]:24: Connection refused)":                           "store:::1:24",
		"relay=none, delay=0.01, delays=0.01/0/0/0, dsn=4.4.1, status=deferred (connect to mx.example.net[192.0.2.9]:25: Connection refused)":                                          "",
		"relay=none, delay=0.01, delays=0.01/0/0/0, dsn=4.4.1, status=deferred (connect to a b[private/lmtp]: Connection refused)":                                                     "",
		"relay=virtual, delay=0.12, delays=0.11/0/0/0, dsn=4.3.0, status=deferred (maildir delivery failed: error writing message: No space left on device)":                           "store:virtual",
		"relay=virtual, delay=0.12, delays=0.11/0/0/0, dsn=4.2.2, status=deferred (maildir delivery failed: error writing message: Disk quota exceeded)":                               "",
		"relay=virtual, delay=900, delays=900/0/0/0, dsn=4.3.0, status=deferred (maildir delivery failed: error writing message: No space left on device)":                             "",
		"relay=local, delay=0.1, delays=0.1/0/0/0, dsn=4.3.0, status=deferred (alias database unavailable)":                                                                            "store:local",
		"relay=local, delay=0.1, delays=0.1/0/0/0, dsn=4.2.0, status=deferred (temporary failure. Command output: lda: Quota exceeded)":                                                "",
		"relay=dovecot, delay=0.1, delays=0.1/0/0/0, dsn=4.3.0, status=deferred (temporary failure. Command output: pipe: fatal: pipe_command: execvp /x: No such file or directory )": "store:dovecot",
		"relay=mx.example.net[192.0.2.9]:25, delay=0.1, delays=0.1/0/0/0, dsn=4.3.0, status=deferred (temporary failure)":                                                              "",
		"relay=none, delay=0.3, delays=0/0.3/0/0, dsn=4.3.0, status=deferred (mail transport unavailable)":                                                                             "service:transport",
		"relay=virtual, delay=0.12, delays=0.11/0/0/0, dsn=5.3.0, status=bounced (maildir delivery failed: error writing message: No space left on device)":                            "",
	}
	for fields, want := range cases {
		t.Run(fields, func(t *testing.T) {
			var rec relaylens.Record
			New(relaylens.Texts{}).Parse(&relaylens.Envelope{Host: "mx1", Program: "postfix/lmtp", PID: 7, Text: "4F1A2B3C: to=<a@example.com>, " + fields}, &rec)
			e := &rec.Event
			if got := relaylens.OfFinding(e) && e.Kind == relaylens.KindBackendError; got != (want != "") || got && (e.RemoteHost != want || e.Recipient != "a@example.com" || e.QueueID != "4F1A2B3C") {
				t.Errorf("read as %s of %q for %q", e.Kind, e.RemoteHost, e.Recipient)
			}
		})
	}
}

func TestListThatHasNoAnswer(t *testing.T) {
	cases := map[string]string{ // the list; "" where it has one
		"addr 203.0.113.9 listed by domain zen.bl.example as 127.255.255.254": "zen.bl.example",
		"addr 2001:db8::9 listed by domain zen.bl.example as 127.255.255.252": "zen.bl.example",
		"addr 203.0.113.9 listed by domain zen.bl.example as 127.0.0.2":       "",
		"addr 203.0.113.9 not listed by domain as 127.255.255.254":            "",
	}
	for text, want := range cases {
		t.Run(text, func(t *testing.T) {
			var rec relaylens.Record
			New(relaylens.Texts{}).Parse(&relaylens.Envelope{Host: "mx1", Program: "postfix/dnsblog", PID: 7, Text: text}, &rec)
			e := &rec.Event
			if e.RemoteHost != want || e.ClientIP.IsValid() != (want != "") || relaylens.OfFinding(e) {
				t.Errorf("%+v", *e)
			}
		})
	}
}
