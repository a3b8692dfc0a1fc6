//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/relaylens/relaylens/internal/testutil"
)

// servers are the ways in which the tests run the three mail servers.
var servers = []struct {
	name  string // of the test, and of the recorded log
	start func(t *testing.T) *server
}{
	{"postfix/3.7-basic", func(t *testing.T) *server { return startPostfix(t, false) }},
	{"postfix/3.7-postlogd", func(t *testing.T) *server { return startPostfix(t, true) }},
	{"exim/4.96-basic", startExim},
	{"sendmail/8.17-basic", startSendmail},
}

// TestRecord writes what the servers log, and what the client knows of it, into
// the corpora of the project, where -record asks for it.
func TestRecord(t *testing.T) {
	if *recordDir == "" {
		return // TestServe plays the same
	}
	for _, tt := range servers {
		t.Run(tt.name, func(t *testing.T) {
			needServers(t)
			tr := &truth{}
			startDNS(t)
			s := tt.start(t)
			startRemote(t, tr, s.submitted)
			s.play(tr)
			s.waitForDeliveries(tr, 2)
			s.keep(filepath.Join(*recordDir, tt.name), tr.all())
		})
	}
}

// keep writes the logs as path.log, or as path-mainlog.log and so on where the
// server has several, and the truth as path.truth.jsonl.
func (s *server) keep(path string, refused []refusal) {
	s.t.Helper()
	s.machine.must(os.MkdirAll(filepath.Dir(path), 0o755))
	for _, log := range s.logs {
		text, err := os.ReadFile(s.machine.path(log))
		s.machine.must(err)
		name := path
		if len(s.logs) > 1 {
			name += "-" + filepath.Base(log)
		}
		s.machine.must(os.WriteFile(name+".log", text, 0o644))
	}
	var rows bytes.Buffer
	encoder := json.NewEncoder(&rows)
	encoder.SetEscapeHTML(false)
	for _, r := range refused {
		s.machine.must(encoder.Encode(r))
	}
	s.machine.must(os.WriteFile(path+".truth.jsonl", rows.Bytes(), 0o644))
}

// waitForDeliveries waits until the remote has refused n recipients; a play
// sends it two, and the logs are at rest.
func (s *server) waitForDeliveries(tr *truth, n int) {
	s.t.Helper()
	testutil.WaitFor(s.t, "the remote's refusals", func() error {
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
	testutil.WaitFor(s.t, "the logs to come to rest", func() error {
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
