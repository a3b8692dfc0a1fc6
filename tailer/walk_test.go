package tailer

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

// followed is what a run leaves behind that has read lines 0 to 9 of path.
func followed(t *testing.T, path string) positions {
	t.Helper()
	writeFile(t, path, text(lines(0, 10)))
	tl := start(t, FileOptions{Path: path, Start: StartBegin})
	tl.want(lines(0, 10)...)
	tl.stop()
	return tl.saved
}

// again follows path and wants lines, in any order of the files, each once.
func again(t *testing.T, path string, saved positions, from, to int) *tail {
	t.Helper()
	tl := start(t, FileOptions{Path: path, Positions: saved})
	tl.until("all lines", func() bool { return len(tl.lines) >= to-from })
	tl.settleFor(2 * tl.file.Drain)
	got := testTexts(tl.lines)
	slices.Sort(got)
	want := lines(from, to)
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	tl.lines = nil
	return tl
}

// What was rotated while nobody ran is read, whatever the clock said meanwhile.
func TestStartNeedsNoClock(t *testing.T) {
	for _, by := range []time.Duration{-1000 * time.Hour, -time.Hour, 0, time.Hour} {
		t.Run(by.String(), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "mail.log")
			saved := followed(t, path)
			appendTo(t, path, text(lines(10, 12)))
			rename(t, path, path+".2")
			writeFile(t, path+".1", text(lines(12, 20)))
			at := time.Now().Add(by)
			if err := os.Chtimes(path+".1", at, at); err != nil {
				t.Fatal(err)
			}
			writeFile(t, path, text(lines(20, 30)))
			tl := again(t, path, saved, 10, 30)
			tl.stop()
			again(t, path, tl.saved, 0, 0)
		})
	}
}

// A copy of the log that was there when following began, whole or not, packed or
// not, changes nothing about the log: it is read from where it is configured to
// be, and goes on there after a restart, rotated or not.
func TestCopyBesideTheLog(t *testing.T) {
	const n = 3000 // more lines than a print
	for name, copied := range map[string]func(*testing.T, string){
		"packed": func(t *testing.T, path string) {
			writeFile(t, path+".gz", string(compressors[".gz"](t, text(lines(0, n)))))
		},
		"packed part": func(t *testing.T, path string) {
			writeFile(t, path+".1.gz", string(compressors[".gz"](t, text(lines(0, n/2)))))
		},
		"plain":      func(t *testing.T, path string) { writeFile(t, path+".bak", text(lines(0, n))) },
		"plain part": func(t *testing.T, path string) { writeFile(t, path+".1", text(lines(0, n/2))) },
	} {
		for _, start1 := range []Start{StartBegin, StartEnd} {
			t.Run(fmt.Sprintf("%s, %d", name, start1), func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "mail.log")
				writeFile(t, path, text(lines(0, n)))
				copied(t, path)
				tl := start(t, FileOptions{Path: path, Start: start1})
				appendTo(t, path, text(lines(n, n+10)))
				from := 0
				if start1 == StartEnd {
					from = n
				}
				tl.want(lines(from, n+10)...)
				tl.stop()
				appendTo(t, path, text(lines(n+10, n+20)))
				rename(t, path, path+".1")
				writeFile(t, path, text(lines(n+20, n+30)))
				again(t, path, tl.saved, n+10, n+30)
			})
		}
	}
}

// What was there when following began is not read, then or after a restart.
func TestOldFilesStayUnread(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mail.log")
	for n := range 5 {
		old := fmt.Sprintf("%s.%d.gz", path, n+2)
		writeFile(t, old, string(compressors[".gz"](t, text(lines(1000+10*n, 1010+10*n)))))
	}
	writeFile(t, path+".1", text(lines(900, 910)))
	saved := followed(t, path)
	for n := 5; n > 0; n-- {
		rename(t, fmt.Sprintf("%s.%d.gz", path, n+1), fmt.Sprintf("%s.%d.gz", path, n+2))
	}
	writeFile(t, path+".2.gz", string(compressors[".gz"](t, text(lines(900, 910)))))
	rename(t, path, path+".1")
	writeFile(t, path, text(lines(10, 20)))
	again(t, path, saved, 10, 20)
}

// The inode of a rotated file that was deleted is given to another log's.
func TestFolderIsShared(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, other := filepath.Join(dir, "mail.log"), filepath.Join(dir, "exim.log.1")
	saved := followed(t, path)
	writeFile(t, other, text(lines(50, 60)))
	fi, err := os.Stat(other)
	if err != nil {
		t.Fatal(err)
	}
	gone := saved[0]
	gone.Inode, gone.Origin = idOf(fi).inode, relaylens.NewOrigin("gone")
	appendTo(t, path, text(lines(10, 12)))
	again(t, path, append(saved, gone), 10, 12)
}

// A file that was read to its end is read on when its writer is later still.
func TestVeryLateWriter(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mail.log")
	writeFile(t, path, text(lines(0, 10)))
	tl := start(t, FileOptions{Path: path, Start: StartBegin})
	tl.want(lines(0, 10)...)
	rename(t, path, path+".1")
	writeFile(t, path, text(lines(10, 20)))
	tl.want(lines(10, 20)...)
	tl.until("the old file to be closed", func() bool {
		return slices.ContainsFunc(tl.saved, func(p relaylens.Position) bool { return p.State == relaylens.PositionEnded })
	})
	tl.stop()
	appendTo(t, path+".1", text(lines(20, 25)))
	again(t, path, tl.saved, 20, 25)
}

// An archive that is being written is read as far as it goes, and on when there
// is more of it; a damaged one holds nothing up.
func TestUnfinishedArchive(t *testing.T) {
	for _, suffix := range []string{".gz", ".zst"} {
		t.Run(suffix, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "mail.log")
			saved := followed(t, path)
			packed := compressors[suffix](t, text(lines(0, 20_000)))
			writeFile(t, path+".2"+suffix, "no archive at all")
			writeFile(t, path+".1"+suffix, string(packed[:len(packed)/2]))
			writeFile(t, path, text(lines(20_000, 20_010)))
			tl := start(t, FileOptions{Path: path, Positions: saved})
			tl.until("the new file's lines", func() bool {
				return slices.ContainsFunc(tl.lines, func(l relaylens.Line) bool { return l.Text == line(20_009) })
			})
			writeFile(t, path+".1"+suffix, string(packed))
			tl.until("the rest", func() bool { return len(tl.lines) >= 20_000 })
			seen := map[string]bool{}
			for _, text := range testTexts(tl.lines) {
				if seen[text] {
					t.Fatalf("%q came twice", text)
				}
				seen[text] = true
			}
			for n := 10; n < 20_010; n++ {
				if !seen[line(n)] {
					t.Fatalf("%q was lost", line(n))
				}
			}
		})
	}
}

// TestOpened: a line that is written once the source has begun comes, however
// soon that is.
func TestOpened(t *testing.T) {
	for range 30 {
		path := filepath.Join(t.TempDir(), "mail.log")
		if err := os.WriteFile(path, []byte("before\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		source := NewFile(FileOptions{Path: path})
		ctx, cancel := context.WithCancel(t.Context())
		out, ended := make(chan relaylens.Batch, 1), make(chan struct{})
		go func() {
			defer close(ended)
			if err := source.Run(ctx, out); err != nil {
				t.Error(err)
			}
		}()
		<-source.(interface{ Opened() <-chan struct{} }).Opened()
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString("after\n"); err != nil {
			t.Fatal(err)
		}
		f.Close()
		for got := ""; got != "after"; {
			b := <-out
			for i := range b.Lines {
				got = strings.Clone(b.Lines[i].Text)
			}
			if got == "before" {
				t.Fatal("the file was read from its beginning")
			}
			if b.Release != nil {
				b.Release()
			}
		}
		cancel()
		<-ended
	}
}
