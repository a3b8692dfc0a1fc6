//go:build e2e

package e2e

import "testing"

const doctorMC = `divert(-1)dnl
include(` + "`/usr/share/sendmail/cf/m4/cf.m4'" + `)dnl
OSTYPE(` + "`debian'" + `)dnl
define(` + "`confDOMAIN_NAME', `mx1.example.com'" + `)dnl
define(` + "`confAUTH_MECHANISMS', `PLAIN LOGIN'" + `)dnl
define(` + "`confAUTH_OPTIONS', `A p'" + `)dnl
TRUST_AUTH_MECH(` + "`PLAIN LOGIN'" + `)dnl
define(` + "`confSERVER_CERT', `/etc/mail/mx1.crt'" + `)dnl
define(` + "`confSERVER_KEY', `/etc/mail/mx1.key'" + `)dnl
FEATURE(` + "`use_cw_file'" + `)dnl
FEATURE(` + "`access_db'" + `)dnl
FEATURE(` + "`mailertable'" + `)dnl
FEATURE(` + "`no_default_msa'" + `)dnl
FEATURE(` + "`dnsbl', `zen.spamhaus.org'" + `)dnl
DAEMON_OPTIONS(` + "`Name=MTA, Family=inet, Addr=192.0.2.3, Port=smtp'" + `)dnl
DAEMON_OPTIONS(` + "`Name=MSA, Family=inet, Addr=192.0.2.3, Port=submission, M=Ea'" + `)dnl
MAILER(` + "`local'" + `)dnl
MAILER(` + "`smtp'" + `)dnl
`

// The files that sendmail.cf names, in one text with a line before each.
const doctorFiles = `== /etc/mail/local-host-names
example.com
mx1.example.com
== /etc/mail/relay-domains
partner.example
192.0.2
== /etc/mail/access
Connect:10.7  RELAY
To:other.example  RELAY
From:spam.example  REJECT
== /etc/mail/mailertable
partner.example  esmtp:[192.0.2.25]
== /usr/lib/sasl2/Sendmail.conf
pwcheck_method: saslauthd
`

var sendmailMistakes = []mistake{
	{name: "right"},
	{name: "order", edit: []string{"TRUST_AUTH_MECH(`PLAIN LOGIN')dnl\n", ""}, want: []string{"restriction_order"}},
	{name: "order-one", edit: []string{"TRUST_AUTH_MECH(`PLAIN LOGIN')dnl\n", "TRUST_AUTH_MECH(`LOGIN')dnl\n"}, want: []string{"restriction_order"}},
	{name: "sasl-off", edit: []string{"TRUST_AUTH_MECH(`PLAIN LOGIN')dnl\n", "", "define(`confAUTH_MECHANISMS', `PLAIN LOGIN')dnl\n", ""}, want: []string{"sasl_off"}},
	{name: "socket-missing", do: "rm /run/saslauthd/mux", want: []string{"auth_backend_missing"}},
	{name: "submission-missing", edit: []string{"Port=submission", "Port=2525"}, want: []string{"submission_missing"}},
	{name: "submission-without-auth", edit: []string{"M=Ea", "M=EA"}, want: []string{"submission_without_auth"}},
	{name: "submission-without-tls", edit: []string{"M=Ea", "M=EaS"}, want: []string{"submission_without_tls"}},
	{name: "no-certificate", edit: []string{"define(`confSERVER_CERT', `/etc/mail/mx1.crt')dnl\n", "", "`A p'", "`A'"}, want: []string{"submission_without_tls"}},
	{name: "networks-wide", edit: []string{"Connect:10.7", "Connect:203"}, want: []string{"networks_too_wide"}},
	{name: "networks-wide-class", edit: []string{"192.0.2\n", "203\n"}, want: []string{"networks_too_wide"}},
	{name: "two-classes", edit: []string{"partner.example\n192", "partner.example\nexample.com\n192"}, want: []string{"domain_in_two_classes"}},
	{name: "open-relay", edit: []string{"FEATURE(`access_db')", "FEATURE(`promiscuous_relay')dnl\nFEATURE(`access_db')"}, want: []string{"open_relay"}},
	{name: "open-relay-by-sender", edit: []string{"FEATURE(`access_db')", "FEATURE(`relay_local_from')dnl\nFEATURE(`access_db')"}, want: []string{"open_relay"}},
	{name: "open-relay-by-domain", edit: []string{"To:other.example", "To:com"}, want: []string{"open_relay"}},
	{name: "callout", edit: []string{"MAILER(`local')", "INPUT_MAIL_FILTER(`milter-sender', `S=local:/run/milter-sender, F=T')dnl\nMAILER(`local')"}, want: []string{"sender_callout"}},
	{name: "dead-blocklist", edit: []string{"zen.spamhaus.org", "dnsbl.njabl.org"}, want: []string{"dead_dnsbl"}},
}

func TestDoctorSendmail(t *testing.T) {
	m := newMachine(t, "sendmail")
	startDNS(t)
	m.write("/etc/mail/mx1.crt", "")
	saved := map[string]string{}
	for _, file := range []string{"sendmail.cf", "access", "relay-domains", "local-host-names", "mailertable"} {
		saved[file] = "grep -v '^#' /etc/mail/" + file + " | grep ."
	}
	m.examine(sendmailMistakes, saved, func(f *mistake) {
		texts := f.replaced(t, doctorMC, doctorFiles)
		m.write("/etc/mail/sendmail.mc", texts[0])
		m.write("/tmp/files", texts[1])
		m.sh(`awk '/^== /{f=$2; printf "" > f; next} {print > f}' /tmp/files
			mkdir -p /run/saslauthd; touch /run/saslauthd/mux; rm -rf /var/run; ln -s /run /var/run
			m4 /etc/mail/sendmail.mc > /etc/mail/sendmail.cf`)
		m.sh(f.do)
	})
}
