package tailer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

// readAll clones every line of r.
func readAll(t testing.TB, r *Reader) ([]relaylens.Line, error) {
	t.Helper()
	var all []relaylens.Line
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		if len(b.Lines) == 0 {
			t.Fatal("Next returned a batch without lines")
		}
		if last := b.Lines[len(b.Lines)-1]; b.Position.Offset != last.End || b.Position.Number != last.Number || b.Position.Origin != last.Origin {
			t.Fatalf("position %+v does not stand behind the last line %d..%d", b.Position, last.Offset, last.End)
		}
		for _, l := range b.Lines {
			l.Text = strings.Clone(l.Text)
			all = append(all, l)
		}
	}
}

func texts(lines []relaylens.Line) []string {
	var all []string
	for _, l := range lines {
		all = append(all, l.Text)
	}
	return all
}

// wantLines is the specification, written the slow way: what stands between
// newlines, with its place.
func wantLines(source, content string) []relaylens.Line {
	var want []relaylens.Line
	offset := int64(len(content) - len(strings.TrimLeft(content, "\x00")))
	rest := content[offset:]
	origin := relaylens.Origin{}
	for n := int64(1); rest != ""; n++ {
		text, after, found := strings.Cut(rest, "\n")
		end := offset + int64(len(text))
		if found {
			end++
		}
		l := relaylens.Line{Text: text, Source: source, Number: n, Offset: offset, End: end}
		if len(text) > relaylens.MaxLine {
			l.Text, l.Cut = text[:relaylens.MaxLine], true
		}
		if n == 1 {
			origin = relaylens.NewOrigin(l.Text)
		}
		l.Origin = origin
		want = append(want, l)
		rest, offset = after, end
	}
	return want
}

func TestReaderLines(t *testing.T) {
	long := strings.Repeat("x", relaylens.MaxLine)
	for name, content := range map[string]string{
		"empty":                   "",
		"one line":                "a\n",
		"no newline at the end":   "a\nb",
		"empty lines":             "\n\n\n",
		"CR is kept":              "a\r\nb\r\n\rc\n",
		"NUL inside":              "a\x00b\n\x00c\n",
		"NUL hole at the start":   strings.Repeat("\x00", 300<<10) + "a\nb\n",
		"nothing but NUL":         strings.Repeat("\x00", 300<<10),
		"invalid UTF-8":           "\xff\xfe\n\x80\n",
		"just MaxLine":            long + "\nb\n",
		"MaxLine and one":         long + "y\nb\n",
		"MaxLine, no newline":     long,
		"over, no newline":        long + "y",
		"over by blocks":          "a\n" + strings.Repeat(long, 9) + "\nb\n" + strings.Repeat(long, 5) + "\n\nc",
		"first line over":         strings.Repeat(long, 9) + "\nb\n",
		"more lines than a batch": strings.Repeat("\n", 3*batchLines+1),
		"many blocks":             strings.Repeat("Nov 21 10:00:00 mx1 postfix/smtpd[1]: connect\n", 40000),
	} {
		t.Run(name, func(t *testing.T) {
			for reader, r := range map[string]io.Reader{
				"whole":    strings.NewReader(content),
				"data+EOF": iotest.DataErrReader(strings.NewReader(content)),
				"shreds":   &shredder{r: strings.NewReader(content), rnd: rand.New(rand.NewPCG(1, 2))},
			} {
				got, err := readAll(t, NewReader("src", r, time.Time{}))
				if err != nil {
					t.Fatalf("%s: %v", reader, err)
				}
				if diff := diffLines(wantLines("src", content), got); diff != "" {
					t.Errorf("%s: -want +got\n%.2000s", reader, diff)
				}
			}
		})
	}
}

// shredder returns what it reads in pieces of random size, some of them empty.
type shredder struct {
	r   io.Reader
	rnd *rand.Rand
}

func (s *shredder) Read(p []byte) (int, error) {
	n := s.rnd.IntN(8)
	if s.rnd.IntN(3) == 0 {
		n = s.rnd.IntN(100 << 10)
	}
	return s.r.Read(p[:min(n, len(p))])
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("a\nb\n\nc"), uint64(1))
	f.Add([]byte("\x00\x00a\r\n\x1f"), uint64(2))
	f.Add([]byte("BZh9"), uint64(3))
	f.Fuzz(func(t *testing.T, content []byte, seed uint64) {
		if kind, _ := sniff(content); kind != nil {
			_, _ = readAll(t, NewReader("src", bytes.NewReader(content), time.Time{})) // whatever it is, no panic
			return
		}
		got, err := readAll(t, NewReader("src", &shredder{bytes.NewReader(content), rand.New(rand.NewPCG(seed, 0))}, time.Time{}))
		if err != nil {
			t.Fatal(err)
		}
		if diff := diffLines(wantLines("src", string(content)), got); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	})
}

// diffLines is cmp.Diff, which takes seconds for lines that do not differ.
func diffLines(want, got []relaylens.Line) string {
	if slices.Equal(want, got) {
		return ""
	}
	return cmp.Diff(want, got)
}

func writeFile(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestReadErrorComesAfterTheLines(t *testing.T) {
	broken := errors.New("input/output error")
	got, err := readAll(t, NewReader("src", io.MultiReader(strings.NewReader("a\nb\nhal"), iotest.ErrReader(broken)), time.Time{}))
	if !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
	if diff := cmp.Diff([]string{"a", "b"}, texts(got)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// A person who types, or a program that logs to a pipe, is not made to fill a block.
func TestReaderHandsOutWhatArrives(t *testing.T) {
	pr, pw := io.Pipe()
	defer pw.Close()
	r := NewReader("src", pr, time.Time{})
	for _, text := range []string{"first", "second", "third"} {
		go func() { _, _ = io.WriteString(pw, text+"\nunfin") }()
		b, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if got := b.Lines[0].Text; !strings.HasSuffix(got, text) {
			t.Errorf("got %q, want %q", got, text)
		}
	}
}

func TestReaderMemoryIsConstant(t *testing.T) {
	const size = 100 << 20
	line := strings.Repeat("garbage\x00\xff", size/9)
	r := NewReader("src", io.MultiReader(strings.NewReader("a\n"), strings.NewReader(line), strings.NewReader("\nb\n")), time.Time{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := readAll(t, r)
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || !got[1].Cut || got[1].End != int64(2+len(line)+1) || got[2].Text != "b" {
		t.Errorf("got %d lines, want a, the head of the long one, b", len(got))
	}
	limit := uint64(4 << 20)
	if poisonReleased {
		limit += 8 * blockSize // a new block for each batch
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > limit {
		t.Errorf("%d bytes allocated for a line of %d", used, len(line))
	}
}

func BenchmarkReader(b *testing.B) {
	content := strings.Repeat("Nov 21 10:00:00 mx1 postfix/smtpd[4711]: NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 554 5.7.1 <a@b.example>: Relay access denied\n", 500000)
	path := filepath.Join(b.TempDir(), "mail.log")
	writeFile(b, path, content)
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := OpenReader(path)
		if err != nil {
			b.Fatal(err)
		}
		for {
			if _, err := r.Next(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
		r.Close()
	}
}

// TestReaderOwn keeps every batch until the end, and releases them all then.
func TestReaderOwn(t *testing.T) {
	var text strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&text, "line %d %s\n", i, strings.Repeat("x", i%300))
	}
	text.WriteString("no end")
	r := NewReader("test", strings.NewReader(text.String()), time.Time{})
	r.Own()
	var batches []*relaylens.Batch
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		batches = append(batches, b)
	}
	var got strings.Builder
	number := int64(0)
	for _, b := range batches {
		for i := range b.Lines {
			if number++; b.Lines[i].Number != number {
				t.Fatalf("line %d has the number %d", number, b.Lines[i].Number)
			}
			got.WriteString(b.Lines[i].Text + "\n")
		}
		b.Release()
	}
	if got.String() != text.String()+"\n" {
		t.Error("the lines are not those of the stream")
	}
}
