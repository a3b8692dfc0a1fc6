package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

const (
	serveRefusal = `2026-03-01T10:00:00+00:00 mx1 postfix/smtpd[4711]: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 554 5.7.1 <b@example.net>: Relay access denied; from=<a@example.org> to=<b@example.net> proto=ESMTP helo=<client.example>`
	serveDenials = `relaylens_refusals_total{class="5xx",direction="inbound",host="mx1",kind="relay_denied",mta="postfix",reason="none"} `
	servePause   = 2 * time.Minute
)

// daemon is a relaylens serve that runs.
type daemon struct {
	*exec.Cmd
	t       *testing.T
	entries chan map[string]any // its log
	url     string
	dataDir string
}

func startDaemon(t *testing.T, dir string, stdin io.Reader, args ...string) *daemon {
	t.Helper()
	d := &daemon{Cmd: exec.CommandContext(t.Context(), "relaylens", append([]string{"serve"}, args...)...), t: t, entries: make(chan map[string]any, 100), dataDir: t.TempDir()}
	d.Dir, d.Stdin = dir, stdin
	d.Env = append(os.Environ(), "RELAYLENS_DATA_DIR="+d.dataDir)
	stderr, err := d.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Process.Kill() })
	go func() {
		defer close(d.entries)
		for s := bufio.NewScanner(stderr); s.Scan(); {
			entry := map[string]any{}
			if json.Unmarshal(s.Bytes(), &entry) != nil {
				entry["msg"] = s.Text()
			}
			d.entries <- entry
		}
	}()
	d.url = fmt.Sprintf("http://%s", d.expect("started")["address"])
	return d
}

// expect waits for a message in the log.
func (d *daemon) expect(message string) map[string]any {
	d.t.Helper()
	timeout := time.After(servePause)
	for {
		select {
		case entry, ok := <-d.entries:
			if !ok {
				d.t.Fatalf("the daemon ended before it said %q", message)
			}
			if entry["msg"] == message {
				return entry
			}
		case <-timeout:
			d.t.Fatalf("the daemon does not say %q", message)
		}
	}
}

// expectMetric waits until the metrics have a sample.
func (d *daemon) expectMetric(sample string) {
	d.t.Helper()
	for deadline := time.Now().Add(servePause); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) { //nolint:forbidigo // between two looks at another process
		req, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, d.url+"/metrics", http.NoBody)
		if err != nil {
			d.t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			d.t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			d.t.Fatal(err)
		}
		if strings.Contains(string(body), sample+"\n") {
			return
		}
	}
	d.t.Fatalf("metrics lack %s", sample)
}

// end sends SIGTERM and returns the exit code.
func (d *daemon) end() int {
	d.t.Helper()
	if err := d.Process.Signal(syscall.SIGTERM); err != nil {
		d.t.Fatal(err)
	}
	d.expect("stopped")
	_ = d.Wait()
	return d.ProcessState.ExitCode()
}

func write(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func TestServeFollowsFiles(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "mail.log"), serveRefusal+"\n") // before our time
	d := startDaemon(t, dir, nil, "--listen", "127.0.0.1:0", "mail.log")
	d.expectMetric(fmt.Sprintf(`relaylens_source_up{source="%s"} 1`, filepath.Join(dir, "mail.log")))
	write(t, filepath.Join(dir, "mail.log"), serveRefusal+"\n"+serveRefusal+"\n")
	d.expectMetric(serveDenials + "2")
	if code := d.end(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

// What the store holds is personal, and the directory may be open to all.
func TestServeWritesForItsGroupAlone(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	dir := t.TempDir()
	write(t, filepath.Join(dir, "mail.log"), "")
	d := startDaemon(t, dir, nil, "--listen", "127.0.0.1:0", "mail.log")
	files, err := os.ReadDir(d.dataDir)
	if err != nil || len(files) == 0 {
		t.Fatalf("files %v, error %v", files, err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm()&0o027 != 0 {
			t.Errorf("%s: %v, error %v", f.Name(), info.Mode(), err)
		}
	}
	if code := d.end(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

func TestServeReloadsOnHangup(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "relaylens.yaml")
	one := fmt.Sprintf("listen: 127.0.0.1:0\nsources:\n  - {path: %s/one.log}\n", dir)
	write(t, file, one)
	d := startDaemon(t, dir, nil, "--config", file)

	write(t, file, "max_hosts: none\n")
	if err := d.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	entry := d.expect("configuration not reloaded, the former one stays")
	if entry["key"] != "max_hosts" || entry["remedy"] == "" {
		t.Errorf("entry %v", entry)
	}
	d.expectMetric("relaylens_config_last_reload_successful 0")

	write(t, filepath.Join(dir, "two.log"), "")
	if err := os.WriteFile(file, []byte(one+fmt.Sprintf("  - {path: %s/two.log}\n", dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	d.expect("configuration reloaded")
	d.expectMetric("relaylens_config_last_reload_successful 1")
	d.expectMetric(fmt.Sprintf(`relaylens_source_up{source="%s"} 1`, filepath.Join(dir, "two.log")))
	write(t, filepath.Join(dir, "two.log"), serveRefusal+"\n")
	d.expectMetric(serveDenials + "1")
	if code := d.end(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

func TestServeReadsStandardInput(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "in"), strings.Repeat(serveRefusal+"\n", 3))
	in, err := os.Open(filepath.Join(dir, "in"))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	d := startDaemon(t, dir, in, "--listen", "127.0.0.1:0", "-")
	d.expectMetric(serveDenials + "3")
	if code := d.end(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

func TestServeErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, tt := range map[string]struct {
		args []string
		code int
		want []string
	}{
		"port in use":  {[]string{"--listen", taken.Addr().String(), "mail.log"}, exitError, []string{taken.Addr().String(), "in use", "--listen"}},
		"unknown flag": {[]string{"--follow", "mail.log"}, exitUsage, []string{"--follow"}},
		"no file":      {[]string{"--config", "absent.yaml"}, exitError, []string{"absent.yaml"}},
		"no zone":      {[]string{"--timezone", "Mars/Olympus", "mail.log"}, exitUsage, []string{"Mars/Olympus"}},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), "relaylens", append([]string{"serve"}, tt.args...)...)
			cmd.Dir = t.TempDir()
			cmd.Env = append(os.Environ(), "RELAYLENS_DATA_DIR="+t.TempDir())
			out, _ := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			for _, want := range tt.want {
				if !strings.Contains(string(out), want) {
					t.Errorf("output lacks %q:\n%s", want, out)
				}
			}
		})
	}
}

// A signal that comes twice is one; whoever sends another one later means it.
func TestHurry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		again := make(chan os.Signal, 1)
		go hurry(ctx, again, cancel)
		again <- syscall.SIGTERM
		synctest.Wait()
		time.Sleep(together - 1) //nolint:forbidigo // in a bubble
		again <- syscall.SIGINT
		synctest.Wait()
		if ctx.Err() != nil {
			t.Error("the drain was cut short by the signal that began it")
		}
		time.Sleep(time.Nanosecond) //nolint:forbidigo // in a bubble
		again <- syscall.SIGTERM
		synctest.Wait()
		if ctx.Err() == nil {
			t.Error("nobody hurries")
		}
	})
}
