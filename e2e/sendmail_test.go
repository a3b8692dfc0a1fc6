//go:build e2e

package e2e

import "testing"

// startSendmail runs Debian's Sendmail with rsyslog.
func startSendmail(t *testing.T) *server {
	t.Helper()
	return startSendmailWith(t, sendmailMC)
}

// startSendmailWith is startSendmail with another configuration.
func startSendmailWith(t *testing.T, mc string) *server {
	t.Helper()
	m := newMachine(t, "sendmail")
	m.addUser("smmta", 955)
	m.addUser("smmsp", 956)
	m.write("/etc/mail/sendmail.mc", mc)
	m.write("/etc/mail/local-host-names", "example.com\nmx1.example.com\n")
	m.write("/etc/mail/aliases", "alice: /dev/null\nbob: /dev/null\npostmaster: /dev/null\nMAILER-DAEMON: postmaster\n")
	m.write("/etc/mail/access", "")
	m.write("/usr/lib/sasl2/Sendmail.conf", "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\n")
	m.sh(`mkdir -p /var/spool/mqueue /run/sendmail/mta /var/lib/sendmail; chmod 700 /var/spool/mqueue
		printf %s 'correct horse' | saslpasswd2 -p -c -u example.com alice
		chmod 600 /etc/sasldb2
		m4 /etc/mail/sendmail.mc > /etc/mail/sendmail.cf`)
	m.startSyslog("/var/log/mail.log")
	m.sh(`/usr/libexec/sendmail/sendmail -bi`)
	m.start("/usr/libexec/sendmail/sendmail", "-L", "sm-mta", "-bD", "-q1m")
	s := &server{t: t, machine: m, address: "192.0.2.3:25",
		login: "alice@example.com", badSenderAt: "mail",
		logs: []string{"/var/log/mail.log"}, logrotate: rotateRsyslog}
	m.waitForPort(s.address)
	return s
}

const sendmailMC = `divert(-1)dnl
include(` + "`/usr/share/sendmail/cf/m4/cf.m4'" + `)dnl
OSTYPE(` + "`debian'" + `)dnl
undefine(` + "`confHOST_STATUS_DIRECTORY'" + `)dnl
define(` + "`confDOMAIN_NAME', `mx1.example.com'" + `)dnl
define(` + "`confLOG_LEVEL', `10'" + `)dnl
define(` + "`confAUTH_MECHANISMS', `PLAIN LOGIN'" + `)dnl
define(` + "`confAUTH_OPTIONS', `A'" + `)dnl
TRUST_AUTH_MECH(` + "`PLAIN LOGIN'" + `)dnl
define(` + "`confTO_IDENT', `0'" + `)dnl
define(` + "`confCONNECTION_RATE_THROTTLE', `0'" + `)dnl
define(` + "`confBAD_RCPT_THROTTLE', `0'" + `)dnl
define(` + "`confREFUSE_LA', `1000'" + `)dnl
define(` + "`confQUEUE_LA', `1000'" + `)dnl
define(` + "`ALIAS_FILE', `/etc/mail/aliases'" + `)dnl
FEATURE(` + "`use_cw_file'" + `)dnl
FEATURE(` + "`no_default_msa'" + `)dnl
DAEMON_OPTIONS(` + "`Name=MTA, Family=inet, Addr=192.0.2.3, Port=smtp'" + `)dnl
MAILER(` + "`local'" + `)dnl
MAILER(` + "`smtp'" + `)dnl
`
