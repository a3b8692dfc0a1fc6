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
		misread = smtpd + "NOQUEUE: reject: RCPT from c.example.net[203.0.113.9]: 451 4.3.5 Server configuration error; from=<a@example.net> to=<b@example.com> proto=ESMTP helo=<c>"
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
		"a word that Postfix does not know": {[]string{came, smtpd + `warning: unknown smtpd restriction: "reject_unknown_sender_domian"`, misread},
			[]string{`3: configuration "configuration:reject_unknown_sender_domian"`}},
		"a word that nobody named": {[]string{came, misread}, []string{`2: ""`}},
		"no room in Postfix's queue": {[]string{came,
			smtpd + "NOQUEUE: reject: MAIL from c.example.net[203.0.113.9]: 452 4.3.1 Insufficient system storage; proto=ESMTP helo=<c>",
			smtpd + "warning: not enough free space in mail queue: 8290304 bytes < 1.5*message size limit", left}, []string{`2: disk "disk"`}},
		"a milter that has no room": {[]string{came,
			smtpd + "NOQUEUE: milter-reject: MAIL from c.example.net[203.0.113.9]: 452 4.3.1 Insufficient system storage; from=<a@example.net> proto=ESMTP helo=<c>"}, []string{`2: ""`}},
		"no room for the rest of a message": {[]string{came, smtpd + "4F1A2B3C: client=c.example.net[203.0.113.9]", cleanup + "4F1A2B3C: message-id=<x@example.net>",
			cleanup + "warning: 4F1A2B3C: write queue file: No space left on device", cleanup + "warning: 4F1A2B3C: write queue file: No space left on device", left}, []string{`4: disk "disk"`}},
		"no room that Exim would leave free": {[]string{"2026-11-20 09:00:00 spool directory space check failed: space=12337232 inodes=3085226",
			"2026-11-20 09:00:01 log directory space check failed: space=0 inodes=3085226"}, []string{`1: disk "disk"`, `2: disk "disk"`}},
		"no room in Exim's spool": {[]string{
			"2026-11-20 09:00:00 1tTaBc-0001Ab-2z Message abandoned: Spool write error (No space left on device) while receiving message from c.example.net [203.0.113.9]",
			"2026-11-20 09:00:00 1tTaBd-0001Ab-2z Message abandoned: Spool write error (No space left on device) while receiving message from root",
			"2026-11-20 09:00:00 1tTaBe-0001Ab-2z Message abandoned: Input read error (Connection reset by peer) while receiving message from c.example.net [203.0.113.9]",
			"2026-11-20 09:00:00 1tTaBf-0001Ab-2z Message abandoned: spool file write error while receiving from c.example.net: No space left on device"}, []string{`1: disk "disk"`, `4: disk "disk"`}},
		"a condition that Exim does not know": {[]string{
			`2026-11-20 09:00:00 H=(c) [203.0.113.9] F=<a@example.net> temporarily rejected RCPT <b@example.com>: failed to expand ACL string "${if foo{x}}": unknown condition "foo"`,
			`2026-11-20 09:00:00 H=(c) [203.0.113.9] F=<a@example.net> temporarily rejected RCPT <b@example.com>: unknown ACL verb "acept" in "acept hosts = *"`,
			`2026-11-20 09:00:00 H=(c) [203.0.113.9] F=<a@example.net> temporarily rejected RCPT <b@example.com>: error in arguments to "ratelimit" condition: "foo" is not a positive number`},
			[]string{`1: configuration "configuration"`, `2: configuration "configuration"`, `3: configuration "configuration"`}},
		"what the client wrote": {[]string{
			`2026-11-20 09:00:00 H=(c) [203.0.113.9] F=<a@example.net> temporarily rejected RCPT <b@example.com>: failed to expand ACL string "${if >{$h_X:}{5}}": "abc" is not a number`,
			`2026-11-20 09:00:00 H=(c) [203.0.113.9] F=<a@example.net> temporarily rejected RCPT <b@example.com>: failed to expand ACL string "${lookup dnsdb{a=$sender_address}}": lookup of "a=": unknown condition "foo"" gave DEFER: `,
			`2026-11-20 09:00:00 H=(c) [203.0.113.9] F=<a@example.net> rejected RCPT <b@example.com>: unknown ACL verb "x" in "x"`}, []string{`1: ""`, `2: ""`, `3: ""`}},
		"no room in Sendmail's queue": {[]string{
			"Nov 20 09:00:00 mx1 sm-mta[30]: 6AKA00d8000030: low on space (SMTP-DAEMON needs 0 bytes + 100 blocks in /var/spool/mqueue), max avail: 16",
			"Nov 20 09:00:00 mx1 sm-mta[30]: rejecting new messages: min free: 100",
			"Nov 20 09:00:00 mx1 sm-mta[31]: 6AKA00d8000031: low on space (c.example.net needs 0 bytes + 100 blocks in /var/spool/mqueue), max avail: 16",
			"Nov 20 09:00:00 mx1 sm-mta[31]: 6AKA00d8000031: low on space (c.example.net needs 0 bytes + 100 blocks in /var/spool/mqueue), max avail: 16",
			"Nov 20 09:00:00 mx1 sm-mta[32]: 6AKA00d8000032: low on space ([203.0.113.9] needs 1000 bytes + 100 blocks in /var/spool/mqueue), max avail: 16"}, []string{`3: disk "disk"`, `5: disk "disk"`}},
		"Exim's certificate": {[]string{
			"2026-11-20 09:00:00 TLS error on connection from c.example.net [203.0.113.9] (cert/key setup: cert=/etc/exim4/gone.pem key=/etc/exim4/key.pem): Error while reading file.",
			"2026-11-20 09:00:00 TLS error on connection from c.example.net (c) [203.0.113.9]:4711 I=[192.0.2.25]:25 (SSL_CTX_use_certificate_chain_file file=/etc/exim4/exim.crt): error:02001002:system library:fopen:No such file or directory",
			"2026-11-20 09:00:00 TLS error on connection from c.example.net [203.0.113.9] (gnutls_handshake): Decryption has failed.",
			"2026-11-20 09:00:00 TLS error on connection from (x [192.0.2.66] (cert/key setup: y) [203.0.113.9] (gnutls_handshake): Decryption has failed."},
			[]string{`1: certificate "certificate"`, `2: certificate "certificate"`}},
		"Postfix's certificate": {[]string{"Nov 20 09:00:00 mx1 postfix/smtps/smtpd[10]: warning: Wrapper-mode request dropped from c.example.net[203.0.113.9] for service smtps. TLS context initialization failed. For details see earlier warnings in your logs."},
			[]string{`1: certificate "certificate"`}},
		"Exim's capacity": {[]string{"2026-11-20 09:00:00 Connection from [203.0.113.9] refused: too many connections", "2026-11-20 09:00:00 Connection from [203.0.113.9] refused: too many connections from that IP address",
			"2026-11-20 09:00:00 Connection from [203.0.113.9] refused: load average = 12.00"}, []string{`1: capacity "capacity"`, `2: ""`, `3: capacity "capacity"`}},
		"postscreen's capacity": {[]string{"Nov 20 09:00:00 mx1 postfix/postscreen[10]: NOQUEUE: reject: CONNECT from [203.0.113.9]:4711: all server ports busy",
			"Nov 20 09:00:00 mx1 postfix/postscreen[10]: NOQUEUE: reject: CONNECT from [203.0.113.9]:4711: too many connections"}, []string{`1: capacity "capacity"`, `2: ""`}},
		"who only came by": {[]string{
			"Nov 20 09:00:00 mx1 sm-mta[32]: 6AKA00d8000032: [203.0.113.9] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA",
			"Nov 20 09:00:00 mx1 sm-mta[32]: 6AKA00d8000032: low on space ([203.0.113.9] needs 0 bytes + 100 blocks in /var/spool/mqueue), max avail: 16"}, nil},
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
