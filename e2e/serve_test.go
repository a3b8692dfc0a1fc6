//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/relaylens/relaylens/internal/testutil"
)

// TestServe follows the log of each server while it refuses mail and logrotate
// rotates it, and holds the metrics, and the events that parse finds in the
// rotated files, against what the client and the remote server know.
func TestServe(t *testing.T) {
	for _, tt := range servers {
		t.Run(tt.name, func(t *testing.T) {
			needServers(t)
			if _, err := exec.LookPath("logrotate"); err != nil {
				t.Skip("logrotate is missing: nothing rotates the log")
			}
			tr := &truth{}
			startDNS(t)
			s := tt.start(t)
			startRemote(t, tr, s.submitted)
			daemon := serve(t, s.paths("")...)

			s.play(tr)
			s.waitForDeliveries(tr, 2)
			s.rotateUnderLoad(tr)
			s.play(tr)
			s.waitForDeliveries(tr, 4)

			refused := tr.all()
			t.Logf("%d refusals", len(refused))
			testutil.WaitFor(t, "the metrics to count every refusal", func() error {
				if got := total(daemon.refusals()); int(got) < len(refused) {
					return fmt.Errorf("%v of %d refusals; of kinds %v", got, len(refused), byKind(daemon.refusals()))
				}
				return nil
			})
			want := map[string]float64{}
			for _, r := range refused {
				want[r.Kind+" "+r.Direction]++
			}
			if got := byKind(daemon.refusals()); !maps.Equal(got, want) {
				t.Errorf("refusals by kind: got %v, want %v", got, want)
			}
			daemon.Stop(syscall.SIGTERM)
			files := append(s.paths(".1"), s.paths("")...)
			compare(t, parse(t, files...), refused)
		})
	}
}

// paths are the logs, as the test sees them.
func (s *server) paths(suffix string) []string {
	var paths []string
	for _, log := range s.logs {
		paths = append(paths, s.machine.path(log)+suffix)
	}
	return paths
}

// rotateUnderLoad runs logrotate on the server's machine while the server goes
// on to refuse.
func (s *server) rotateUnderLoad(tr *truth) {
	s.t.Helper()
	conf := strings.Join(s.logs, " ") + " " + s.logrotate
	s.machine.write("/etc/logrotate-e2e.conf", conf)

	s.flood(tr, 10)
	done := make(chan struct{})
	var rotated error
	go func() {
		defer close(done)
		rotated = run("chroot", s.machine.root, "logrotate", "--force", "--state", "/run/logrotate.state", "/etc/logrotate-e2e.conf")
	}()
	for rotating := true; rotating; {
		select {
		case <-done:
			rotating = false
		default:
		}
		s.flood(tr, 10)
	}
	s.machine.must(rotated)
	for _, path := range s.paths(".1") {
		if _, err := os.Stat(path); err != nil {
			s.t.Fatalf("logrotate did not rotate: %v", err)
		}
	}
}

// byKind sums refusals by kind and direction and leaves out what is 0.
func byKind(samples []sample) map[string]float64 {
	kinds := map[string]float64{}
	for _, s := range samples {
		if s.value > 0 {
			kinds[s.labels["kind"]+" "+s.labels["direction"]] += s.value
		}
	}
	return kinds
}

// compare matches events with refusals one to one. What the log does not say
// of a code is not held against the event; all else must be equal.
func compare(t *testing.T, events []event, refused []refusal) {
	t.Helper()
	left := map[refusal][]refusal{} // by what must be equal
	for _, r := range refused {
		left[r.without()] = append(left[r.without()], r)
	}
	wrong, missed := 0, 0
	for _, e := range events {
		key := e.refusal.without()
		i := slices.IndexFunc(left[key], func(r refusal) bool {
			return (e.Code == 0 || e.Code == r.Code) && (e.Enhanced == "" || e.Enhanced == r.Enhanced)
		})
		if i >= 0 {
			left[key] = slices.Delete(left[key], i, i+1)
		} else if wrong++; wrong <= 10 {
			t.Errorf("nothing like this was refused (again):\n%s", e.json)
		}
	}
	for _, rs := range left {
		for _, r := range rs {
			if missed++; missed <= 10 {
				t.Errorf("parse does not tell of %+v", r)
			}
		}
	}
	if wrong+missed > 0 {
		t.Errorf("%d refusals, %d events: %d wrong, %d missed", len(refused), len(events), wrong, missed)
	}
}

// TestMetrics has promtool judge the metrics, of a daemon whose log is empty.
func TestMetrics(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is missing: nothing checks the metrics")
	}
	log := filepath.Join(t.TempDir(), "mail.log")
	if err := os.WriteFile(log, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	daemon := serve(t, log)
	cmd := exec.Command(promtool, "check", "metrics")
	cmd.Stdin = strings.NewReader(daemon.get("/metrics"))
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}

// TestStop: a daemon that is told to end does so by itself, without an error.
func TestStop(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			log := filepath.Join(t.TempDir(), "mail.log")
			if err := os.WriteFile(log, nil, 0o644); err != nil {
				t.Fatal(err)
			}
			serve(t, log).Stop(signal)
		})
	}
}
