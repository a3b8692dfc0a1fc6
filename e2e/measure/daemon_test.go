//go:build e2e

package measure

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// refusal is a line that Postfix writes of a refused client; n makes it one of
// its kind.
func refusal(n int, at time.Time) string {
	return fmt.Sprintf("%s mx1 postfix/smtpd[%d]: NOQUEUE: reject: RCPT from unknown[198.51.%d.%d]: 554 5.7.1 <u%d@d%d.example>: Relay access denied; from=<s%d@example.org> to=<u%d@d%d.example> proto=ESMTP helo=<h%d.example.org>\n",
		at.Format(time.Stamp), 1000+n%500, n/250%250, n%250, n%5000, n%300, n%7000, n%5000, n%300, n%250)
}

// daemon is a running `relaylens serve`.
type daemon struct {
	b      *testing.B
	url    string
	data   string
	cmd    *exec.Cmd
	output bytes.Buffer
}

// start runs the daemon with a configuration and waits until it is ready.
func start(b *testing.B, data, sources string) *daemon {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	config := filepath.Join(b.TempDir(), "relaylens.yml")
	text := fmt.Sprintf("listen: %s\ndata_dir: %s\ntimezone: UTC\nsources: %s\n", address, data, sources)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
	program := os.Getenv("E2E_RELAYLENS")
	if program == "" {
		b.Fatal("E2E_RELAYLENS does not name the program; use make measure")
	}
	d := &daemon{b: b, url: "http://" + address, data: data, cmd: exec.Command(program, "serve", "--config", config)}
	d.cmd.Stdout, d.cmd.Stderr = &d.output, &d.output
	if err := d.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(d.stop)
	d.until("be ready", func() bool {
		response, err := http.Get(d.url + "/-/ready")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return d
}

func (d *daemon) stop() {
	if d.cmd.ProcessState != nil {
		return
	}
	d.cmd.Process.Signal(syscall.SIGTERM)
	d.cmd.Wait()
	if d.b.Failed() {
		d.b.Logf("relaylens wrote:\n%s", d.output.Bytes())
	}
}

// until asks again and again, as that is what is timed.
func (d *daemon) until(what string, done func() bool) {
	d.b.Helper()
	for end := time.Now().Add(5 * time.Minute); !done(); {
		if time.Now().After(end) {
			d.b.Fatalf("relaylens did not %s; it wrote:\n%s", what, d.output.Bytes())
		}
	}
}

// refusals is the sum of relaylens_refusals_total.
func (d *daemon) refusals() float64 {
	response, err := http.Get(d.url + "/metrics")
	if err != nil {
		d.b.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		d.b.Fatal(err)
	}
	sum := 0.0
	for line := range strings.Lines(string(body)) {
		if strings.HasPrefix(line, "relaylens_refusals_total{") {
			v, _ := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndexByte(line, ' ')+1:]), 64)
			sum += v
		}
	}
	return sum
}

// usage is what the process took so far.
func (d *daemon) usage() (cpu time.Duration, rss, peak int64) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", d.cmd.Process.Pid))
	if err != nil {
		d.b.Fatal(err)
	}
	f := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+2:]))
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		d.b.Fatal(err)
	}
	return time.Duration(user+system) * 10 * time.Millisecond, field(status, "VmRSS:"), field(status, "VmHWM:")
}

// field is a size of /proc/PID/status in bytes.
func field(status []byte, name string) int64 {
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return n << 10
		}
	}
	return 0
}
