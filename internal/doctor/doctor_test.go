package doctor

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

func TestExpand(t *testing.T) {
	values := map[string]string{"a": "1", "b": "$a $a", "empty": "", "level": "3.6", "loop": "x$loop", "c": "${b}"}
	for in, want := range map[string]string{
		"plain":                         "plain",
		"$a/$(b)/${c}":                  "1/1 1/1 1",
		"$$a":                           "$a",
		"${a?yes}${empty?no}":           "yes",
		"${empty:else}${a:no}":          "else1",
		"${a?{x}:{y}}${empty?{x}:{$a}}": "x1",
		"${{$level} <level {3.10} ? {old} : {new}}": "old",
		"${{$level} <level {2} ? {old} : {}}":       "",
		"${{$a} == {1} ? {one}}":                    "one",
		"${{$a} >= {10} ? {x} : {y}}":               "y",
		"${{b} > {a} ? {x} : {y}}":                  "x",
		"${unfinished":                              "{unfinished",
		"$unknown$":                                 "$",
	} {
		if got := expand(in, func(n string) string { return values[n] }, 0); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
	if got := expand("$loop", func(n string) string { return values[n] }, 0); len(got) > maxExpanded {
		t.Errorf("a value that refers to itself is %d bytes", len(got))
	}
}

func TestEximList(t *testing.T) {
	for in, want := range map[string][]string{
		"a : b":                       {"a", "b"},
		"<; ::1 ; 127.0.0.1":          {"::1", "127.0.0.1"},
		"2001::db8 : b":               {"2001:db8", "b"},
		"":                            {""},
		":":                           {""},
		"a : ${if eq{a:b}{c}{d}} : e": {"a", "${if eq{a:b}{c}{d}}", "e"},
	} {
		if diff := cmp.Diff(want, eximList(in)); diff != "" {
			t.Errorf("%q: %s", in, diff)
		}
	}
}

func TestSendmailNet(t *testing.T) {
	for in, want := range map[string]string{"10": "10.0.0.0/8", "192.0.2": "192.0.2.0/24", "192.0.2.7": "192.0.2.7/32", "ipv6:2001:db8": "2001:db8::/32", "ipv6:2001:db8::7": "2001:db8::7/128",
		"example.com": "", "10.a": "", "1.2.3.4.5": "", "": ""} {
		got := ""
		if p, ok := sendmailNet(in); ok {
			got = p.String()
		}
		if got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestTooWide(t *testing.T) {
	for in, want := range map[string]bool{"0.0.0.0/0": true, "203.0.0.0/8": true, "203.0.0.0/16": true, "203.0.113.0/24": false, "10.0.0.0/8": false, "127.0.0.0/8": false,
		"172.16.0.0/12": false, "172.0.0.0/8": true, "::/0": true, "2001:db8::/32": true, "2001:db8::/48": false, "fe80::/10": false, "::1/128": false} {
		if got := isWide(netip.MustParsePrefix(in)); got != want {
			t.Errorf("%s: %v", in, got)
		}
	}
}

// TestDomains asks classes of each server for names.
func TestDomains(t *testing.T) {
	system := &there{files: map[string]string{"/etc/domains": "file.example\n# no.example\n", "/etc/postfix/map": "map.example  x\nuser@address.example  x\n"}}
	p, err := ReadPostfix("mydestination = a.example, /etc/domains\nrelay_domains = b.example !not.b.example\nvirtual_mailbox_domains = texthash:/etc/postfix/map\nvirtual_alias_domains = ldap:/etc/x", "", "", system)
	if err != nil {
		t.Fatal(err)
	}
	x, err := ReadExim("domainlist local_domains = a.example : *.below.example : lsearch;/etc/domains\ndomainlist relay_to_domains = ! x.example : /etc/nosuch\nacl_smtp_rcpt = r\nbegin acl\nr:\n  accept domains = +local_domains\n", "", "c", system)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		server Server
		domain string
		want   Truth
	}{
		{p, "a.example", Yes}, {p, "sub.a.example", Unknown}, {p, "file.example", Yes}, {p, "b.example", Yes}, {p, "sub.b.example", Yes}, {p, "map.example", Yes},
		{p, "address.example", Unknown}, {p, "other.example", Unknown},
		{x, "a.example", Yes}, {x, "q.below.example", Yes}, {x, "below.example", No}, {x, "file.example", Yes}, {x, "other.example", No},
	} {
		if got := tc.server.domainMissing(&Report{}, tc.domain); got != tc.want {
			t.Errorf("%v %s: %v, want %v", tc.server.mta(), tc.domain, got, tc.want)
		}
	}
}

func findingsOf(cause relaylens.Cause, kind relaylens.EntityKind, value string) []relaylens.Finding {
	at := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	return []relaylens.Finding{{Cause: cause, Fault: cause.Fault(), Entity: relaylens.Entity{Kind: kind, Value: value}, Events: 7, Clients: 3, First: at, Last: at}}
}

// TestLogAndConfiguration: what both show is confirmed; what the log shows and the
// configuration has is not explained by it; what nobody can know is said.
func TestLogAndConfiguration(t *testing.T) {
	lost := findingsOf(relaylens.CauseRecipientDomainNotConfigured, relaylens.EntityRecipientDomain, "Lost.example")
	for name, tc := range map[string]struct {
		dir         string
		findings    []relaylens.Finding
		check       Check
		unexplained int
	}{
		"a domain is missing in Postfix":  {"postfix/right", lost, DomainMissing, 0},
		"a domain is missing in Exim":     {"exim/right", lost, DomainMissing, 0},
		"a domain is missing in Sendmail": {"sendmail/right", lost, DomainMissing, 0},
		"the domain was added since":      {"postfix/right", findingsOf(relaylens.CauseRecipientDomainNotConfigured, relaylens.EntityRecipientDomain, "example.com"), "", 1},
		"a client is missing in Postfix":  {"postfix/right", findingsOf(relaylens.CauseClientNotInMynetworks, relaylens.EntityClient, "10.1.2.3"), ClientMissing, 0},
		"a client is missing in Exim":     {"exim/right", findingsOf(relaylens.CauseClientNotInMynetworks, relaylens.EntityClient, "2001:db8::9"), ClientMissing, 0},
		"a client is missing in Sendmail": {"sendmail/right", findingsOf(relaylens.CauseClientNotInMynetworks, relaylens.EntityClient, "10.1.2.3"), ClientMissing, 0},
		"a client that may relay":         {"sendmail/right", findingsOf(relaylens.CauseClientNotInMynetworks, relaylens.EntityClient, "10.7.2.3"), "", 1},
		"users are refused, and why":      {"exim/order-after", findingsOf(relaylens.CauseRestrictionOrder, relaylens.EntityServer, "mx1"), RestrictionOrder, 0},
		"users were refused":              {"exim/right", findingsOf(relaylens.CauseRestrictionOrder, relaylens.EntityServer, "mx1"), "", 1},
		"the backend is down, and gone":   {"postfix/socket-missing", findingsOf(relaylens.CauseAuthBackendUnavailable, relaylens.EntityServer, "mx1"), BackendMissing, 0},
		"the backend is down":             {"postfix/right", findingsOf(relaylens.CauseAuthBackendUnavailable, relaylens.EntityServer, "mx1"), "", 0},
		"scanners":                        {"postfix/right", findingsOf(relaylens.CauseOpenRelayProbe, relaylens.EntityServer, "mx1"), "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := Examine(load(t, "testdata/"+tc.dir), tc.findings)
			i := slices.IndexFunc(r.Complaints, func(c Complaint) bool { return c.Finding != nil })
			switch {
			case tc.check == "" && i >= 0:
				t.Errorf("confirmed: %+v", r.Complaints[i])
			case tc.check != "" && (i < 0 || r.Complaints[i].Check != tc.check):
				t.Errorf("not confirmed: %+v", r)
			}
			if len(r.Unexplained) != tc.unexplained {
				t.Errorf("unexplained: %v", r.Unexplained)
			}
			if text := string(r.AppendText(nil, time.UTC)); strings.Contains(text, "confirmed by configuration") != (tc.check != "") {
				t.Errorf("it says\n%s", text)
			}
		})
	}
}

// TestHostileNames: what a client wrote stands in no command and no file, and
// nothing of it reaches a terminal as it is.
func TestHostileNames(t *testing.T) {
	for _, name := range []string{"$(reboot).example", "a\x1b[2Jb.example", "-rf.example", "x;reboot.example", "\u202egro.example", "a b.example", "`id`.example"} {
		for _, dir := range []string{"postfix/right", "exim/right", "sendmail/right"} {
			r := Examine(load(t, "testdata/"+dir), findingsOf(relaylens.CauseRecipientDomainNotConfigured, relaylens.EntityRecipientDomain, name))
			if len(r.Complaints) != 1 {
				t.Fatalf("%q: %d complaints", name, len(r.Complaints))
			}
			for _, step := range r.Complaints[0].Fixes {
				if strings.Contains(step.Run+step.Text, name) {
					t.Errorf("%q is in %+v", name, step)
				}
			}
			checkShown(t, r)
		}
	}
}

// checkShown: the text has no control characters but the ends of its lines.
func checkShown(t *testing.T, r *Report) {
	t.Helper()
	for _, c := range string(r.AppendText(nil, time.UTC)) {
		if c < ' ' && c != '\n' || c == 0x7f || c >= 0x80 && c < 0xa0 || c == 0x202e {
			t.Errorf("%q is shown", c)
		}
	}
}

func TestWrongInput(t *testing.T) {
	for name, read := range map[string]func() error{
		"no settings":        func() error { _, err := ReadPostfix("hello\n", "", "", Elsewhere{}); return err },
		"no services":        func() error { _, err := ReadPostfix("a = b", "", "hello there", Elsewhere{}); return err },
		"no Exim options":    func() error { _, err := ReadExim("\n# x\n", "", "f", Elsewhere{}); return err },
		"sendmail.mc, no cf": func() error { _, err := ReadSendmail("define(`x', `y')dnl\n", "f", nil, Elsewhere{}); return err },
	} {
		if err := read(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// FuzzExamine reads anything as each server's configuration: it comes to an end,
// every complaint is complete, and nothing unsafe is shown.
func FuzzExamine(f *testing.F) {
	f.Add("smtpd_restriction_classes = a b\na = b b\nb = a a permit\nsmtpd_relay_restrictions = a, warn_if_reject reject\nmynetworks = 0.0.0.0/1 128.0.0.0/1", "smtp inet n - y - - smtpd -o { x = $y }")
	f.Add("acl_smtp_rcpt = a\ndomainlist a = +b : +b\ndomainlist b = +a : ! +a\nbegin acl\na:\n accept acl = a\n accept !acl = a\n deny domains = +a\n", "x")
	f.Add("Scheck_rcpt\nR$* $@ RELAY\nKaccess hash /x\nCR$=R\nO DaemonPortOptions=Port=587, M=A\n", "To:com RELAY\n10 RELAY")
	f.Fuzz(func(t *testing.T, a, b string) {
		findings := findingsOf(relaylens.CauseRecipientDomainNotConfigured, relaylens.EntityRecipientDomain, fmt.Sprintf("%.50s", b))
		var servers []Server
		if s, err := ReadPostfix(a, "", b, Elsewhere{}); err == nil {
			servers = append(servers, s)
		}
		if s, err := ReadExim(a, b, "exim.conf", Elsewhere{}); err == nil {
			servers = append(servers, s)
		}
		if s, err := ReadSendmail(a, "sendmail.cf", map[string]string{"access": b, "x": b}, Elsewhere{}); err == nil {
			servers = append(servers, s)
		}
		for _, s := range servers {
			r := Examine(s, findings)
			for _, c := range r.Complaints {
				if c.Text == "" || c.Cause == relaylens.CauseNone || len(c.Fixes) == 0 || len(c.References) == 0 {
					t.Errorf("%+v is incomplete", c)
				}
			}
			checkShown(t, r)
		}
	})
}

// What a configuration knows of passwords is shown to nobody.
func TestPasswordsAreNotShown(t *testing.T) {
	const secret = "hunter2"
	postfix, err := ReadPostfix(`myhostname = mx1.example.com
mynetworks = 0.0.0.0/0
smtpd_sasl_auth_enable = no
smtp_sasl_password_maps = static:joe:hunter2
virtual_mailbox_domains = mysql:user=joe password=hunter2
smtpd_recipient_restrictions = check_recipient_access ldap:bind_pw=hunter2, reject_unauth_destination, permit_sasl_authenticated
`, "", "", Elsewhere{})
	if err != nil {
		t.Fatal(err)
	}
	exim, err := ReadExim(`primary_hostname = mx1.example.com
hide mysql_servers = localhost/db/joe/hunter2
domainlist local_domains = example.com : mysql;SELECT 'hunter2'
hostlist relay_from_hosts = 0.0.0.0/0
acl_smtp_rcpt = acl_check_rcpt
daemon_smtp_ports = 25 : 587
begin acl
acl_check_rcpt:
  require verify = sender/callout
  deny domains = !+local_domains
  accept authenticated = *
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${if eq{$auth3}{hunter2}}
`, "", "/etc/exim4/exim4.conf", Elsewhere{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []Server{postfix, exim} {
		r := Examine(c, nil)
		if len(r.Complaints) == 0 {
			t.Errorf("%T: no complaints", c)
		}
		text := r.AppendText(nil, time.UTC)
		told, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text)+string(told), secret) {
			t.Errorf("%T: the password is shown:\n%s\n%s", c, text, told)
		}
	}
}

// Whether Dovecot listens where Postfix asks is told of a socket file alone.
func TestDovecotSocket(t *testing.T) {
	for path, want := range map[string]bool{"private/nosuch": true, "/run/nosuch": true, "unix:private/nosuch": true, "private/auth": false, "inet:nosuch.example:12345": false, "": false} {
		p, err := ReadPostfix("smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\nqueue_directory = /var/spool/postfix\nsmtpd_sasl_path = "+path+"\n", "", "smtp inet n - n - - smtpd\n", &there{})
		if err != nil {
			t.Fatal(err)
		}
		got := slices.ContainsFunc(Examine(p, nil).Complaints, func(c Complaint) bool { return c.Check == BackendMissing })
		if got != want {
			t.Errorf("%q: missing is %v, want %v", path, got, want)
		}
	}
}
