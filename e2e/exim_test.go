//go:build e2e

package e2e

import "testing"

// startExim runs Debian's exim4-daemon-heavy, which writes its logs itself.
func startExim(t *testing.T) *server {
	t.Helper()
	m := newMachine(t, "exim")
	m.addUser("Debian-exim", 954)
	m.write("/etc/exim4/exim4.conf", eximConf)
	m.sh(`mkdir -p /var/spool/exim4 /var/log/exim4 /var/vmail
		chown 954:954 /var/spool/exim4 /var/log/exim4 /var/vmail; chmod 2750 /var/log/exim4`)
	m.start("/usr/sbin/exim4", "-bdf", "-q1m")
	s := &server{t: t, machine: m, address: "192.0.2.2:25",
		login: "alice@example.com", badSenderAt: "rcpt", asksHelo: true,
		logs:      []string{"/var/log/exim4/mainlog", "/var/log/exim4/rejectlog"},
		logrotate: rotateExim}
	m.waitForPort(s.address)
	return s
}

const eximConf = `primary_hostname = mx1.example.com
domainlist local_domains = example.com
hostlist relay_from_hosts = <; 127.0.0.1
local_interfaces = <; 192.0.2.2
acl_smtp_rcpt = acl_check_rcpt
acl_smtp_data = acl_check_data
host_lookup = *
dns_again_means_nonexist =
helo_allow_chars = _=[]()
tls_advertise_hosts =
keep_environment =
smtp_accept_max_nonmail = 100
never_users = root
log_file_path = /var/log/exim4/%slog
log_selector = +smtp_protocol_error

begin acl
acl_check_rcpt:
  accept hosts = :
  accept authenticated = *
         control = submission/sender_retain
  require message = relay not permitted
          domains = +local_domains
  require verify = sender
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
  cannot_route_message = Unknown user

begin transports
remote_smtp:
  driver = smtp
mailbox:
  driver = appendfile
  file = /var/vmail/$local_part_data
  user = Debian-exim
  group = Debian-exim
  mode_fail_narrower = false

begin retry
* * F,2h,15m

begin authenticators
plain_server:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${if and{{eq{$auth2}{alice@example.com}}{eq{$auth3}{correct horse}}}}
  server_set_id = $auth2
  server_prompts = :
`

// rotateExim is /etc/logrotate.d/exim4-base of Debian. Exim opens its log for
// each message, so nobody has to be told.
const rotateExim = `{
	rotate 10
	missingok
	nocompress
	create 640 Debian-exim adm
}
`
