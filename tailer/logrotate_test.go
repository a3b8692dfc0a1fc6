package tailer

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A logger writes numbered lines as a syslog daemon does: through one
// descriptor, until it is told to reopen, and not at once then.
type logger struct {
	t    *testing.T
	path string
	mu   sync.Mutex // held while writing
	f    *os.File
	n    int
}

func (l *logger) run(stop <-chan struct{}) {
	tick := time.NewTicker(500 * time.Microsecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		l.mu.Lock()
		if l.n%7 == 0 { // in two writes
			s := line(l.n)
			writeTo(l.t, l.f, s[:len(s)/2])
			writeTo(l.t, l.f, s[len(s)/2:]+"\n")
		} else {
			writeTo(l.t, l.f, line(l.n)+"\n")
		}
		l.n++
		l.mu.Unlock()
	}
}

func (l *logger) written() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.n
}

func (l *logger) reopen() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.f.Close()
	l.f = openLog(l.t, l.path)
}

func needLogrotate(t *testing.T) string {
	t.Helper()
	for _, path := range []string{"logrotate", "/usr/sbin/logrotate", "/sbin/logrotate"} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("logrotate is not installed: apt-get install logrotate")
	}
	t.Skip("logrotate is not installed: apt-get install logrotate")
	return ""
}

// TestLogrotate: under the real logrotate and a writer that keeps its old
// descriptor for a second, every line is handed out once.
func TestLogrotate(t *testing.T) {
	logrotate := needLogrotate(t)
	for name, config := range map[string]string{
		"create":                 "create 0644",
		"nocreate":               "nocreate",
		"create, compress":       "create 0644\ncompress",
		"create, delaycompress":  "create 0644\ncompress\ndelaycompress",
		"dateext":                "create 0644\ndateext\ndateformat -%Y%m%d-%s",
		"dateext, delaycompress": "create 0644\ndateext\ndateformat -%Y%m%d-%s\ncompress\ndelaycompress",
		"extension":              "create 0644\nextension .log",
		"olddir":                 "create 0644\nolddir old",
		"copytruncate":           "copytruncate",
		"copytruncate, dateext":  "copytruncate\ndateext\ndateformat -%Y%m%d-%s\ncompress",
	} {
		for _, pattern := range []string{"mail.log", "mail*"} {
			if testing.Short() && pattern != "mail.log" {
				continue
			}
			t.Run(name+"/"+pattern, func(t *testing.T) {
				t.Parallel()
				testLogrotate(t, logrotate, config, pattern)
			})
		}
	}
}

func testLogrotate(t *testing.T, logrotate, config, pattern string) {
	// How long the writer goes on with its old descriptor; names made of the
	// second need another one.
	keep := 300 * time.Millisecond
	if strings.Contains(config, "%s") {
		keep = time.Second
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "old"), 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "mail.log")
	conf := filepath.Join(dir, "logrotate.conf")
	writeFile(t, conf, fmt.Sprintf("%s {\nsu %d %d\nrotate 9\n%s\n}\n", path, os.Getuid(), os.Getgid(), config))
	l := &logger{t: t, path: path, f: openLog(t, path)}
	defer func() { l.f.Close() }()
	tl := start(t, FileOptions{Path: filepath.Join(dir, pattern), Drain: 3 * time.Second},
		func(f *file) { f.timing = defaultTiming; f.timing.lost = 5 * time.Second })
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() { l.run(stop); close(stopped) }()
	defer func() { <-stopped }()
	end := sync.OnceFunc(func() { close(stop) })
	defer end()
	for range 3 {
		tl.until("some lines", after(200*time.Millisecond))
		if strings.HasPrefix(config, "copytruncate") {
			// A truncation destroys what was not read: the writer pauses.
			l.mu.Lock()
			tl.until("all lines to be read before the truncation", func() bool { return len(tl.lines) == l.n })
			err := tl.command(logrotate, "--force", "--state", filepath.Join(dir, "state"), conf)
			l.mu.Unlock()
			if err != nil {
				t.Fatal(err)
			}
			tl.until("another second: the name of the next file", after(keep))
			continue
		}
		// What comes late to a file that is compressed at once is for those who have it open.
		n := l.written()
		tl.until("the file to be open", func() bool { return len(tl.lines) >= n })
		if err := tl.command(logrotate, "--force", "--state", filepath.Join(dir, "state"), conf); err != nil {
			t.Fatal(err)
		}
		tl.until("the writer to reopen", after(keep))
		l.reopen()
	}
	tl.until("some lines", after(200*time.Millisecond))
	end()
	<-stopped
	tl.until("the last line", func() bool { return len(tl.lines) >= l.n })
	tl.until("what might come twice", after(300*time.Millisecond))
	checkNumbers(t, tl, l.n)
}

// command runs a program and goes on receiving.
func (tl *tail) command(name string, args ...string) error {
	ended := make(chan error, 1)
	go func() {
		out, err := exec.Command(name, args...).CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
		ended <- err
	}()
	var err error
	tl.until(name, func() bool {
		select {
		case err = <-ended:
			return true
		default:
			return false
		}
	})
	return err
}

// after is true when d has passed.
func after(d time.Duration) func() bool {
	end := time.Now().Add(d)
	return func() bool { return time.Now().After(end) }
}

func checkNumbers(t *testing.T, tl *tail, n int) {
	t.Helper()
	seen := make([]int, n)
	for _, l := range tl.lines {
		at := strings.LastIndexByte(l.Text, ' ')
		i, err := strconv.Atoi(l.Text[at+1:])
		if err != nil || i >= n || l.Text != line(i) {
			t.Errorf("line %q was never written", l.Text)
			continue
		}
		seen[i]++
	}
	lost, twice := 0, 0
	for _, count := range seen {
		switch {
		case count == 0:
			lost++
		case count > 1:
			twice++
		}
	}
	if lost > 0 || twice > 0 {
		t.Errorf("of %d lines %d were lost and %d came twice; log: %v", n, lost, twice, tl.logs.All())
	}
	t.Logf("%d lines written", n)
}
