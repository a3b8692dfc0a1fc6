//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/relaylens/relaylens/internal/testutil"
)

var recordDoctor = flag.String("record-doctor", "", "write what the servers' tools print below `DIR`")

// mistake is a configuration with one mistake, or none.
type mistake struct {
	name string
	// edit are pairs of what stands in the right configuration and what takes its place.
	edit []string
	do   string   // a shell script
	want []string // checks that complain, sorted
}

// complaint is what doctor says, as far as the tests judge it.
type complaint struct {
	Check   string
	Subject string
	Setting string
	File    string
	Text    string
	Fixes   []any
	Finding *struct{ Events int }
}

type prescription struct {
	MTA        string
	Complaints []complaint
	Unknown    []string
}

func (r *prescription) checks() []string {
	list := []string{}
	for _, c := range r.Complaints {
		list = append(list, c.Check)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// installRelaylens puts the program on the machine.
func (m *machine) installRelaylens() {
	m.t.Helper()
	path, err := testutil.Program()
	m.must(err)
	binary, err := os.ReadFile(path)
	m.must(err)
	m.write("/usr/bin/relaylens", "")
	m.must(os.WriteFile(m.path("/usr/bin/relaylens"), binary, 0o755))
	m.must(os.Chmod(m.path("/usr/bin/relaylens"), 0o755))
}

// doctor runs relaylens doctor on the machine.
func (m *machine) doctor(args ...string) *prescription {
	m.t.Helper()
	cmd := exec.Command("chroot", append([]string{m.root, "/usr/bin/relaylens", "doctor", "-o", "json", "--exit-code"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 3) {
		m.t.Fatalf("relaylens doctor: %v\n%s", err, stderr.Bytes())
	}
	var r prescription
	m.must(json.Unmarshal(out, &r))
	if (len(r.Complaints) > 0) != (err != nil) {
		m.t.Errorf("%d complaints, exit %v", len(r.Complaints), err)
	}
	for _, c := range r.Complaints {
		if c.Text == "" || c.Setting == "" || c.File == "" || len(c.Fixes) == 0 {
			m.t.Errorf("%+v lacks its text, setting, file or fix", c)
		}
	}
	return &r
}

// certificate makes a key and a certificate of the machine's own.
func (m *machine) certificate(path string) {
	m.t.Helper()
	m.must(run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
		"-subj", "/CN=mx1.example.com", "-keyout", m.path(path)+".key", "-out", m.path(path)+".crt"))
	m.must(os.Chmod(m.path(path)+".key", 0o644))
}

// socket makes a socket that nobody answers.
func (m *machine) socket(path string) {
	m.t.Helper()
	m.must(os.MkdirAll(filepath.Dir(m.path(path)), 0o755))
	l, err := net.Listen("unix", m.path(path))
	m.must(err)
	m.t.Cleanup(func() { l.Close() })
}

// replaced edits a right configuration; every edit has to find its place.
func (f *mistake) replaced(t *testing.T, texts ...string) []string {
	t.Helper()
	for i := 0; i+1 < len(f.edit); i += 2 {
		found := false
		for j := range texts {
			if strings.Contains(texts[j], f.edit[i]) {
				found = true
				texts[j] = strings.Replace(texts[j], f.edit[i], f.edit[i+1], 1)
			}
		}
		if !found {
			t.Fatalf("there is no %q to edit", f.edit[i])
		}
	}
	return texts
}

// examine runs doctor over each mistake that configure makes. Saved gives names
// and commands of what the server's tools print, for the unit tests.
func (m *machine) examine(mistakes []mistake, saved map[string]string, configure func(f *mistake)) {
	m.installRelaylens()
	for _, f := range mistakes {
		configure(&f)
		r := m.doctor()
		if got := r.checks(); !slices.Equal(got, f.want) {
			m.t.Errorf("%s: %v, want %v\n%+v", f.name, got, f.want, r.Complaints)
		}
		if *recordDoctor != "" {
			m.record(filepath.Join(*recordDoctor, r.MTA), &f, saved)
		}
	}
}

// record writes what the tools print, and which checks have to complain. What is
// as in the first, right configuration is not written again.
func (m *machine) record(dir string, f *mistake, saved map[string]string) {
	m.t.Helper()
	m.must(os.MkdirAll(filepath.Join(dir, f.name), 0o755))
	m.must(os.WriteFile(filepath.Join(dir, f.name, "want"), []byte(strings.Join(f.want, "\n")), 0o644))
	for name, script := range saved {
		right, err := os.ReadFile(filepath.Join(dir, "right", name))
		if name == "postconf-d" && err == nil {
			continue // it has the pid in it
		}
		out, commandErr := exec.Command("chroot", m.root, "sh", "-ec", script).Output()
		m.must(commandErr)
		if err != nil || !bytes.Equal(out, right) {
			m.must(os.WriteFile(filepath.Join(dir, f.name, name), out, 0o644))
		}
	}
}

// playLost has honest servers bring mail for a domain that the server does not
// have, and a machine of the house send without a login.
func (s *server) playLost() {
	s.t.Helper()
	tr := &truth{}
	for i := range 6 {
		ip := fmt.Sprintf("203.0.113.%d", 60+i)
		c := connect(s.t, tr, ip, s.address, "host"+ip[10:]+".dsl.example.net")
		c.mail("", fmt.Sprintf("info@host%d.dsl.example.net", 60+i))
		c.rcpt("relay_denied", "office@lost.example")
		c.quit()
	}
	for range 3 {
		c := connect(s.t, tr, "10.1.2.3", s.address, "app.example.com")
		c.mail("", "cron@example.com")
		c.rcpt("relay_denied", "customer@example.net")
		c.quit()
	}
}

// TestDoctorAndLog holds what the log shows against the configuration of the
// server that wrote it.
func TestDoctorAndLog(t *testing.T) {
	for _, tt := range servers {
		t.Run(tt.name, func(t *testing.T) {
			needServers(t)
			startDNS(t)
			s := tt.start(t)
			s.playLost()
			s.settle()
			s.machine.installRelaylens()
			r := s.machine.doctor(s.logs...)
			want := map[string]string{"domain_not_configured": "lost.example", "client_not_in_networks": "10.1.2.3"}
			for _, c := range r.Complaints {
				if want[c.Check] == c.Subject && c.Finding != nil && c.Finding.Events > 0 {
					delete(want, c.Check)
				}
			}
			if len(want) > 0 {
				t.Errorf("not named and confirmed: %v\n%+v", want, r)
			}
		})
	}
}
