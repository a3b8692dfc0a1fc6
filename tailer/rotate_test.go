package tailer

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

// line is as long as a real one: two files never have 256 bytes in common.
func line(n int) string {
	return fmt.Sprintf("Nov 21 10:00:00 mx1 postfix/smtpd[4711]: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: number %d", n)
}

func lines(from, to int) []string {
	all := []string{}
	for n := from; n < to; n++ {
		all = append(all, line(n))
	}
	return all
}

func text(lines []string) string { return strings.Join(lines, "\n") + "\n" }

func TestRotations(t *testing.T) {
	for name, rotate := range map[string]func(t *testing.T, path string){
		"rename and create": func(t *testing.T, path string) {
			rename(t, path, path+".1")
			writeFile(t, path, text(lines(20, 30)))
		},
		"delete and recreate": func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			writeFile(t, path, text(lines(20, 30)))
		},
		"to another folder": func(t *testing.T, path string) {
			if err := os.Mkdir(filepath.Dir(path)+"/old", 0o755); err != nil {
				t.Fatal(err)
			}
			rename(t, path, filepath.Dir(path)+"/old/mail.log-20261121")
			writeFile(t, path, text(lines(20, 30)))
		},
		"truncated": func(t *testing.T, path string) {
			if err := os.Truncate(path, 0); err != nil {
				t.Fatal(err)
			}
			appendTo(t, path, text(lines(20, 30)))
		},
		"renamed over": func(t *testing.T, path string) {
			writeFile(t, path+".new", text(lines(20, 30)))
			rename(t, path+".new", path)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "mail.log")
			writeFile(t, path, text(lines(0, 10)))
			tl := start(t, FileOptions{Path: path, Start: StartBegin})
			tl.want(lines(0, 10)...)
			appendTo(t, path, text(lines(10, 20)))
			tl.want(lines(10, 20)...)
			rotate(t, path)
			got := tl.want(lines(20, 30)...)
			if got[0].Offset != 0 || got[0].Number != 1 || got[0].Origin != relaylens.NewOrigin(line(20)) {
				t.Errorf("the new file's first line is %+v", got[0])
			}
			appendTo(t, path, text(lines(30, 40)))
			tl.want(lines(30, 40)...)
			style := map[bool]string{true: rotationTruncated, false: rotationRenamed}[name == "truncated"]
			if n := counterValue(t, tl, path, style); n != 1 {
				t.Errorf("%v rotations counted as %s", n, style)
			}
			tl.until("the old descriptor to be closed", func() bool { return openFDs(t, filepath.Dir(path)) == 1 })
		})
	}
}

func counterValue(t *testing.T, tl *tail, source, style string) float64 {
	t.Helper()
	families, err := tl.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if f.GetName() == "relaylens_source_rotations_total" && labels["source"] == source && labels["style"] == style {
				return m.GetCounter().GetValue()
			}
		}
	}
	return -1
}

// The writer keeps its descriptor after the rename, as syslog daemons do until
// they are told; the new file is there at once, later, or very late.
func TestLateWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.log")
	writeFile(t, path, "")
	tl := start(t, FileOptions{Path: path})
	old := openLog(t, path)
	defer old.Close()
	n := 0
	write := func(f *os.File, count int) {
		t.Helper()
		writeTo(t, f, text(lines(n, n+count)))
		tl.want(lines(n, n+count)...)
		n += count
	}
	write(old, 5)
	rename(t, path, path+".1")
	write(old, 5)
	tl.untilUp(path, 0) // missing for longer than Drain: and still read
	write(old, 5)
	young := openLog(t, path)
	defer young.Close()
	tl.untilUp(path, 1)
	write(old, 5)
	// While nobody writes to the new file the old one stays open.
	quiet := time.Now().Add(2 * tl.file.Drain)
	tl.until("a quiet time", func() bool { return time.Now().After(quiet) })
	write(old, 5)
	write(young, 5)
	write(old, 5)
	write(young, 5)
	writeTo(t, old, line(n))
	tl.until("the old file to be closed", func() bool { return openFDs(t, filepath.Dir(path)) == 3 && len(tl.lines) == 1 })
	tl.want(line(n)) // it had no newline, and will get none
	n++
	write(young, 5)
}

// TestManyRotationsWhileBlocked: nothing is lost though the consumer takes
// nothing while ten files come and go.
func TestManyRotationsWhileBlocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.log")
	writeFile(t, path, "")
	tl := start(t, FileOptions{Path: path})
	const each = 3000
	for r := range 10 {
		appendTo(t, path, text(lines(r*each, (r+1)*each)))
		if r > 0 {
			// Not received from: the source blocks with its first batch.
			deadline := time.Now().Add(patience)
			for openFDs(t, filepath.Dir(path)) < r+1 {
				if time.Now().After(deadline) {
					t.Fatalf("the file of rotation %d was not opened", r)
				}
			}
		}
		rename(t, path, fmt.Sprintf("%s.%d", path, r+1))
	}
	writeFile(t, path, "")
	tl.want(lines(0, 10*each)...)
	tl.until("the old files to be closed", func() bool { return openFDs(t, filepath.Dir(path)) <= maxStreams })
}

// Truncated and grown beyond the old offset before anybody looked.
func TestTruncateAndRegrow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.log")
	writeFile(t, path, text(lines(0, 10)))
	tl := start(t, FileOptions{Path: path, Start: StartBegin})
	tl.want(lines(0, 10)...)
	// One write replaces all: os.WriteFile would let the source see 0 bytes.
	for from := 100; from < 2000; from *= 2 {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		writeTo(t, f, text(lines(from, from+from/2)))
		f.Close()
		tl.want(lines(from, from+from/2)...)
	}
}

// A writer without O_APPEND leaves a hole when its file is truncated.
func TestTruncateUnderAPlainWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.log")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tl := start(t, FileOptions{Path: path})
	writeTo(t, f, text(lines(0, 5000)))
	tl.want(lines(0, 5000)...)
	for n := 5000; n < 5100; n += 10 {
		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
		writeTo(t, f, text(lines(n, n+10)))
		tl.want(lines(n, n+10)...)
	}
}

// What sed -i, an editor or rsync leaves is a copy under another inode.
func TestCopyTakesThePlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.log")
	writeFile(t, path, text(lines(0, 10)))
	tl := start(t, FileOptions{Path: path, Start: StartBegin})
	tl.want(lines(0, 10)...)
	writeFile(t, path+".tmp", text(lines(0, 12)))
	rename(t, path+".tmp", path)
	got := tl.want(line(10), line(11))
	if got[0].Number != 11 || got[0].Origin != relaylens.NewOrigin(line(0)) {
		t.Errorf("got %+v", got[0])
	}
	appendTo(t, path, line(12)+"\n")
	tl.want(line(12))
}

// Short files with the same content are different logs all the same.
func TestSameTextAfterRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.log")
	writeFile(t, path, "test\n")
	tl := start(t, FileOptions{Path: path, Start: StartBegin})
	tl.want("test")
	for range 5 {
		rename(t, path, path+".1")
		writeFile(t, path, "test\n")
		tl.want("test")
	}
}

func TestSymlinkSwitch(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"links", "a", "b"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "links", "mail.log")
	link := func(to string) {
		t.Helper()
		if err := os.Symlink(to, path+".tmp"); err != nil {
			t.Fatal(err)
		}
		rename(t, path+".tmp", path)
	}
	a, b := filepath.Join(dir, "a", "mail.log"), filepath.Join(dir, "b", "mail.log")
	writeFile(t, a, line(0)+"\n")
	writeFile(t, b, text(lines(2, 4)))
	link(a)
	tl := start(t, FileOptions{Path: path, Start: StartBegin})
	tl.want(line(0))
	appendTo(t, a, line(1)+"\n")
	tl.want(line(1))
	link(b)
	tl.want(line(2), line(3))
	appendTo(t, b, line(4)+"\n")
	tl.want(line(4))
	tl.until("a to be closed", func() bool { return openFDs(t, dir) == 1 })
	link(a)
	appendTo(t, a, line(5)+"\n")
	tl.want(line(5)) // and not what was read of it before
}

func TestResume(t *testing.T) {
	for name, meanwhile := range map[string]func(t *testing.T, path string){
		"nothing happened": func(t *testing.T, path string) { appendTo(t, path, text(lines(10, 20))) },
		"rotated": func(t *testing.T, path string) {
			appendTo(t, path, text(lines(10, 15)))
			rename(t, path, path+".1")
			writeFile(t, path, text(lines(15, 20)))
		},
		"rotated and gone on under another name": func(t *testing.T, path string) {
			appendTo(t, path, text(lines(10, 20)))
			rename(t, path, path+"-20261121")
		},
		"copied and truncated": func(t *testing.T, path string) {
			appendTo(t, path, text(lines(10, 15)))
			all, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, path+".1", string(all))
			writeFile(t, path, text(lines(15, 20)))
		},
		"deleted": func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			writeFile(t, path, text(lines(10, 20)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "mail.log")
			writeFile(t, path, text(lines(0, 10)))
			tl := start(t, FileOptions{Path: path, Start: StartBegin})
			got := tl.want(lines(0, 10)...)
			tl.stop()
			meanwhile(t, path)
			other := relaylens.Position{Source: path + ".other", Offset: 1}
			again := start(t, FileOptions{Path: path, Positions: []relaylens.Position{other, tl.last}})
			more := again.want(lines(10, 20)...)
			if name == "nothing happened" {
				if more[0].Number != 11 || more[0].Offset != got[9].End || more[0].Origin != got[0].Origin {
					t.Errorf("goes on with %+v", more[0])
				}
			}
		})
	}
}

func TestDeafWatchIsPolled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.log")
	writeFile(t, path, "")
	tl := start(t, FileOptions{Path: path}, func(f *file) { f.waker = deafWaker{}; f.timing.beat = 50 * time.Millisecond })
	for n := range 20 {
		appendTo(t, path, line(n)+"\n")
		tl.want(line(n))
	}
	rename(t, path, path+".1")
	writeFile(t, path, text(lines(20, 30)))
	tl.want(lines(20, 30)...)
}

func TestGlob(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.log"), filepath.Join(dir, "b.log")
	pattern := filepath.Join(dir, "*.log*")
	tl := start(t, FileOptions{Path: pattern})
	tl.untilUp(pattern, 0)
	writeFile(t, a, text(lines(0, 5)))
	tl.want(lines(0, 5)...)
	tl.until("the pattern's own series to go", func() bool { return tl.gauge("relaylens_source_up", pattern) == -1 })
	writeFile(t, b, text(lines(5, 10)))
	for _, l := range tl.want(lines(5, 10)...) {
		if l.Source != b {
			t.Errorf("source %q, want %q", l.Source, b)
		}
	}
	writeFile(t, a+".2.gz", string(compressors[".gz"](t, "packed\n")))
	if err := os.Remove(b); err != nil {
		t.Fatal(err)
	}
	appendTo(t, a, text(lines(10, 12)))
	tl.want(lines(10, 12)...)
	tl.until("b to be forgotten", func() bool { return tl.gauge("relaylens_source_up", b) == -1 && openFDs(t, dir) == 1 })
	writeFile(t, b, text(lines(20, 22)))
	tl.want(lines(20, 22)...)
}

// The pattern matches the rotated files too; none of them is read twice.
func TestGlobMatchesRotated(t *testing.T) {
	for name, rotate := range map[string]func(t *testing.T, path string, next []string){
		"create": func(t *testing.T, path string, next []string) {
			rename(t, path, path+".1")
			writeFile(t, path, text(next))
		},
		"copytruncate": func(t *testing.T, path string, next []string) {
			all, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			half := len(all) / 2
			writeFile(t, path+".1", string(all[:half]))
			appendTo(t, path+".1", string(all[half:]))
			if err := os.Truncate(path, 0); err != nil {
				t.Fatal(err)
			}
			appendTo(t, path, text(next))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "mail.log")
			writeFile(t, path, text(lines(0, 10)))
			tl := start(t, FileOptions{Path: path + "*", Start: StartBegin})
			tl.want(lines(0, 10)...)
			for r := 1; r < 6; r++ {
				for old := 5; old > 0; old-- {
					if _, err := os.Stat(fmt.Sprintf("%s.%d", path, old)); err == nil {
						rename(t, fmt.Sprintf("%s.%d", path, old), fmt.Sprintf("%s.%d", path, old+1))
					}
				}
				rotate(t, path, lines(r*100, r*100+10))
				tl.want(lines(r*100, r*100+10)...)
				appendTo(t, path, text(lines(r*100+10, r*100+20)))
				tl.want(lines(r*100+10, r*100+20)...)
			}
			quiet := time.Now().Add(4 * tl.file.Drain)
			tl.until("a quiet time", func() bool { return time.Now().After(quiet) })
			if diff := cmp.Diff([]string{}, testTexts(tl.lines)); diff != "" {
				t.Errorf("read twice: %s", diff)
			}
		})
	}
}
