//go:build e2e

package e2e

import "testing"

const doctorMain = `compatibility_level = 3.6
myhostname = mx1.example.com
mydestination = $myhostname, localhost
mynetworks = 127.0.0.0/8 [::1]/128 192.0.2.0/28
virtual_mailbox_domains = example.com
virtual_mailbox_maps = texthash:/etc/postfix/mailboxes
relay_domains = partner.example
smtpd_tls_chain_files = /etc/postfix/mx1.key, /etc/postfix/mx1.crt
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_rbl_client zen.spamhaus.org, reject_unknown_sender_domain
`

const doctorMaster = `smtp inet n - y - - smtpd
submission inet n - y - - smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_client_restrictions=
  -o smtpd_recipient_restrictions=
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
127.0.0.1:10025 inet n - y - - smtpd
  -o smtpd_recipient_restrictions=permit_mynetworks,reject
  -o smtpd_sasl_auth_enable=no
cleanup unix n - y - 0 cleanup
`

var postfixMistakes = []mistake{
	{name: "right"},
	{name: "order-missing", edit: []string{"smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated,", "smtpd_relay_restrictions = permit_mynetworks,"}, want: []string{"restriction_order"}},
	{name: "order-after", edit: []string{"permit_sasl_authenticated, reject_unauth_destination", "reject_unauth_destination, permit_sasl_authenticated"}, want: []string{"restriction_order"}},
	{name: "order-recipient", edit: []string{"restrictions = permit_mynetworks, permit_sasl_authenticated, reject_rbl", "restrictions = permit_mynetworks, reject_unauth_destination, permit_sasl_authenticated, reject_rbl"}, want: []string{"restriction_order"}},
	{name: "order-blocklist", edit: []string{"permit_sasl_authenticated, reject_rbl_client zen.spamhaus.org", "reject_rbl_client zen.spamhaus.org, permit_sasl_authenticated"}, want: []string{"restriction_order"}},
	{name: "order-submission", edit: []string{"permit_sasl_authenticated,reject\n", "permit_mynetworks,reject\n"}, want: []string{"restriction_order"}},
	{name: "order-early", edit: []string{"smtpd_client_restrictions=", "smtpd_delay_reject=no\n  -o smtpd_client_restrictions=permit_sasl_authenticated,reject"}, want: []string{"restriction_order"}},
	{name: "sasl-off", edit: []string{"smtpd_sasl_auth_enable = yes", "smtpd_sasl_auth_enable = no", "  -o smtpd_sasl_auth_enable=yes\n", ""}, want: []string{"sasl_off"}},
	{name: "socket-missing", edit: []string{"private/auth", "private/dovecot"}, want: []string{"auth_backend_missing"}},
	{name: "submission-missing", edit: []string{"submission inet", "2525 inet"}, want: []string{"submission_missing"}},
	{name: "submission-without-auth", edit: []string{"-o smtpd_sasl_auth_enable=yes", "-o smtpd_sasl_auth_enable=no"}, want: []string{"submission_without_auth"}},
	{name: "submission-without-tls", edit: []string{"-o smtpd_tls_security_level=encrypt", "-o smtpd_tls_security_level=none"}, want: []string{"submission_without_tls"}},
	{name: "certificate-missing", edit: []string{"mx1.key, /etc/postfix/mx1.crt", "nosuch.pem"}, want: []string{"submission_without_tls"}},
	{name: "networks-wide", edit: []string{"192.0.2.0/28", "203.0.0.0/8"}, want: []string{"networks_too_wide"}},
	{name: "networks-everybody", edit: []string{"192.0.2.0/28", "0.0.0.0/0"}, want: []string{"networks_too_wide", "open_relay"}},
	{name: "two-classes", edit: []string{"relay_domains = partner.example", "relay_domains = partner.example, example.com"}, want: []string{"domain_in_two_classes"}},
	{name: "open-relay", edit: []string{"reject_unauth_destination", "permit"}, want: []string{"open_relay"}},
	{name: "open-relay-by-permit", edit: []string{"reject_unauth_destination", "permit, reject_unauth_destination"}, want: []string{"open_relay"}},
	{name: "open-relay-by-sender", edit: []string{"smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated,", "smtpd_relay_restrictions = check_sender_access texthash:/etc/postfix/senders, permit_mynetworks, permit_sasl_authenticated,"},
		do: "echo 'example.com OK' > /etc/postfix/senders", want: []string{"open_relay"}},
	{name: "callout", edit: []string{"reject_unknown_sender_domain", "reject_unverified_sender"}, want: []string{"sender_callout"}},
	{name: "dead-blocklist", edit: []string{"reject_rbl_client zen.spamhaus.org", "reject_rbl_client relays.ordb.org"}, want: []string{"dead_dnsbl"}},
}

func TestDoctorPostfix(t *testing.T) {
	m := newMachine(t, "postfix")
	startDNS(t)
	m.addUser("postfix", 951)
	m.addUser("postdrop", 952)
	m.write("/etc/postfix/mailboxes", "alice@example.com alice/\n")
	m.certificate("/etc/postfix/mx1")
	m.socket("/var/spool/postfix/private/auth")
	m.examine(postfixMistakes, map[string]string{"postconf-n": "postconf -n", "postconf-M": "postconf -M", "postconf-d": "postconf -d"}, func(f *mistake) {
		texts := f.replaced(t, doctorMain, doctorMaster)
		m.write("/etc/postfix/main.cf", texts[0])
		m.write("/etc/postfix/master.cf", texts[1])
		m.sh(f.do)
		// Postfix's tools wait until a file has not changed for two seconds.
		m.sh("touch -d '1 hour ago' /etc/postfix/*")
	})
}
