package tailer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/relaylens/relaylens"
)

func TestStartEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.log")
	writeFile(t, path, "first\nold\nunfin")
	tl := start(t, FileOptions{Path: path})
	appendTo(t, path, "ished\nnew\n")
	got := tl.want("unfinished", "new")
	want := []relaylens.Line{
		{Text: "unfinished", Source: path, Origin: relaylens.NewOrigin("first"), Number: 1, Offset: 10, End: 21},
		{Text: "new", Source: path, Origin: relaylens.NewOrigin("first"), Number: 2, Offset: 21, End: 25},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if p := tl.last; p.Offset != 25 || p.Number != 2 || p.Inode == 0 || p.Origin != relaylens.NewOrigin("first") || p.Source != path {
		t.Errorf("position %+v", p)
	}
}

func TestStartBegin(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.log")
	content := strings.Repeat("Nov 21 10:00:00 mx1 postfix/smtpd[1]: connect\n", 20000) + strings.Repeat("x", 200<<10) + "\nend\n"
	writeFile(t, path, content+"unfinished")
	tl := start(t, FileOptions{Path: path, Start: StartBegin})
	want := wantLines(path, content)
	tl.until("all lines", func() bool { return len(tl.lines) >= len(want) })
	if diff := diffLines(want, tl.lines); diff != "" {
		t.Errorf("-want +got\n%.2000s", diff)
	}
}

func TestPartialWrites(t *testing.T) {
	for name, start1 := range map[string]func(*testing.T, string) *tail{
		"announced": func(t *testing.T, path string) *tail { return start(t, FileOptions{Path: path}) },
		"no inotify": func(t *testing.T, path string) *tail {
			return start(t, FileOptions{Path: path}, func(f *file) { f.waker = noWaker{} })
		},
		"polled": func(t *testing.T, path string) *tail {
			return start(t, FileOptions{Path: path}, func(f *file) { f.waker = deafWaker{} })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "mail.log")
			writeFile(t, path, "")
			tl := start1(t, path)
			f := openLog(t, path)
			defer f.Close()
			for n := range 20 {
				writeTo(t, f, "one ")
				tl.until("the half line to be seen", func() bool { return tl.gauge("relaylens_source_lag_bytes", path) > 0 })
				writeTo(t, f, fmt.Sprintf("line %d\n", n))
				tl.want(fmt.Sprintf("one line %d", n))
				tl.until("no lag", func() bool {
					return tl.gauge("relaylens_source_lag_bytes", path) == 0 && tl.gauge("relaylens_source_lag_seconds", path) == 0
				})
			}
		})
	}
}

func TestOverlongLineThatGrows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.log")
	writeFile(t, path, "a\n")
	tl := start(t, FileOptions{Path: path, Start: StartBegin})
	tl.want("a")
	chunk := strings.Repeat("g\x00", 50<<10)
	f := openLog(t, path)
	defer f.Close()
	for n := range 10 {
		writeTo(t, f, chunk)
		tl.until("the chunk to be seen", func() bool {
			return tl.gauge("relaylens_source_lag_bytes", path) == float64((n+1)*len(chunk))
		})
	}
	writeTo(t, f, "\nb\n")
	got := tl.want(chunk[:relaylens.MaxLine], "b")
	if !got[0].Cut || got[0].Offset != 2 || got[0].End != int64(2+10*len(chunk)+1) || got[1].Cut || got[1].Number != 3 {
		t.Errorf("got %+v", got[1])
	}
	if n := tl.gauge("relaylens_source_cut_lines_total", path); n != 1 {
		t.Errorf("%v cut lines counted", n)
	}
}

func TestMissingFileAppears(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sub", "mail.log")
	tl := start(t, FileOptions{Path: path})
	tl.untilUp(path, 0)
	if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, "all of\nit is new\n")
	tl.want("all of", "it is new")
	tl.untilUp(path, 1)
	if n := tl.logged("waiting for file to appear"); n != 1 {
		t.Errorf("said %d times that the file is missing", n)
	}
}

func TestUnreadableFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "mail.log")
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	tl := start(t, FileOptions{Path: path})
	tl.until("several attempts", func() bool { return tl.gauge("relaylens_source_errors_total", path) >= 3 })
	tl.untilUp(path, 0)
	if n := tl.logged("source cannot be read, trying again"); n != 1 {
		t.Errorf("said %d times that it is a directory", n)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	tl.until("the directory to be seen gone", func() bool { return tl.logged("waiting for file to appear") == 1 })
	writeFile(t, path, "a\n")
	tl.want("a")
	tl.untilUp(path, 1)
}

// What is no regular file is not opened for reading, which could wait for ever or never
// come to an end: neither as the path itself nor among what a pattern matches.
func TestIrregularFiles(t *testing.T) {
	for name, create := range map[string]func(path string) error{
		"pipe": func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"link to a pipe": func(path string) error {
			return errors.Join(syscall.Mkfifo(path+"~", 0o600), os.Symlink(path+"~", path))
		},
		"device": func(path string) error { return os.Symlink("/dev/zero", path) },
		"socket": func(path string) error {
			l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
			if err == nil {
				l.SetUnlinkOnClose(false)
				err = l.Close()
			}
			return err
		},
		"link to nowhere": func(path string) error { return os.Symlink("/nowhere/mail.log", path) },
		"link to itself":  func(path string) error { return os.Symlink(path, path) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "x.log")
			if err := create(path); err != nil {
				t.Fatal(err)
			}
			tl := start(t, FileOptions{Path: path})
			tl.untilUp(path, 0)

			other := filepath.Join(dir, "y.log")
			writeFile(t, other, "a\n")
			matched := start(t, FileOptions{Path: filepath.Join(dir, "*.log"), Start: StartBegin})
			matched.want("a")
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			writeFile(t, path, "b\n")
			matched.want("b")
		})
	}
}

func TestArchiveIsNotFollowed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.log.1")
	writeFile(t, path, string(compressors[".gz"](t, "a\n")))
	tl := start(t, FileOptions{Path: path, Start: StartBegin})
	tl.untilUp(path, 0)
	if len(tl.lines) > 0 {
		t.Errorf("got %q", testTexts(tl.lines))
	}
}

func TestStopWhileBlocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.log")
	writeFile(t, path, "a\n")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		done <- NewFile(FileOptions{Path: path, Start: StartBegin}).Run(ctx, make(chan relaylens.Batch))
	}()
	cancel()
	ended(t, done)
}

func TestMetricsLint(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	NewMetrics(reg).source("x")
	problems, err := testutil.GatherAndLint(reg)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
	m := NewMetrics(prometheus.NewPedanticRegistry())
	m.source("x")
	m.Delete("x")
	if n := testutil.CollectAndCount(m.up) + testutil.CollectAndCount(lagCollector{m}); n != 0 {
		t.Errorf("%d series are left", n)
	}
}
