package doctor

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// there is a System on which everything is there but what is called so in the
// recorded configurations.
type there struct {
	files   map[string]string
	missing []string
}

func (s *there) Exists(path string) Truth {
	return truth(!strings.Contains(path, "nosuch") && !slices.Contains(s.missing, path))
}

func (s *there) ReadFile(path string) (string, bool) { text, ok := s.files[path]; return text, ok }

func (s *there) Lookup(string, string) Truth { return Unknown }

// recorded reads a file of a case, or that of the right configuration.
func recorded(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if os.IsNotExist(err) {
		text, err = os.ReadFile(filepath.Join(filepath.Dir(dir), "right", name))
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// load reads a recorded configuration of the server that the directory names.
func load(t *testing.T, dir string) Server {
	t.Helper()
	s := &there{files: map[string]string{
		"/etc/postfix/mailboxes":        "alice@example.com alice/\n",
		"/etc/postfix/senders":          "example.com OK\n",
		"/usr/lib/sasl2/Sendmail.conf":  "pwcheck_method: saslauthd\n",
		"/etc/mail/access":              "",
		"/etc/postfix/sasl/smtpd2.conf": "",
	}, missing: []string{"/var/spool/postfix/private/dovecot"}}
	var server Server
	var err error
	switch filepath.Base(filepath.Dir(dir)) {
	case "postfix":
		server, err = ReadPostfix(recorded(t, dir, "postconf-n"), recorded(t, dir, "postconf-d"), recorded(t, dir, "postconf-M"), s)
	case "exim":
		server, err = ReadExim(recorded(t, dir, "config"), recorded(t, dir, "options"), "/etc/exim4/exim4.conf", s)
	case "sendmail":
		if filepath.Base(dir) == "socket-missing" {
			s.missing = append(s.missing, "/var/run/saslauthd/mux")
		}
		given := map[string]string{}
		for _, name := range []string{"access", "relay-domains", "local-host-names", "mailertable"} {
			given[name] = recorded(t, dir, name)
		}
		server, err = ReadSendmail(recorded(t, dir, "sendmail.cf"), "/etc/mail/sendmail.cf", given, s)
	}
	if err != nil {
		t.Fatal(err)
	}
	return server
}

func checksOf(r *Report) []string {
	list := []string{}
	for _, c := range r.Complaints {
		list = append(list, string(c.Check))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// TestRecorded judges what the tools of Debian's Postfix, Exim and Sendmail
// printed of a right configuration, and of each mistake in it. The files want,
// which e2e/doctor_*_test.go has, say which checks have to complain.
func TestRecorded(t *testing.T) {
	dirs, err := filepath.Glob("testdata/*/*")
	if err != nil || len(dirs) < 40 {
		t.Fatalf("%d cases, %v", len(dirs), err)
	}
	for _, dir := range dirs {
		t.Run(strings.TrimPrefix(dir, "testdata/"), func(t *testing.T) {
			r := Examine(load(t, dir), nil)
			want := strings.Fields(recorded(t, dir, "want"))
			if diff := cmp.Diff(append([]string{}, want...), checksOf(r)); diff != "" {
				t.Errorf("%s\n%s", diff, r.AppendText(nil, nil))
			}
			for _, c := range r.Complaints {
				if titles[c.Check] == "" || c.Text == "" || c.Setting == "" || c.File == "" || len(c.Fixes) == 0 || len(c.References) == 0 {
					t.Errorf("%+v is incomplete", c)
				}
			}
		})
	}
}
