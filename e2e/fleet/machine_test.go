//go:build e2e

package fleet

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/testutil"
	"github.com/relaylens/relaylens/store"
)

// machine runs one relaylens: a shipper that follows a log, or a reader.
type machine struct {
	t     *testing.T
	name  string
	dir   string
	port  int
	netns string
	cmd   *exec.Cmd
	log   *os.File
	lines int // written to the log
}

var nextPort = 9800

// newMachine configures a machine as the user of its name.
func newMachine(t *testing.T, c *cluster, name, user, netns, source string) *machine {
	t.Helper()
	nextPort++
	m := &machine{t: t, name: name, dir: t.TempDir(), port: nextPort, netns: netns}
	address := "127.0.0.1"
	if netns != "" {
		address = hub
	}
	log, err := os.Create(filepath.Join(m.dir, "mail.log"))
	must(t, err)
	m.log = log
	t.Cleanup(func() { m.kill(); log.Close() })
	must(t, os.WriteFile(filepath.Join(m.dir, "password"), []byte("of-"+user+"-change-it\n"), 0o600))
	conf := fmt.Sprintf(`listen: 0.0.0.0:%d
data_dir: %s
timezone: UTC
max_hosts: 300
sources: [%s]
nats:
  urls: ["tls://%[4]s:%[5]d", "tls://%[4]s:%[6]d", "tls://%[4]s:%[7]d"]
  host: %[8]s
  delay: 1s
  user: %[9]s
  password_file: %[2]s/password
  ca_file: %[10]s/ca.pem
  cert_file: %[10]s/machine.pem
  key_file: %[10]s/machine.key
`, m.port, m.dir, source, address, clientPort(0), clientPort(1), clientPort(2), name, user, c.dir)
	conf = strings.ReplaceAll(conf, "LOG", log.Name())
	if user == "admin" {
		conf += "  stream: {replicas: 3, max_size: 200MB, duplicates: 2m}\n"
	}
	must(t, os.WriteFile(filepath.Join(m.dir, "relaylens.yml"), []byte(conf), 0o600))
	return m
}

func (m *machine) start() {
	m.t.Helper()
	args := []string{program(m.t), "serve", "--config", filepath.Join(m.dir, "relaylens.yml")}
	if m.netns != "" {
		args = append([]string{"ip", "netns", "exec", m.netns}, args...)
	}
	m.cmd = exec.Command(args[0], args[1:]...)
	out, err := os.OpenFile(filepath.Join(m.dir, "serve.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	must(m.t, err)
	defer out.Close()
	m.cmd.Stdout, m.cmd.Stderr = out, out
	must(m.t, m.cmd.Start())
}

// kill ends the machine's relaylens as a crash does.
func (m *machine) kill() {
	if m.cmd != nil {
		m.cmd.Process.Kill()
		m.cmd.Wait()
		m.cmd = nil
	}
}

// stop ends it as an operator does.
func (m *machine) stop() {
	m.t.Helper()
	if m.cmd == nil {
		return
	}
	must(m.t, m.cmd.Process.Signal(syscall.SIGTERM))
	if err := m.cmd.Wait(); err != nil {
		m.t.Errorf("%s ended with %v:\n%s", m.name, err, m.said())
	}
	m.cmd = nil
}

func (m *machine) said() string {
	b, err := os.ReadFile(filepath.Join(m.dir, "serve.log"))
	must(m.t, err)
	return string(b[max(0, len(b)-4000):])
}

// refuse writes n refusals to the machine's log, as Postfix does.
func (m *machine) refuse(n int) {
	m.t.Helper()
	b := bufio.NewWriter(m.log)
	for range n {
		m.lines++
		at := time.Now().UTC()
		fmt.Fprintf(b, "%s %s postfix/smtpd[%d]: NOQUEUE: reject: RCPT from unknown[198.51.%d.%d]: 554 5.7.1 <user%d@example.net>: Relay access denied; from=<a%d@example.org> to=<user%d@example.net> proto=ESMTP helo=<pc%d>\n",
			at.Format("2006-01-02T15:04:05.000000Z07:00"), m.name, 1000+m.lines%500, m.lines>>8&255, m.lines&255, m.lines, m.lines%97, m.lines, m.lines%31)
	}
	must(m.t, b.Flush())
}

// ids are those of the events in the machine's store, each with its cause.
func (m *machine) ids() map[relaylens.ID]relaylens.Cause {
	m.t.Helper()
	ids := map[relaylens.ID]relaylens.Cause{}
	s, err := store.OpenReadOnly(context.Background(), m.dir)
	must(m.t, err)
	defer s.Close()
	for e, err := range s.Events(context.Background(), store.Span{}) {
		must(m.t, err)
		if _, twice := ids[e.ID]; twice {
			m.t.Errorf("%s has event %s twice", m.name, e.ID)
		}
		ids[e.ID] = e.Cause
	}
	return ids
}

// count is the number of events in the machine's store; 0 while there is none.
func (m *machine) count() int {
	s, err := store.OpenReadOnly(context.Background(), m.dir)
	if err != nil {
		return 0
	}
	defer s.Close()
	st, err := s.Stats(context.Background())
	if err != nil {
		return 0
	}
	return int(st.Events)
}

// metric is the sum of the series that begin with prefix, or an error.
func (m *machine) metric(prefix string) (float64, error) {
	client := http.Client{Timeout: answerTime}
	address := "127.0.0.1"
	if m.netns != "" {
		address = awayIP
	}
	resp, err := client.Get(fmt.Sprintf("http://%s:%d/metrics", address, m.port))
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for _, sample := range regexp.MustCompile(`(?m)^`+regexp.QuoteMeta(prefix)+`\S* (\S+)$`).FindAllSubmatch(body, -1) {
		v, err := strconv.ParseFloat(string(sample[1]), 64)
		if err != nil {
			return 0, err
		}
		sum += v
	}
	return sum, nil
}

func program(t *testing.T) string {
	t.Helper()
	path, err := testutil.Program()
	must(t, err)
	return path
}
