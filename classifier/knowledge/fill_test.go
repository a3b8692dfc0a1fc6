package knowledge

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relaylens/relaylens"
)

// hostileEvent has something to say to a shell in every field.
func hostileEvent() *relaylens.Event {
	e := &relaylens.Event{
		ClientIP: netip.MustParseAddr("203.0.113.9"), User: "`reboot`; $(reboot) 'x", Host: "mx1", QueueID: "4F1A2B3C",
		Recipient: `$(reboot)'; reboot #@example.net`, RemoteHost: "mx.example.net",
	}
	e.SetSender(`"a b' $HOME \ %s!!"@example.com`)
	return e
}

func TestCommand(t *testing.T) {
	null := &relaylens.Event{NullSender: true}
	tests := []struct {
		template, want string
		event          *relaylens.Event
	}{
		{"swaks --to {recipient}", "swaks --to b@example.net", &relaylens.Event{Recipient: "b@example.net"}},
		{"swaks --to {recipient}", "swaks --to '$(reboot)@x'", &relaylens.Event{Recipient: "$(reboot)@x"}},
		{"swaks --to {recipient}", `swaks --to 'o'\''neil@example.net'`, &relaylens.Event{Recipient: "o'neil@example.net"}},
		{"printf '%s\\n' 'RCPT TO:<{recipient}>'", `printf '%s\n' 'RCPT TO:<o'\''neil@x>'`, &relaylens.Event{Recipient: "o'neil@x"}},
		{"swaks --to {recipient}", "swaks --to {recipient}", &relaylens.Event{Recipient: "-Cevil@example.net"}},
		{"swaks --to {recipient}", "swaks --to {recipient}", &relaylens.Event{Recipient: "a\nreboot@example.net"}},
		{"swaks --to {recipient}", "swaks --to {recipient}", &relaylens.Event{Recipient: "a\x1b[201~@example.net"}},
		{"swaks --to {recipient}", "swaks --to {recipient}", &relaylens.Event{Recipient: "a\u202egro.elpmaxe@x"}},
		{"swaks --to {recipient}", "swaks --to {recipient}", &relaylens.Event{Recipient: strings.Repeat("a", 400)}},
		{"swaks --to {recipient}", "swaks --to {recipient}", &relaylens.Event{}},
		{"swaks --to {recipient}", "swaks --to {recipient}", nil},
		{"dig MX {recipient_domain}", "dig MX {recipient_domain}", &relaylens.Event{Recipient: "a@+trace"}},
		{"dig MX {recipient_domain}", "dig MX {recipient_domain}", &relaylens.Event{Recipient: "a@$(reboot)"}},
		{"dig MX {recipient_domain}", "dig MX lost.example.com", &relaylens.Event{Recipient: "a@Lost.Example.com."}},
		{"dig MX {recipient_domain}", "dig MX 'bücher.example'", &relaylens.Event{Recipient: "a@bücher.example"}},
		{"swaks --from {sender}", "swaks --from '<>'", null},
		{"printf '%s\\n' 'MAIL FROM:<{sender}>'", "printf '%s\\n' 'MAIL FROM:<>'", null},
		{"exim -bh {client_ip}", "exim -bh 2001:db8::5", &relaylens.Event{ClientIP: netip.MustParseAddr("2001:db8::5")}},
		{"x {postfix_net} {sendmail_net}", "x '[2001:db8::5]/128' IPv6:2001:db8:0:0:0:0:0:5", &relaylens.Event{ClientIP: netip.MustParseAddr("2001:db8::5")}},
		{"x {postfix_net} {sendmail_net}", "x 192.0.2.7 192.0.2.7", &relaylens.Event{ClientIP: netip.MustParseAddr("::ffff:192.0.2.7")}},
		{"relaylens events user={user} {log}", "relaylens events user=joe /var/log/exim4/mainlog", &relaylens.Event{MTA: relaylens.Exim, User: "joe"}},
		{"relaylens events {log}.1 {log}", "relaylens events /var/log/mail.log.1 /var/log/mail.log", &relaylens.Event{MTA: relaylens.Sendmail}},
		{"relaylens events {log}", "relaylens events {log}", &relaylens.Event{}},
		{"x {nothing} ${x}", "x {nothing} ${x}", &relaylens.Event{}},
		{"swaks --server {remote_host}", "swaks --server 198.51.100.25", &relaylens.Event{RemoteHost: "a b", RemoteIP: netip.MustParseAddr("198.51.100.25")}},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			if got := Command(tt.template, tt.event); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// TestShell has a real shell read each value that was filled in: it must be one
// word, unchanged, and nothing may run.
func TestShell(t *testing.T) {
	values := []string{
		"$(reboot)@x", "`id`@x", "a;b@x", "a'b@x", `a"b@x`, `a\b@x`, "a b@x", "a|b&c@x", "~root@x", "*@x", "!!@x", "#@x",
		"a>b<c@x", "'", "''", `'\''`, "$HOME@x", "{sender}@x", "a=b@x", "=x@x", "é@x", "%s%n@x", "'; touch ran; '@x", "$(touch ran)@x",
	}
	dir := t.TempDir()
	for _, v := range values {
		t.Run(v, func(t *testing.T) {
			e := &relaylens.Event{Recipient: v}
			for template, want := range map[string]string{
				"printf %s {recipient}":                v,
				"printf %s x{recipient}":               "x" + v,
				"printf %s 'to=<{recipient}>'":         "to=<" + v + ">",
				"printf %s $(printf %s {recipient})xx": "",
			} {
				cmd := exec.CommandContext(t.Context(), "sh", "-f", "-c", Command(template, e))
				cmd.Dir = dir
				out, err := cmd.CombinedOutput()
				if err != nil || want != "" && string(out) != want {
					t.Errorf("%s: %q, %v, want %q", template, out, err, want)
				}
			}
			if _, err := os.Stat(filepath.Join(dir, "ran")); err == nil {
				t.Fatal("the value ran as a command")
			}
		})
	}
}

func FuzzCommand(f *testing.F) {
	for _, s := range []string{"a@x", "$(reboot)@x", "a'b@x", "a\x00b", "-x", "\xff@x", "a\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e := &relaylens.Event{Recipient: s, User: s, Host: s, RemoteHost: s, QueueID: s}
		e.SetSender(s)
		for name := range placeholders {
			got := Command("{"+name+"}", e)
			if relaylens.Escaped(got, 0) != got {
				t.Fatalf("%s: %q would do something to a terminal", name, got)
			}
			if strings.HasPrefix(got, "-") {
				t.Fatalf("%s: %q is an option", name, got)
			}
			if word, ok := unquote(got); !ok || word != got && word != s && word != "<>" && !strings.Contains(strings.ToLower(s), word) {
				t.Fatalf("%s: %q is not one word of the shell for %q", name, got, s)
			}
		}
	})
}

// unquote reads s as a shell does; ok is false when it is more than a word.
func unquote(s string) (word string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\'':
			end := strings.IndexByte(s[i+1:], '\'')
			if end < 0 {
				return "", false
			}
			b.WriteString(s[i+1 : i+1+end])
			i += end + 1
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case strings.IndexByte(" \t\n\"`$&|;<>()*?[#~!\\", c) >= 0:
			return "", false
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), true
}

// TestFill: the shared entry stays as it was, and nothing that was filled in
// needs escaping.
func TestFill(t *testing.T) {
	before := Page()
	for _, c := range relaylens.Causes() {
		filled := Of(c).Fill(hostileEvent())
		for _, check := range filled.Checks {
			if relaylens.Escaped(check.Run, 0) != check.Run {
				t.Errorf("%q needs escaping", check.Run)
			}
		}
	}
	if Page() != before {
		t.Error("filling an entry changed it")
	}
	e := Of(relaylens.CauseRecipientDomainNotConfigured).Fill(&relaylens.Event{Recipient: "b@lost.example.com"})
	if got := e.Fixes[0].Exim[1].Text; !strings.Contains(got, "@ : lost.example.com") {
		t.Errorf("the file says %q", got)
	}
}
