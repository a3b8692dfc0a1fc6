package tailer

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

// counting counts what is read from a file.
type counting struct {
	handle
	read int
}

func (c *counting) ReadAt(p []byte, at int64) (int, error) {
	n, err := c.handle.ReadAt(p, at)
	c.read += n
	return n, err
}

// A log is read little more than once, whatever the length of its lines, and with the
// lines all come.
func TestReadOnce(t *testing.T) {
	var short, mixed strings.Builder
	for n := range 30_000 {
		fmt.Fprintf(&short, "line %d of a log %s\n", n, strings.Repeat("x", 100))
		fmt.Fprintf(&mixed, "line %d %s\n", n, strings.Repeat("x", n/1000%7*n%300))
		if n%5000 == 4999 {
			fmt.Fprintln(&mixed, strings.Repeat("y", relaylens.MaxLine*n/5000))
		}
	}
	for name, c := range map[string]struct {
		log  string
		most float64 // times that it is read
	}{
		"lines alike": {short.String(), 1.25},
		"all lengths": {mixed.String(), 2},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "mail.log")
			if err := os.WriteFile(path, []byte(c.log), 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := openHandle(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			fi, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			counted := &counting{handle: f}
			s := newStream(path, counted, fi)
			var got strings.Builder
			cut := 0
			for !s.atEnd {
				b := takeBlock()
				if err := s.read(b, time.Now()); err != nil {
					t.Fatal(err)
				}
				for i := range b.lines {
					if b.lines[i].Cut {
						cut++
						continue
					}
					fmt.Fprintln(&got, b.lines[i].Text)
				}
				b.free()
			}
			want := strings.Count(c.log, "\n")
			if n := strings.Count(got.String(), "\n"); n+cut != want || s.offset != int64(len(c.log)) {
				t.Errorf("%d lines and %d overlong ones up to %d, want %d up to %d", n, cut, s.offset, want, len(c.log))
			}
			if times := float64(counted.read) / float64(len(c.log)); times > c.most {
				t.Errorf("read %.2f times", times)
			}
		})
	}
}
