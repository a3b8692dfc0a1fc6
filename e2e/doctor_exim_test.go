//go:build e2e

package e2e

import "testing"

const doctorExim = `primary_hostname = mx1.example.com
domainlist local_domains = @ : example.com
domainlist relay_to_domains = partner.example
hostlist relay_from_hosts = <; 127.0.0.1 ; ::1 ; 192.0.2.0/28
acl_smtp_rcpt = acl_check_rcpt
acl_smtp_data = acl_check_data
daemon_smtp_ports = 25 : 587
tls_advertise_hosts = *
tls_certificate = /etc/exim4/mx1.crt
tls_privatekey = /etc/exim4/mx1.key
auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}

begin acl
acl_check_rcpt:
  accept hosts = :
         control = dkim_disable_verify
  deny   message = Restricted characters in address
         domains = +local_domains
         local_parts = ^[.] : ^.*[@%!/|]
  require verify = sender
  accept hosts = +relay_from_hosts
         control = submission
  accept authenticated = *
         control = submission
  require message = relay not permitted
          domains = +local_domains : +relay_to_domains
  deny   dnslists = zen.spamhaus.org
  require verify = recipient
  accept
acl_check_data:
  accept

begin routers
nonlocal:
  driver = dnslookup
  domains = ! +local_domains
  transport = remote_smtp
  no_more
local_user:
  driver = accept
  local_parts = alice : bob
  transport = mailbox

begin transports
remote_smtp:
  driver = smtp
mailbox:
  driver = appendfile
  file = /var/vmail/$local_part_data
  user = Debian-exim

begin authenticators
dovecot_plain:
  driver = dovecot
  public_name = PLAIN
  server_socket = /run/dovecot/auth-client
  server_set_id = $auth1
`

var eximMistakes = []mistake{
	{name: "right"},
	{name: "order-after", edit: []string{"  accept authenticated = *\n         control = submission\n", "", "  require verify = recipient\n", "  accept authenticated = *\n  require verify = recipient\n"}, want: []string{"restriction_order"}},
	{name: "order-missing", edit: []string{"  accept authenticated = *\n         control = submission\n", ""}, want: []string{"restriction_order"}},
	{name: "sasl-off", edit: []string{"dovecot_plain:\n  driver = dovecot\n  public_name = PLAIN\n  server_socket = /run/dovecot/auth-client\n  server_set_id = $auth1\n", ""}, want: []string{"sasl_off"}},
	{name: "auth-to-nobody", edit: []string{"auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}", "auth_advertise_hosts ="}, want: []string{"sasl_off"}},
	{name: "socket-missing", edit: []string{"/run/dovecot/auth-client", "/run/dovecot/nosuch"}, want: []string{"auth_backend_missing"}},
	{name: "passwords-missing", edit: []string{"driver = dovecot\n", "driver = plaintext\n", "  server_socket = /run/dovecot/auth-client\n  server_set_id = $auth1\n",
		"  server_prompts = :\n  server_condition = ${if crypteq{$auth3}{${lookup{$auth2}lsearch{/etc/exim4/nosuch}{$value}{*}}}}\n  server_set_id = $auth2\n"}, want: []string{"auth_backend_missing"}},
	{name: "submission-missing", edit: []string{"daemon_smtp_ports = 25 : 587", "daemon_smtp_ports = 25"}, want: []string{"submission_missing"}},
	{name: "submission-without-tls", edit: []string{"tls_advertise_hosts = *", "tls_advertise_hosts ="}, want: []string{"submission_without_tls"}},
	{name: "networks-wide", edit: []string{"192.0.2.0/28", "203.0.0.0/8"}, want: []string{"networks_too_wide"}},
	{name: "networks-everybody", edit: []string{"192.0.2.0/28", "0.0.0.0/0"}, want: []string{"networks_too_wide", "open_relay"}},
	{name: "two-classes", edit: []string{"relay_to_domains = partner.example", "relay_to_domains = partner.example : example.com"}, want: []string{"domain_in_two_classes"}},
	{name: "open-relay", edit: []string{"  require message = relay not permitted\n          domains = +local_domains : +relay_to_domains\n", ""}, want: []string{"open_relay"}},
	{name: "open-relay-by-list", edit: []string{"relay_to_domains = partner.example", "relay_to_domains = *"}, want: []string{"open_relay"}},
	{name: "open-relay-by-sender", edit: []string{"  accept hosts = +relay_from_hosts\n", "  accept sender_domains = +local_domains\n  accept hosts = +relay_from_hosts\n"}, want: []string{"open_relay"}},
	{name: "callout", edit: []string{"require verify = sender\n", "require verify = sender/callout=10s\n"}, want: []string{"sender_callout"}},
	{name: "dead-blocklist", edit: []string{"zen.spamhaus.org", "zen.spamhaus.org : dul.dnsbl.sorbs.net=127.0.0.10"}, want: []string{"dead_dnsbl"}},
}

func TestDoctorExim(t *testing.T) {
	m := newMachine(t, "exim")
	startDNS(t)
	m.addUser("Debian-exim", 954)
	m.sh("mkdir -p /var/spool/exim4 /var/log/exim4; chown 954:954 /var/spool/exim4 /var/log/exim4")
	m.certificate("/etc/exim4/mx1")
	m.socket("/run/dovecot/auth-client")
	m.examine(eximMistakes, map[string]string{"config": "exim4 -bP config", "options": "exim4 -bP"}, func(f *mistake) {
		m.write("/etc/exim4/exim4.conf", f.replaced(t, doctorExim)[0])
	})
}
