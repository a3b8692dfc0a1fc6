//go:build e2e

package e2e

import (
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/relaylens/relaylens/internal/testutil"
)

// answers are what doctor was told by the network.
type answers struct {
	Probe    []struct{ Test, Verdict, Text, Reply string }
	Listings []struct {
		Zone, Problem string
		Listed        bool
	}
}

// ask has relaylens doctor ask the network.
func ask(t *testing.T, args ...string) (a answers, status int) {
	t.Helper()
	out, err := relaylens(t, append([]string{"doctor", "-o", "json", "--exit-code", "--timeout", "20s"}, args...)...).Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		status = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &a); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	return a, status
}

// TestProbe plays a stranger to each server.
func TestProbe(t *testing.T) {
	for _, tt := range servers {
		t.Run(tt.name, func(t *testing.T) {
			needServers(t)
			startDNS(t)
			s := tt.start(t)
			a, status := ask(t, "--probe", s.address, "--probe-source", stranger, "--probe-submission-port", "")
			if status != 0 || len(a.Probe) != 1 || a.Probe[0].Verdict != "right" || !strings.Contains(strings.ToLower(a.Probe[0].Reply), "relay") {
				t.Errorf("%d: %+v", status, a)
			}
			if a, status = ask(t, "--probe", s.address, "--probe-source", stranger, "--probe-submission-port", "587"); status != 3 || a.Probe[1].Verdict != "wrong" {
				t.Errorf("without a submission port %d: %+v", status, a)
			}
		})
	}
}

// TestProbeSubmission asks a Postfix with a submission port, and one that is open.
func TestProbeSubmission(t *testing.T) {
	needServers(t)
	startDNS(t)
	s := startPostfix(t, false)
	m := s.machine
	m.certificate("/etc/postfix/mx1")
	m.add("/etc/postfix/master.cf", `submission inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
  -o smtpd_tls_auth_only=yes
  -o smtpd_tls_chain_files=/etc/postfix/mx1.key,/etc/postfix/mx1.crt
tlsmgr unix - - n 1000? 1 tlsmgr
`)
	m.sh("postfix reload")
	m.waitForPort("192.0.2.1:587")
	if a, status := ask(t, "--probe", s.address, "--probe-source", stranger); status != 0 || len(a.Probe) != 2 || a.Probe[1].Verdict != "right" || !strings.Contains(a.Probe[1].Text, "PLAIN") {
		t.Errorf("%d: %+v", status, a)
	}
	m.sh("postconf -e mynetworks=0.0.0.0/0; postfix reload")
	testutil.WaitFor(t, "the open relay", func() error {
		if a, status := ask(t, "--probe", s.address, "--probe-source", stranger); status != 3 || a.Probe[0].Verdict != "wrong" {
			return errors.New(a.Probe[0].Text)
		}
		return nil
	})
}

func TestAskBlocklist(t *testing.T) {
	needServers(t)
	startDNS(t)
	a, status := ask(t, "--dnsbl", "203.0.113.9", "--dnsbl-zone", "dnsbl.example.org", "--dnsbl-zone", "bl.tempfail.example", "--resolver", "127.0.0.1")
	if status != 3 || !a.Listings[0].Listed || a.Listings[1].Problem == "" {
		t.Errorf("%d: %+v", status, a)
	}
	if a, status = ask(t, "--dnsbl", "203.0.113.8", "--dnsbl-zone", "dnsbl.example.org", "--resolver", "127.0.0.1:53"); status != 0 || a.Listings[0].Listed {
		t.Errorf("%d: %+v", status, a)
	}
}
