package tailer

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/relaylens/relaylens"
)

var rounds = flag.Int("rounds", 2, "how many seeds TestCrash tries for each style of rotation")

// A crasher writes numbered lines, rotates their file, and has the source die
// after any batch; what it knows afterwards is the positions of the batches it
// has taken.
type crasher struct {
	*testing.T
	rnd     *rand.Rand
	dir     string
	path    string
	pattern string
	f       *os.File
	written int
	rotated int
	counts  map[int]int // how often each line came
	got     int
	saved   positions
	crashes int
	logs    *observer.ObservedLogs
	log     *zap.Logger

	out    chan relaylens.Batch
	cancel context.CancelFunc
	done   chan error
}

func newCrasher(t *testing.T, seed uint64, pattern string) *crasher {
	dir := t.TempDir()
	core, logs := observer.New(zap.InfoLevel)
	c := &crasher{
		T: t, rnd: rand.New(rand.NewPCG(seed, 7)), dir: dir, path: filepath.Join(dir, "mail.log"),
		pattern: filepath.Join(dir, pattern), counts: map[int]int{}, logs: logs, log: zap.New(core),
	}
	c.f = openLog(t, c.path)
	t.Cleanup(func() { c.f.Close() })
	c.start()
	t.Cleanup(c.crash)
	c.take(<-c.out) // where following began
	return c
}

func (c *crasher) start() {
	c.Helper()
	f := NewFile(FileOptions{Path: c.pattern, Positions: slices.Clone(c.saved), Drain: 20 * time.Millisecond, WarmUp: 1 << 10, Logger: c.log}).(*file)
	f.timing = timing{poll: 5 * time.Millisecond, beat: 50 * time.Millisecond, lost: 5 * time.Second}
	ctx, cancel := context.WithCancel(c.Context())
	c.out, c.cancel, c.done = make(chan relaylens.Batch), cancel, make(chan error, 1)
	go func(out chan relaylens.Batch, done chan error) { done <- f.Run(ctx, out) }(c.out, c.done)
}

// crash ends the source; what it would still hand out is lost.
func (c *crasher) crash() {
	c.cancel()
	if err := <-c.done; err != nil {
		c.Errorf("Run: %v", err)
	}
}

func (c *crasher) take(b relaylens.Batch) {
	c.Helper()
	for _, l := range b.Lines {
		if b.Warm {
			c.checkWarm(l)
			continue
		}
		i, err := strconv.Atoi(l.Text[strings.LastIndexByte(l.Text, ' ')+1:])
		if err != nil || i >= c.written || l.Text != line(i) {
			c.Fatalf("line %q was never written", l.Text)
		}
		c.counts[i]++
		c.got++
	}
	if len(b.Lines) > 0 && (b.Lines[0].Source != b.Position.Source || b.Lines[0].Origin != b.Position.Origin) {
		c.Errorf("a position of %s %s with lines of %s %s", b.Position.Source, b.Position.Origin, b.Lines[0].Source, b.Lines[0].Origin)
	}
	c.saved.commit(&b)
	if b.Release != nil {
		b.Release()
	}
}

// checkWarm: what is read again was handed out by an earlier run.
func (c *crasher) checkWarm(l relaylens.Line) {
	i, err := strconv.Atoi(l.Text[strings.LastIndexByte(l.Text, ' ')+1:])
	if err != nil || c.counts[i] != 1 {
		c.Errorf("line %q is read again and was read %d times before", l.Text, c.counts[i])
	}
}

// write appends lines to the file that the writer has open.
func (c *crasher) write() {
	n := c.rnd.IntN(60)
	if c.rnd.IntN(8) == 0 {
		n *= 40
	}
	if n > 0 {
		writeTo(c, c.f, text(lines(c.written, c.written+n)))
		c.written += n
	}
}

// catchUp receives until all is read, or until chance has the source crash;
// then what happens meanwhile happens, and it starts again.
func (c *crasher) catchUp(meanwhile func()) {
	c.Helper()
	for c.got < c.written {
		select {
		case b := <-c.out:
			c.take(b)
		case <-time.After(patience):
			c.report()
			c.Fatalf("of %d lines %d came; log: %s", c.written, c.got, c.told())
		}
		if c.rnd.IntN(4) == 0 {
			c.crashes++
			c.crash()
			meanwhile()
			meanwhile = func() {}
			c.start()
		}
	}
}

func (c *crasher) told() string {
	var b strings.Builder
	for _, e := range c.logs.All() {
		fmt.Fprintf(&b, "\n%s %s %v", e.Time.Format("05.000000"), e.Message, e.ContextMap())
	}
	return strings.ReplaceAll(b.String(), c.dir+"/", "")
}

func (c *crasher) report() {
	c.Helper()
	var lost, twice []int
	for i := range c.written {
		switch n := c.counts[i]; {
		case n == 0:
			lost = append(lost, i)
		case n > 1:
			twice = append(twice, i)
		}
	}
	if len(lost)+len(twice) > 0 {
		c.Errorf("of %d lines %d were lost (%v…), %d came twice (%v…); log: %s",
			c.written, len(lost), lost[:min(3, len(lost))], len(twice), twice[:min(3, len(twice))], c.told())
	}
}

// reopen is what a syslog daemon does after a rotation.
func (c *crasher) reopen() {
	c.f.Close()
	c.f = openLog(c, c.path)
}

// shift makes room for mail.log.1.
func (c *crasher) shift() {
	for n := 99; n > 0; n-- {
		for _, suffix := range []string{"", ".gz", ".xz", ".zst"} {
			old := fmt.Sprintf("%s.%d%s", c.path, n, suffix)
			if _, err := os.Lstat(old); err == nil {
				rename(c, old, fmt.Sprintf("%s.%d%s", c.path, n+1, suffix))
			}
		}
	}
}

// compress does what gzip and its like do: beside it, with the times of the original.
func (c *crasher) compress(path string) {
	suffix := []string{".gz", ".xz", ".zst"}[c.rnd.IntN(3)]
	fi, err := os.Stat(path)
	if err != nil {
		return // there was no second rotation yet
	}
	plain, err := os.ReadFile(path)
	if err != nil {
		c.Fatal(err)
	}
	writeFile(c, path+suffix, string(compressors[suffix](c.T, string(plain))))
	if err := os.Chtimes(path+suffix, fi.ModTime(), fi.ModTime()); err != nil {
		c.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		c.Fatal(err)
	}
}

func (c *crasher) copyTruncate(to string) {
	all, err := os.ReadFile(c.path)
	if err != nil {
		c.Fatal(err)
	}
	writeFile(c, to, string(all))
	if err := os.Truncate(c.path, 0); err != nil {
		c.Fatal(err)
	}
}

// late writes through the old descriptor once more, and opens the new file.
func (c *crasher) late() {
	if c.rnd.IntN(2) == 0 {
		c.write()
	}
	c.reopen()
	c.write()
}

func (c *crasher) dated() string {
	c.rotated++
	return fmt.Sprintf("%s-20261121-%010d", c.path, 1_795_000_000+c.rotated)
}

func modTime(t testing.TB, path string) time.Time {
	t.Helper()
	fi, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return fi.ModTime()
}

var crashStyles = map[string]func(c *crasher){
	"shift": func(c *crasher) { c.shift(); rename(c, c.path, c.path+".1"); c.late() },
	"compress": func(c *crasher) {
		c.shift()
		rename(c, c.path, c.path+".1")
		c.late()
		c.compress(c.path + ".1")
	},
	"delaycompress": func(c *crasher) {
		c.compress(c.path + ".1")
		c.shift()
		rename(c, c.path, c.path+".1")
		c.late()
	},
	"dateext": func(c *crasher) { rename(c, c.path, c.dated()); c.late() },
	"dateext, compress": func(c *crasher) {
		name := c.dated()
		rename(c, c.path, name)
		c.late()
		c.compress(name)
	},
	"counting on": func(c *crasher) {
		// Only the times tell which way the numbers go.
		for tick := time.Now(); !modTime(c, c.path).After(tick); {
			c.write()
		}
		c.rotated++
		rename(c, c.path, fmt.Sprintf("%s.%d", c.path, c.rotated))
		c.late()
	},
	"copytruncate":           func(c *crasher) { c.shift(); c.copyTruncate(c.path + ".1"); c.write() },
	"copytruncate, compress": func(c *crasher) { c.shift(); c.copyTruncate(c.path + ".1"); c.compress(c.path + ".1"); c.write() },
	"rewritten by an editor": func(c *crasher) {
		all, err := os.ReadFile(c.path)
		if err != nil {
			c.Fatal(err)
		}
		writeFile(c, c.path+"~", string(all))
		rename(c, c.path+"~", c.path)
		c.reopen()
		c.write()
	},
}

// TestCrash: every line comes once, though the source dies after any batch and
// the file is rotated once, twice or never before it is back.
func TestCrash(t *testing.T) {
	for name, rotate := range crashStyles {
		for _, pattern := range []string{"mail.log", "mail*"} {
			if pattern == "mail*" && name == "rewritten by an editor" {
				continue // the editor's copy is a log of its own to this pattern
			}
			for seed := range uint64(*rounds) {
				t.Run(fmt.Sprintf("%s/%s/%d", name, pattern, seed), func(t *testing.T) {
					t.Parallel()
					testCrash(newCrasher(t, seed, pattern), rotate)
				})
			}
		}
	}
}

func testCrash(c *crasher, rotate func(*crasher)) {
	for range 12 {
		c.write()
		c.catchUp(func() {
			for range c.rnd.IntN(3) {
				c.write()
				rotate(c)
			}
		})
		if c.rnd.IntN(3) == 0 {
			rotate(c)
		}
		if c.got < c.written && c.rnd.IntN(4) == 0 {
			rotate(c)
		}
	}
	c.catchUp(func() {})
	c.settle()
	c.report()
	c.Logf("%d lines, %d crashes", c.written, c.crashes)
}

// settle receives for as long as files are closed, and then some.
func (c *crasher) settle() {
	for end := time.After(60 * time.Millisecond); ; {
		select {
		case b := <-c.out:
			c.take(b)
		case <-end:
			return
		}
	}
}

// TestCrashLogrotate is the same under the real logrotate.
func TestCrashLogrotate(t *testing.T) {
	logrotate := needLogrotate(t)
	for name, config := range map[string]string{
		"create, compress":  "create 0644\ncompress",
		"delaycompress":     "create 0644\ncompress\ndelaycompress",
		"dateext, compress": "create 0644\ndateext\ndateformat -%Y%m%d-%s\ncompress",
		"copytruncate":      "copytruncate\ncompress",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCrasher(t, 1, "mail.log")
			conf := filepath.Join(c.dir, "logrotate.conf")
			writeFile(t, conf, fmt.Sprintf("%s {\nsu %d %d\nrotate 99\n%s\n}\n", c.path, os.Getuid(), os.Getgid(), config))
			last := time.Time{}
			testCrash(c, func(c *crasher) {
				if strings.Contains(config, "%s") && time.Now().Unix() == last.Unix() {
					return // the name of the rotated file is taken for this second
				}
				last = time.Now()
				out, err := exec.CommandContext(t.Context(), logrotate, "--force", "--state", filepath.Join(c.dir, "state"), conf).CombinedOutput()
				if err != nil {
					c.Fatalf("%v: %s", err, out)
				}
				switch {
				case strings.Contains(config, "\ndelaycompress"):
					c.late()
				case strings.HasPrefix(config, "create"): // what comes late to a file that is compressed at once is gone
					c.reopen()
					c.write()
				}
			})
		})
	}
}
