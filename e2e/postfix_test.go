//go:build e2e

package e2e

import "testing"

// startPostfix runs Debian's Postfix with rsyslog, or with a log file of its
// own where native is set.
func startPostfix(t *testing.T, native bool) *server {
	t.Helper()
	m := newMachine(t, "postfix")
	m.addUser("postfix", 951)
	m.addUser("postdrop", 952)
	m.addUser("vmail", 953)
	m.write("/etc/postfix/main.cf", postfixMain)
	m.write("/etc/postfix/master.cf", postfixMaster)
	m.write("/etc/postfix/mailboxes", "alice@example.com alice/\nbob@example.com bob/\n")
	m.write("/etc/postfix/sasl/smtpd.conf", "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\n")
	m.sh(`mkdir -p /var/vmail; chown 953:953 /var/vmail
		printf %s 'correct horse' | saslpasswd2 -p -c -u example.com alice; chmod 644 /etc/sasldb2
		chgrp postdrop /usr/sbin/postqueue /usr/sbin/postdrop /usr/sbin/postlog
		chmod 2755 /usr/sbin/postqueue /usr/sbin/postdrop /usr/sbin/postlog
		mkdir -p /var/spool/postfix /var/lib/postfix; chown 951 /var/lib/postfix`)
	s := &server{t: t, machine: m, address: "192.0.2.1:25",
		login: "alice@example.com", badSenderAt: "rcpt", asksHelo: true}
	if native {
		m.sh("postconf -e maillog_file=/var/log/postfix.log")
		s.logs = []string{"/var/log/postfix.log"}
		s.logrotate = rotatePostlogd
	} else {
		m.startSyslog("/var/log/mail.log")
		s.logs = []string{"/var/log/mail.log"}
		s.logrotate = rotateRsyslog
	}
	m.start("/usr/sbin/postfix", "start-fg")
	m.waitForPort(s.address)
	return s
}

const postfixMain = `compatibility_level = 3.6
myhostname = mx1.example.com
mydestination =
inet_interfaces = 192.0.2.1
inet_protocols = all
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = example.com
virtual_mailbox_maps = texthash:/etc/postfix/mailboxes
virtual_mailbox_base = /var/vmail
virtual_minimum_uid = 100
virtual_uid_maps = static:953
virtual_gid_maps = static:953
alias_maps =
smtpd_helo_required = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_path = smtpd
cyrus_sasl_config_path = /etc/postfix/sasl
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions = permit_sasl_authenticated, reject_unknown_sender_domain
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 1000
smtp_host_lookup = dns
bounce_queue_lifetime = 1h
`

const postfixMaster = `smtp inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
smtp unix - - n - - smtp
virtual unix - n n - - virtual
local unix - n n - - local
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
proxymap unix - - n - - proxymap
scache unix - - n - 1 scache
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
flush unix n - n 1000? 0 flush
showq unix n - n - - showq
postlog unix-dgram n - n - 1 postlogd
`

// rotateRsyslog is /etc/logrotate.d/rsyslog of Debian, but that the signal comes
// a second after the rename: for that time rsyslog writes to the old file.
const rotateRsyslog = `{
	rotate 4
	missingok
	nocompress
	create 0640 root adm
	sharedscripts
	postrotate
		sleep 1; kill -HUP $(cat /run/rsyslogd.pid)
	endscript
}
`

// rotatePostlogd: postlogd keeps its file open until it is told.
const rotatePostlogd = `{
	rotate 4
	nocompress
	create 0600 root root
	postrotate
		sleep 1; postfix reload
	endscript
}
`
