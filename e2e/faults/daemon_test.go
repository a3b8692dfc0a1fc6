//go:build e2e

package faults

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/relaylens/relaylens/internal/testutil"
)

// A daemon is one run of `relaylens serve`.
type daemon struct {
	round   *round
	cmd     *exec.Cmd
	started chan string   // its address, when it says so
	ended   chan struct{} // closed when the process is gone
	err     error         // how it ended
	mu      sync.Mutex
	bad     string // the first line of a panic
	excused bool   // it ran while its directory could not be written
}

// launch starts the daemon, perhaps under strace, which then detaches itself from
// being its parent.
func (r *round) launch(tracer ...string) *daemon {
	path, err := testutil.Program()
	check(err)
	args := append(tracer, path, "serve", "--config", r.conf)
	d := &daemon{round: r, excused: r.faulty, cmd: exec.Command(args[0], args[1:]...), started: make(chan string, 1), ended: make(chan struct{})}
	r.runs++
	log, err := os.Create(filepath.Join(r.dir, fmt.Sprintf("daemon.%03d", r.runs)))
	check(err)
	out, in, err := os.Pipe()
	check(err)
	d.cmd.Stderr = in
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	d.cmd.Env = append(os.Environ(), "GOMAXPROCS=2")
	check(d.cmd.Start())
	r.trace("daemon %d starts as process %d %s", r.runs, d.cmd.Process.Pid, strings.Join(tracer, " "))
	in.Close()
	go d.listen(out, log)
	run := r.runs
	go func() {
		d.err = d.cmd.Wait()
		r.trace("daemon %d ended: %v", run, d.err)
		close(d.ended)
	}()
	r.daemon = d
	return d
}

func (d *daemon) listen(out io.ReadCloser, log io.WriteCloser) {
	defer out.Close()
	defer log.Close()
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fmt.Fprintln(log, lines.Text())
		var said struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &said) == nil && said.Msg == "started" {
			d.started <- said.Address
			continue
		}
		if wrong.Match(lines.Bytes()) {
			d.mu.Lock()
			d.bad += lines.Text() + "\n"
			d.mu.Unlock()
		}
	}
}

var wrong = regexp.MustCompile(`^(panic: |fatal error: |WARNING: DATA RACE|unexpected fault address)|put aside|"level":"(dpanic|panic|fatal)"`)

// complain reports what a daemon should never have written.
func (d *daemon) complain() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.bad != "" {
		d.round.problem("the daemon wrote: %s", d.bad)
		d.bad = ""
	}
}

// up makes sure that a daemon runs and has opened its sources. One that ends by
// itself is started again, as systemd would.
func (r *round) up() {
	for end := time.Now().Add(stormTime); ; {
		if r.daemon == nil {
			r.launch()
		}
		d := r.daemon
		select {
		case address := <-d.started:
			d.started <- address
			return
		case <-d.ended:
			d.complain()
			if !d.excused {
				r.problem("the daemon ended by itself: %v", d.err)
			}
			r.died()
		case <-time.After(time.Until(end)):
			panic("the daemon does not start")
		}
		if time.Now().After(end) {
			panic("the daemon does not start")
		}
	}
}

// fault begins or ends a time in which the data directory cannot be written. A
// daemon that knows it may end with an error: systemd would start it again.
func (r *round) fault(is bool) {
	r.faulty = is
	if r.daemon != nil && (is || len(r.daemon.started) > 0) {
		r.daemon.excused = is
	}
}

// died notes that the daemon is gone.
func (r *round) died() {
	<-r.daemon.ended
	r.daemon.complain()
	r.daemon = nil
	r.bury()
}

// down ends the daemon. The caller has the turn.
func (r *round) down(hard bool) {
	if r.daemon == nil {
		return
	}
	if hard {
		r.daemon.kill()
		r.died()
		return
	}
	r.term()
}

// term ends the daemon as systemd does.
func (r *round) term() {
	d := r.daemon
	r.trace("SIGTERM")
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-d.ended:
	case <-time.After(stormTime):
		r.problem("the daemon does not end after SIGTERM")
		_ = d.cmd.Process.Signal(syscall.SIGQUIT)
		time.Sleep(time.Second)
		d.kill()
	}
	if d.err != nil && !d.excused {
		r.problem("after SIGTERM the daemon ended with %v", d.err)
	}
	r.died()
}

func (d *daemon) kill() {
	d.round.trace("SIGKILL")
	_ = d.cmd.Process.Kill()
	<-d.ended
}

// get asks the daemon.
func (d *daemon) get(path string) (string, error) {
	address := <-d.started
	d.started <- address
	client := http.Client{Timeout: 10 * time.Second}
	response, err := client.Get("http://" + address + path)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("get %s: %s", path, response.Status)
	}
	return string(body), err
}
