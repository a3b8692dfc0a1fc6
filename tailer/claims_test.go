package tailer

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

// settleFor receives for a while, in which nothing is expected.
func (tl *tail) settleFor(d time.Duration) {
	tl.t.Helper()
	tl.until("a quiet time", after(d))
}

// One file, named by a path and by a pattern that belong to two sources, and by
// a hard link, as a bind mount would.
func TestClaimsAcrossSources(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "mail.log")
	writeFile(t, path, text(lines(0, 10)))
	if err := os.Link(path, filepath.Join(dir, "mail.log.same")); err != nil {
		t.Fatal(err)
	}
	claims := NewClaims()
	first := start(t, FileOptions{Path: path, Start: StartBegin, Claims: claims})
	first.want(lines(0, 10)...)
	second := start(t, FileOptions{Path: path + "*", Start: StartBegin, Claims: claims})
	appendTo(t, path, text(lines(10, 20)))
	first.want(lines(10, 20)...)
	second.settleFor(300 * time.Millisecond)
	if len(second.lines) > 0 {
		t.Fatalf("read twice: %q", testTexts(second.lines))
	}
	// The first source leaves: the other goes on where it ended.
	first.stop()
	appendTo(t, path, text(lines(20, 30)))
	second.want(lines(20, 30)...)
}

// A rotated file that a pattern of another source matches is not read again.
func TestClaimsOverRotation(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mail.log")
	writeFile(t, path, text(lines(0, 10)))
	claims := NewClaims()
	first := start(t, FileOptions{Path: path, Start: StartBegin, Claims: claims})
	first.want(lines(0, 10)...)
	second := start(t, FileOptions{Path: path + ".*", Claims: claims})
	rename(t, path, path+".1")
	appendTo(t, path+".1", text(lines(10, 12)))
	writeFile(t, path, text(lines(12, 20)))
	first.want(lines(10, 20)...)
	first.until("the old file to be closed", func() bool {
		return slices.ContainsFunc(first.saved, func(p relaylens.Position) bool { return p.State == relaylens.PositionEnded })
	})
	second.settleFor(300 * time.Millisecond)
	if len(second.lines) > 0 {
		t.Errorf("read twice: %q", testTexts(second.lines))
	}
}

// TestFastRotation: no line is lost though a file lives for milliseconds.
func TestFastRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.log")
	writeFile(t, path, "")
	tl := start(t, FileOptions{Path: path}, func(f *file) { f.timing = defaultTiming })
	const files, each = 150, 100
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := range files {
			appendTo(t, path, text(lines(n*each, (n+1)*each)))
			tick := time.NewTimer(2 * time.Millisecond)
			<-tick.C
			rename(t, path, fmt.Sprintf("%s.%d", path, n+1))
		}
		writeFile(t, path, text(lines(files*each, files*each+10)))
	}()
	defer func() { <-done }()
	tl.until("all lines", func() bool { return len(tl.lines) >= files*each+10 })
	checkNumbers(t, tl, files*each+10)
}

// A staleFile is on a server that was restarted.
type staleFile struct {
	handle
	stale *atomic.Bool
}

func (f staleFile) Stat() (os.FileInfo, error) {
	if f.stale.Load() {
		return nil, &os.PathError{Op: "stat", Path: "x", Err: syscall.ESTALE}
	}
	return f.handle.Stat()
}

func TestStaleHandleIsOpenedAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mail.log")
	writeFile(t, path, text(lines(0, 10)))
	var last atomic.Pointer[atomic.Bool]
	tl := start(t, FileOptions{Path: path, Start: StartBegin}, func(f *file) {
		f.openFile = func(path string) (handle, error) {
			h, err := openHandle(path)
			if err != nil {
				return nil, err
			}
			last.Store(new(atomic.Bool))
			return staleFile{h, last.Load()}, nil
		}
	})
	tl.want(lines(0, 10)...)
	for n := 10; n < 50; n += 10 {
		last.Load().Store(true)
		appendTo(t, path, text(lines(n, n+10)))
		got := tl.want(lines(n, n+10)...)
		if got[0].Number != int64(n+1) {
			t.Errorf("goes on with line number %d, want %d", got[0].Number, n+1)
		}
	}
	tl.untilUp(path, 1)
}

// An inode that was deleted is given to the next file.
func TestResumeKnowsAReusedInode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.log")
	writeFile(t, path, text(lines(100, 150)))
	fi, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	id := idOf(fi)
	other := relaylens.Position{Source: path, Device: id.device, Inode: id.inode, Origin: relaylens.NewOrigin(line(0)), Offset: int64(len(text(lines(0, 10)))), Number: 10}
	tl := start(t, FileOptions{Path: path, Positions: []relaylens.Position{other}})
	tl.want(lines(100, 150)...)
	if tl.logged("file was not found again, lines may be lost") != 1 {
		t.Errorf("nothing was said of the lost file: %v", tl.logs.All())
	}
	tl.until("its position to be forgotten", func() bool { return len(tl.saved) == 1 })
}

// What stands before the saved position is read again, marked, from the
// beginning of a line.
func TestWarmUp(t *testing.T) {
	size := int64(len(line(10)) + 1)
	for name, c := range map[string]struct {
		warm       int64
		compressed bool
		want       []string
	}{
		"default":             {0, false, lines(0, 50)},
		"none":                {-1, false, []string{}},
		"just a line":         {size, false, lines(49, 50)},
		"less than a line":    {size - 1, false, []string{}},
		"between lines":       {5*size + 3, false, lines(45, 50)},
		"compressed, default": {0, true, lines(0, 50)},
		"compressed, a few":   {5*size + 3, true, lines(45, 50)},
		"compressed, none":    {-1, true, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "mail.log")
			writeFile(t, path, text(lines(0, 50)))
			tl := start(t, FileOptions{Path: path, Start: StartBegin})
			tl.want(lines(0, 50)...)
			tl.stop()
			appendTo(t, path, text(lines(50, 60)))
			if c.compressed {
				writeFile(t, path+".1.gz", string(compressors[".gz"](t, text(lines(0, 60)))))
				writeFile(t, path, line(60)+"\n")
			}
			again := start(t, FileOptions{Path: path, Positions: tl.saved, WarmUp: c.warm})
			want := lines(50, 60)
			if c.compressed {
				want = lines(50, 61)
			}
			got := again.want(want...)
			if got[0].Number != 51 || got[0].Offset != int64(len(text(lines(0, 50)))) {
				t.Errorf("goes on with %+v", got[0])
			}
			if diff := cmp.Diff(c.want, testTexts(again.warm)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// stamp is a line with a time of its own, one a minute.
func stamp(begin time.Time, n int) string {
	return begin.Add(time.Duration(n)*time.Minute).Format(time.RFC3339) + " mx1 postfix/smtpd[1]: number " + fmt.Sprint(n)
}

func TestSince(t *testing.T) {
	begin := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	stamps := func(from, to int) []string {
		all := []string{}
		for n := from; n < to; n++ {
			all = append(all, stamp(begin, n))
		}
		return all
	}
	timeOf := func(l *relaylens.Line, _ time.Time) (time.Time, bool) {
		word, _, _ := strings.Cut(l.Text, " ")
		at, err := time.Parse(time.RFC3339, word)
		return at, err == nil
	}
	for _, since := range []int{-5, 0, 1, 999, 1000, 1500, 2000, 2001, 7777, 9998, 9999, 10000} {
		t.Run(fmt.Sprint(since), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "mail.log")
			put := func(path, content string, last int) {
				writeFile(t, path, content)
				at := begin.Add(time.Duration(last) * time.Minute)
				if err := os.Chtimes(path, at, at); err != nil {
					t.Fatal(err)
				}
			}
			put(path+".2.gz", string(compressors[".gz"](t, text(stamps(0, 1000)))), 999)
			put(path+".1", text(stamps(1000, 2000)), 1999)
			// A record without a time of its own goes with the one before.
			put(path, text(stamps(2000, 5000))+"\tno time\n"+text(stamps(5000, 10000)), 9999)
			tl := start(t, FileOptions{Path: path, Since: begin.Add(time.Duration(since) * time.Minute), TimeOf: timeOf})
			appendTo(t, path, stamp(begin, 10001)+"\n")
			want := append(stamps(max(since, 0), 10000), stamp(begin, 10001))
			if since < 5000 {
				want = append(append(stamps(max(since, 0), 5000), "\tno time"), want[5000-max(since, 0):]...)
			}
			tl.until("all lines", func() bool { return len(tl.lines) >= len(want) })
			if diff := cmp.Diff(want, testTexts(tl.lines)); diff != "" {
				t.Errorf("-want +got\n%.1500s", diff)
			}
		})
	}
}
