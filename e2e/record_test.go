//go:build e2e

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// servers are the ways in which the tests run the three mail servers.
var servers = []struct {
	name  string
	start func(t *testing.T) *server
}{
	{"postfix", func(t *testing.T) *server { return startPostfix(t, false) }},
	{"postfix-postlogd", func(t *testing.T) *server { return startPostfix(t, true) }},
	{"exim", startExim},
	{"sendmail", startSendmail},
}

// TestRecord writes what the servers log into the corpora of the project, where
// -record asks for it.
func TestRecord(t *testing.T) {
	for _, tt := range servers {
		t.Run(tt.name, func(t *testing.T) {
			needServers(t)
			tr := &truth{}
			startDNS(t)
			s := tt.start(t)
			startRemote(t, tr, s.submitted)
			s.play(tr)
			s.waitForDeliveries(tr, 2)
			for _, log := range s.logs {
				text, err := os.ReadFile(s.machine.path(log))
				if err != nil {
					t.Fatal(err)
				}
				if n := bytes.Count(text, []byte("\n")); n < 5 {
					t.Errorf("%s has %d lines", log, n)
				}
				if *recordDir != "" {
					keep(t, s, log, text)
				}
			}
		})
	}
}

// keep writes one log below -record: exim/4.96-basic-mainlog.log.
func keep(t *testing.T, s *server, log string, text []byte) {
	t.Helper()
	dir := filepath.Join(*recordDir, s.mta)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	name := s.version + "-basic-" + filepath.Base(log)
	if filepath.Ext(name) != ".log" {
		name += ".log"
	}
	if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// waitForDeliveries waits until the remote has refused n recipients; a play
// sends it two, and the logs are at rest.
func (s *server) waitForDeliveries(tr *truth, n int) {
	s.t.Helper()
	waitFor(s.t, "the remote's refusals", func() error {
		refused := 0
		for _, r := range tr.all() {
			if r.Direction == "outbound" {
				refused++
			}
		}
		if refused < n {
			return fmt.Errorf("%d of %d", refused, n)
		}
		return nil
	})
	s.settle()
}

// settle waits until the logs stop growing.
func (s *server) settle() {
	s.t.Helper()
	size, same := int64(-1), 0
	waitFor(s.t, "the logs to come to rest", func() error {
		var now int64
		for _, log := range s.logs {
			if info, err := os.Stat(s.machine.path(log)); err == nil {
				now += info.Size()
			}
		}
		if now != size || now == 0 {
			size, same = now, 0
			return errors.New("still growing")
		}
		if same++; same < 20 {
			return errors.New("not quiet for a second yet")
		}
		return nil
	})
}
