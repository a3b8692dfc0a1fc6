//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	words "github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier/knowledge"
)

// eximWith is a configuration with a fix in its place. Of what the fix sets the
// configuration has nothing itself.
func eximWith(place, text string) string {
	main := "primary_hostname = mx1.example.com\nlog_file_path = /var/log/exim4/%slog\n"
	for _, option := range []string{"domainlist local_domains = example.com", "hostlist relay_from_hosts = 127.0.0.1", "acl_smtp_rcpt = acl_check_rcpt"} {
		if name, _, _ := strings.Cut(option, " ="); !strings.HasPrefix(place, "main") || !strings.Contains(text, name) {
			main += option + "\n"
		}
	}
	acl, authenticators := "", ""
	switch {
	case strings.HasPrefix(place, "main"):
		main += text
	case strings.HasPrefix(place, "acl"):
		acl = "  " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ") + "\n"
	case strings.HasPrefix(place, "authenticators"):
		authenticators = "begin authenticators\n" + text
	}
	return main + "begin acl\nacl_check_rcpt:\n" + acl + "  accept domains = +local_domains\n" +
		"begin routers\nfail:\n  driver = redirect\n  domains = *.refused.example\n  allow_fail\n  data = :fail: unknown\nall:\n  driver = accept\n  transport = none\n" +
		"begin transports\nnone:\n  driver = appendfile\n  file = /dev/null\n" + authenticators
}

// TestEximFixes: Exim takes what is to be written into its configuration, and
// spares the sender's domain, where one is named, without sparing others.
func TestEximFixes(t *testing.T) {
	m := newMachine(t, "exim")
	m.addUser("Debian-exim", 954)
	m.sh(`mkdir -p /var/spool/exim4 /var/log/exim4; chown 954:954 /var/spool/exim4 /var/log/exim4`)
	event := &words.Event{MTA: words.Exim, Recipient: "bob@lost.example.com"}
	event.SetSender("alice@one.refused.example")
	exim := func(input string, args ...string) string {
		cmd := exec.Command("chroot", append([]string{m.root, "/usr/sbin/exim4", "-C", "/etc/exim4/fix.conf"}, args...)...)
		cmd.Stdin = strings.NewReader(input)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	for name, entry := range entries() {
		filled := entry.Fill(event)
		for _, fix := range filled.Fixes {
			for _, step := range fix.Exim {
				if step.Text == "" || strings.HasPrefix(step.File, "/") {
					continue
				}
				t.Run(name+"/"+fix.Title+"/"+step.File, func(t *testing.T) {
					m.write("/etc/exim4/fix.conf", eximWith(step.File, strings.ReplaceAll(step.Text, "{client_ip}", "192.0.2.9")))
					exim("", "-bV")
					if !strings.Contains(step.Text, "one.refused.example") {
						return
					}
					for from, want := range map[string]string{"a@one.refused.example": "\n250 Accepted", "a@two.refused.example": "\n550 "} {
						out := exim("EHLO x\r\nMAIL FROM:<"+from+">\r\nRCPT TO:<b@example.com>\r\nQUIT\r\n", "-bh", "203.0.113.9")
						if !strings.Contains(strings.ReplaceAll(out, "\r", ""), want) {
							t.Errorf("of %s Exim does not say %q:\n%s", from, want, out)
						}
					}
				})
			}
		}
	}
}

// entries are what is known of causes, and of what a server needs.
func entries() map[string]*knowledge.Entry {
	all := map[string]*knowledge.Entry{}
	for _, c := range words.Causes() {
		all[c.String()] = knowledge.Of(c)
		all[c.String()+", own"] = knowledge.OfFinding(&words.Finding{Cause: c, Fault: words.FaultServer, Evidence: make([]words.Event, 1)})
	}
	for _, h := range words.Helpers() {
		all[h.String()] = knowledge.OfHelper(h)
	}
	return all
}

// fixes calls f with each text to write into a file of a server.
func fixes(t *testing.T, of func(*knowledge.Fix) []knowledge.Step, file string, f func(t *testing.T, text string)) {
	for name, entry := range entries() {
		filled := entry.Fill(&words.Event{Recipient: "bob@lost.example.com", Sender: "alice@example.org"})
		for _, fix := range filled.Fixes {
			for _, step := range of(&fix) {
				if step.Text != "" && strings.HasPrefix(step.File, file) {
					t.Run(name+"/"+fix.Title+"/"+step.File, func(t *testing.T) { f(t, step.Text) })
				}
			}
		}
	}
}

// TestPostfixFixes: Postfix knows the parameters and reads the services. All of
// them at once, as postconf takes a second where it is slow to resolve names.
func TestPostfixFixes(t *testing.T) {
	m := newMachine(t, "postfix")
	m.addUser("postfix", 951)
	m.addUser("postdrop", 952)
	n := 0
	put := func(main, master string) {
		n++
		m.write(fmt.Sprintf("/etc/fix/%d/main.cf", n), "compatibility_level = 3.6\nmyhostname = mx1.example.com\n"+main)
		m.write(fmt.Sprintf("/etc/fix/%d/master.cf", n), master)
	}
	of := func(f *knowledge.Fix) []knowledge.Step { return f.Postfix }
	fixes(t, of, "/etc/postfix/main.cf", func(_ *testing.T, text string) { put(strings.ReplaceAll(text, "{postfix_net}", "192.0.2.9"), "") })
	fixes(t, of, "/etc/postfix/master.cf", func(_ *testing.T, text string) { put("", text) })
	out, err := exec.Command("chroot", m.root, "sh", "-c", "for d in /etc/fix/*; do postconf -c $d -n > /dev/null & postconf -c $d -M > /dev/null & done; wait").CombinedOutput()
	if err != nil || len(out) > 0 || n < 10 {
		t.Errorf("%d fixes, postconf: %v\n%s", n, err, out)
	}
}

// TestSendmailFixes: m4 takes what is to be written, and a server that opens one
// more port still opens port 25, and none twice.
func TestSendmailFixes(t *testing.T) {
	m := newMachine(t, "sendmail")
	of := func(f *knowledge.Fix) []knowledge.Step { return f.Sendmail }
	fixes(t, of, "/etc/mail/sendmail.mc", func(t *testing.T, text string) {
		m.write("/etc/mail/fix.mc", "divert(-1)dnl\ninclude(`/usr/share/sendmail/cf/m4/cf.m4')dnl\nOSTYPE(`linux')dnl\nFEATURE(`access_db')dnl\n"+text+"MAILER(`local')dnl\nMAILER(`smtp')dnl\n")
		var said bytes.Buffer
		cmd := exec.Command("chroot", m.root, "m4", "/etc/mail/fix.mc")
		cmd.Stderr = &said
		out, err := cmd.Output()
		if err != nil || said.Len() > 0 {
			t.Fatalf("m4: %v\n%s", err, &said)
		}
		ports := map[string]int{}
		for line := range strings.Lines(string(out)) {
			if options, ok := strings.CutPrefix(line, "O DaemonPortOptions="); ok {
				port := "smtp"
				if _, rest, ok := strings.Cut(options, "Port="); ok {
					port, _, _ = strings.Cut(strings.TrimSpace(rest), ",")
				}
				ports[strings.ReplaceAll(port, "587", "submission")]++
			}
		}
		if ports["smtp"] == 0 || ports["submission"] > 1 {
			t.Errorf("it opens %v", ports)
		}
	})
}
