package parsers_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers"
)

// TestTrouble is about refusals for the want of a helper of the server's own: what
// it is and how it is called, an error before them tells. The lines are of Postfix
// 3.7, Exim 4.96 and Sendmail 8.17.
func TestTrouble(t *testing.T) {
	const (
		smtpd   = "Nov 20 09:00:00 mx1 postfix/smtpd[10]: "
		cleanup = "Nov 20 09:00:00 mx1 postfix/cleanup[20]: "
		later   = "Nov 20 09:00:30 mx1 postfix/cleanup[20]: "
		sm      = "Nov 20 09:00:00 mx1 sm-mta[30]: 6AKA00d8000030: "
		came    = smtpd + "connect from c.example.net[203.0.113.9]"
		left    = smtpd + "disconnect from c.example.net[203.0.113.9] ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4"
		milter  = smtpd + "NOQUEUE: milter-reject: MAIL from c.example.net[203.0.113.9]: 451 4.7.1 Service unavailable - try again later; from=<a@example.net> proto=ESMTP helo=<c>"
		content = "4F1A2B3C: milter-reject: END-OF-MESSAGE from c.example.net[203.0.113.9]: 4.7.1 Service unavailable - try again later; from=<a@example.net> to=<b@example.com> proto=ESMTP helo=<c>"
		lookup  = smtpd + "NOQUEUE: reject: RCPT from c.example.net[203.0.113.9]: 451 4.3.0 <b@example.com>: Temporary lookup failure; from=<a@example.net> to=<b@example.com> proto=ESMTP helo=<c>"
		ruled   = smtpd + "NOQUEUE: reject: RCPT from c.example.net[203.0.113.9]: 451 4.3.0 <b@example.com>: Recipient address rejected: Temporary lookup failure; from=<a@example.net> to=<b@example.com> proto=ESMTP helo=<c>"
		policy  = smtpd + "NOQUEUE: reject: RCPT from c.example.net[203.0.113.9]: 451 4.3.5 <b@example.com>: Recipient address rejected: Server configuration problem; from=<a@example.net> to=<b@example.com> proto=ESMTP helo=<c>"
		broken  = "warning: proxy:mysql:/etc/postfix/boxes.cf lookup error for \"b@example.com\""
	)
	for name, tc := range map[string]struct {
		log  []string
		want []string
	}{
		"a milter that is down": {[]string{came,
			smtpd + "warning: connect to Milter service inet:127.0.0.1:8891: Connection refused",
			smtpd + "NOQUEUE: milter-reject: CONNECT from c.example.net[203.0.113.9]: 451 4.7.1 Service unavailable - try again later; proto=SMTP",
			smtpd + "NOQUEUE: milter-reject: EHLO from c.example.net[203.0.113.9]: 451 4.7.1 Service unavailable - try again later; proto=SMTP helo=<c>",
			milter}, []string{`5: milter "inet:127.0.0.1:8891"`}},
		"a milter without words of its own": {[]string{came, milter}, []string{`2: ""`}},
		"the milter of the session before": {[]string{came,
			smtpd + "warning: connect to Milter service inet:127.0.0.1:8891: Connection refused",
			smtpd + "disconnect from c.example.net[203.0.113.9] ehlo=1 quit=1 commands=2",
			came, milter}, []string{`5: ""`}},
		"a milter's own words": {[]string{came,
			smtpd + "warning: connect to Milter service inet:127.0.0.1:8891: Connection refused",
			smtpd + "NOQUEUE: milter-reject: RCPT from c.example.net[203.0.113.9]: 451 4.7.1 Try again later; from=<a@example.net> to=<b@example.com> proto=ESMTP helo=<c>"}, []string{`3: ""`}},
		"a milter that hangs at the end of a message": {[]string{
			cleanup + "warning: milter inet:127.0.0.1:8891: can't read SMFIC_BODYEOB reply packet header: Connection timed out", cleanup + content}, []string{`2: milter "inet:127.0.0.1:8891"`}},
		"of another message": {[]string{
			cleanup + "warning: milter inet:127.0.0.1:8891: can't read SMFIC_BODYEOB reply packet header: Connection timed out", later + content}, []string{`2: ""`}},
		"a policy service that is down": {[]string{came, smtpd + "warning: connect to private/policy: No such file or directory",
			smtpd + "warning: problem talking to server private/policy: No such file or directory", policy}, []string{`4: policy_service "private/policy"`}},
		"a policy service that says so":        {[]string{came, policy}, []string{`2: ""`}},
		"a table":                              {[]string{came, smtpd + broken, lookup}, []string{`3: table "proxy:mysql:/etc/postfix/boxes.cf"`}},
		"a table that another process asked":   {[]string{came, "Nov 20 09:00:00 mx1 postfix/trivial-rewrite[12]: " + broken, lookup}, []string{`3: table "proxy:mysql:/etc/postfix/boxes.cf"`}},
		"a table of another host":              {[]string{came, "Nov 20 09:00:00 mx2 postfix/trivial-rewrite[12]: " + broken, lookup}, []string{`3: ""`}},
		"a table of before":                    {[]string{came, "Nov 20 08:59:00 mx1 postfix/trivial-rewrite[12]: " + broken, lookup}, []string{`3: ""`}},
		"what a rule may say":                  {[]string{came, "Nov 20 09:00:00 mx1 postfix/trivial-rewrite[12]: " + broken, ruled}, []string{`3: ""`}},
		"a table that no message goes without": {[]string{cleanup + "warning: 4F1A2B3C: virtual_alias_maps map lookup problem for b@example.com -- message not accepted, try again later"}, []string{`1: table "virtual_alias_maps"`}},
		"a filter before the queue":            {[]string{came, smtpd + "warning: connect to proxy filter 127.0.0.1:10024: Connection refused", left}, []string{`2: filter "127.0.0.1:10024"`}},
		"a filter asked at the end of a message": {[]string{came, smtpd + "NOQUEUE: client=c.example.net[203.0.113.9]", smtpd + "warning: connect to proxy filter 127.0.0.1:10024: Connection refused",
			smtpd + "proxy-reject: END-OF-MESSAGE: 451 4.3.0 Error: queue file write error; from=<a@example.net> to=<b@example.com> proto=ESMTP helo=<c>"}, []string{`4: filter "127.0.0.1:10024"`}},
		"Exim's virus scanner": {[]string{
			"2026-11-20 09:00:00 1tTaBc-0001Ab-2z malware acl condition: clamd /run/clamd.ctl : unable to connect to UNIX socket (/run/clamd.ctl): No such file or directory",
			"2026-11-20 09:00:00 1tTaBc-0001Ab-2z H=(c) [203.0.113.9] F=<a@example.net> temporarily rejected after DATA"}, []string{`2: scanner "clamd /run/clamd.ctl"`}},
		"of another message, Exim's": {[]string{
			"2026-11-20 09:00:00 1tTaBc-0001Ab-2z malware acl condition: clamd /run/clamd.ctl : unable to connect to UNIX socket (/run/clamd.ctl): No such file or directory",
			"2026-11-20 09:00:00 1tTaBc-0001Ac-2z H=(c) [203.0.113.9] F=<a@example.net> temporarily rejected after DATA"}, []string{`2: ""`}},
		"a scanner that is not waited for": {[]string{
			"2026-11-20 09:00:00 1tTaBc-0001Ab-2z spam acl condition: all spamd servers failed",
			"2026-11-20 09:00:00 1tTaBc-0001Ab-2z H=(c) [203.0.113.9] F=<a@example.net> temporarily rejected after DATA: come again"}, []string{`2: ""`}},
		"Exim's database": {[]string{
			`2026-11-20 09:00:00 H=(c) [203.0.113.9] F=<a@example.net> temporarily rejected RCPT <b@example.com>: failed to expand ACL string "${lookup mysql{SELECT 1}}": lookup of "SELECT 1" gave DEFER: MYSQL connection failed: Can't connect to local server`}, []string{`1: table "MYSQL"`}},
		"DNS": {[]string{
			`2026-11-20 09:00:00 H=(c) [203.0.113.9] F=<a@example.net> temporarily rejected RCPT <b@example.com>: failed to expand ACL string "${lookup dnsdb{a=$sender_address_domain}}": lookup of "a=x" gave DEFER: MYSQL connection failed: " gave DEFER: `}, []string{`1: ""`}},
		"Sendmail's milter": {[]string{
			sm + "Milter (opendkim): error connecting to filter: Connection refused by /run/opendkim.sock", sm + "Milter (opendkim): to error state",
			sm + "Milter: initialization failed, temp failing commands",
			sm + "lost input channel from c.example.net [203.0.113.9] to MTA after mail"}, []string{`3: milter "opendkim"`}},
		"Sendmail's milter at the end of a message": {[]string{
			sm + "from=<a@example.net>, size=28, class=0, nrcpts=1, msgid=<1@c>, proto=ESMTP, daemon=MTA, relay=c.example.net [203.0.113.9]",
			sm + "Milter (spf): to error state", sm + "Milter: data, reject=451 4.3.2 Please try again later",
			sm + "to=<b@example.com>, delay=00:00:00, pri=30028, stat=Please try again later"}, []string{`4: milter "spf"`}},
		"a milter of Sendmail's that says so": {[]string{
			sm + "from=<a@example.net>, size=28, class=0, nrcpts=1, msgid=<1@c>, proto=ESMTP, daemon=MTA, relay=c.example.net [203.0.113.9]",
			sm + "Milter: data, reject=451 4.3.2 Please try again later",
			sm + "to=<b@example.com>, delay=00:00:00, pri=30028, stat=Please try again later"}, []string{`3: ""`}},
		"Sendmail's map": {[]string{
			"Nov 20 09:00:00 mx1 sm-mta[30]: NOQUEUE: SYSERR(root): ldap_init/ldap_bind failed to 127.0.0.1 in map access: Transport endpoint is not connected",
			"Nov 20 09:00:00 mx1 sm-mta[30]: ruleset=check_relay, arg1=c.example.net, arg2=203.0.113.9, relay=c.example.net [203.0.113.9], reject=451 4.3.0 Temporary system failure. Please try again later."},
			[]string{`2: table "access"`}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newParser(t, parsers.Options{Location: time.UTC})
			var got []string
			emit := func(e *relaylens.Event) {
				if e.Kind.Refusal() {
					h := relaylens.HelperOf(e).String()
					got = append(got, strings.TrimSpace(fmt.Sprintf("%d: %s", e.Line, strings.TrimSpace(fmt.Sprintf("%s %q", h, e.RemoteHost)))))
				}
			}
			feed(t, p, "test.log", []byte(strings.Join(tc.log, "\n")+"\n"), emit)
			p.Flush(emit)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
