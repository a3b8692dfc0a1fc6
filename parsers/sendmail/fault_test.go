package sendmail

import (
	"testing"

	"github.com/relaylens/relaylens"
)

func TestOwnFaults(t *testing.T) {
	cases := map[string]string{ // what fails; "" where it is no fault of the server's own
		"rejecting connections on daemon MTA: load average: 20":                                                                                                                                "capacity",
		"rejecting connections on daemon MTA: 40 children, max 40":                                                                                                                             "capacity",
		"rejecting new messages: min free: 100":                                                                                                                                                "disk",
		"runqueue: Skipping queue run -- load average too high":                                                                                                                                "capacity",
		"runqueue: Skipping queue run -- fork() failed: Cannot allocate memory":                                                                                                                "capacity",
		"NOQUEUE: SYSERR(root): opendaemonsocket: daemon MTA: cannot bind: Address already in use":                                                                                             "service:MTA",
		"NOQUEUE: SYSERR(root): opendaemonsocket: daemon MTA: server SMTP socket wedged: exiting":                                                                                              "service:MTA",
		"NOQUEUE: SYSERR(root): opendaemonsocket: daemon MTA: optional socket disabled":                                                                                                        "",
		"NOQUEUE: SYSERR(root): /etc/mail/sendmail.cf: line 85: fileclass: cannot open '/etc/mail/x': World writable directory":                                                                "configuration",
		"NOQUEUE: SYSERR(joe): /home/joe/x.cf: line 8: unknown configuration line \"x\"":                                                                                                       "",
		"6AMHW000310000: SYSERR(root): queueup: cannot create queue temp file ./tf6AMHW000310000, uid=0: Permission denied":                                                                    "disk",
		"6AMHW000310000: rejecting connections on daemon MTA: load average: 20":                                                                                                                "",
		"6AMHW000310000: SYSERR(root): hash map \"access\": missing map file /etc/mail/access.db: No such file or directory":                                                                   "",
		"6AMHW000310000: <x@rejecting connections on daemon MTA: load average: 20>... User unknown":                                                                                            "",
		"6AMHW000310000: rejecting connections on daemon MTA: [192.0.2.1] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA":                                                          "",
		"6AMHW000310000: to=<a@example.com>, delay=00:00:01, xdelay=00:00:00, mailer=cyrusv2, pri=30015, relay=localhost, dsn=4.3.5, stat=Deferred: No such file or directory":                 "store:cyrusv2",
		"6AMHW000310000: to=<a@example.com>, delay=00:00:01, xdelay=00:00:00, mailer=local, pri=30344, dsn=4.0.0, stat=Operating system error":                                                 "store:local",
		"6AMHW000310000: to=<a@example.com>, delay=02:00:01, xdelay=00:00:00, mailer=local, pri=30344, dsn=4.0.0, stat=Operating system error":                                                 "",
		"6AMHW000310000: to=<a@example.com>, delay=00:00:01, xdelay=00:00:00, mailer=local, pri=30344, dsn=5.0.0, stat=Can't create output":                                                    "",
		"6AMHW000310000: to=<a@example.com>, delay=00:00:01, xdelay=00:00:00, mailer=esmtp, pri=30368, relay=mx.example.net., dsn=4.4.1, stat=Deferred: Connection refused by mx.example.net.": "",
		"6AMHW000310000: to=<a@example.com>, delay=00:00:01, xdelay=00:00:00, mailer=local, pri=30344, dsn=2.0.0, stat=Sent":                                                                   "",
	}
	for text, want := range cases {
		t.Run(text, func(t *testing.T) {
			var rec relaylens.Record
			New(relaylens.Texts{}).Parse(&relaylens.Envelope{Host: "mx1", Program: "sm-mta", PID: 7, Text: text}, &rec)
			e := &rec.Event
			if found := relaylens.OfFinding(e) && e.Kind == relaylens.KindBackendError; found != (want != "") || found && e.RemoteHost != want {
				t.Errorf("read as %s of %q, want %q", e.Kind, e.RemoteHost, want)
			}
		})
	}
}
