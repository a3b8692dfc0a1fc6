package tailer

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// compressors writes content as each kind of archive.
var compressors = map[string]func(t *testing.T, content string) []byte{
	".gz": func(t *testing.T, content string) []byte {
		return compressWith(t, content, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
	},
	".xz": func(t *testing.T, content string) []byte {
		return compressWith(t, content, func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) })
	},
	".zst": func(t *testing.T, content string) []byte {
		return compressWith(t, content, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) })
	},
	".bz2": bzip2Sample,
}

func compressWith(t *testing.T, content string, open func(io.Writer) (io.WriteCloser, error)) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := open(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// archiveContent is what every archive of these tests holds; bzip2, which Go
// cannot write, has it as a file made by bzip2(1).
var archiveContent = func() string {
	var b strings.Builder
	for n := range 20000 {
		fmt.Fprintf(&b, "Nov 21 10:00:%02d mx1 postfix/smtpd[%d]: connect from unknown[192.0.2.%d]\n", n/1000, n, n%256)
	}
	return b.String() + "no newline"
}()

func bzip2Sample(t *testing.T, _ string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/sample.bz2")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReaderArchives(t *testing.T) {
	for suffix, compress := range compressors {
		t.Run(suffix, func(t *testing.T) {
			packed := compress(t, archiveContent)
			// The name says nothing: logrotate's "extension", a mail attachment.
			path := filepath.Join(t.TempDir(), "mail.log.1")
			writeFile(t, path, string(packed))
			r, err := OpenReader(path)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			got, err := readAll(t, r)
			if err != nil {
				t.Fatal(err)
			}
			if diff := diffLines(wantLines(path, archiveContent), got); diff != "" {
				t.Errorf("-want +got\n%.2000s", diff)
			}
			if r.BytesRead() != r.Size() || r.Size() != int64(len(packed)) {
				t.Errorf("read %d of %d bytes, the file has %d", r.BytesRead(), r.Size(), len(packed))
			}
		})
		t.Run(suffix+" twice in one file", func(t *testing.T) {
			got, err := readAll(t, NewReader("src", bytes.NewReader(append(compress(t, archiveContent), compress(t, archiveContent)...)), time.Time{}))
			if err != nil {
				t.Fatal(err)
			}
			if diff := diffLines(wantLines("src", archiveContent+archiveContent), got); diff != "" {
				t.Errorf("-want +got\n%.2000s", diff)
			}
		})
		t.Run(suffix+" cut", func(t *testing.T) {
			packed := compress(t, archiveContent)
			for _, n := range []int{len(packed) - 1, len(packed) * 3 / 4, len(packed) / 2, 12} {
				got, err := readAll(t, NewReader("x"+suffix, bytes.NewReader(packed[:n]), time.Time{}))
				if e := (*Error)(nil); !errors.As(err, &e) || e.Path != "x"+suffix || e.Remedy == "" {
					t.Errorf("%d of %d bytes: error %v does not name the path and a remedy", n, len(packed), err)
				}
				want := wantLines("x"+suffix, archiveContent)
				if len(got) > len(want) || !slices.Equal(want[:len(got)], got) {
					t.Errorf("%d of %d bytes: the lines before the cut are not those of the file", n, len(packed))
				}
				if n == len(packed)-1 && suffix == ".gz" && len(got) < len(want)-200 {
					t.Errorf("%d of %d bytes: only %d lines of %d", n, len(packed), len(got), len(want))
				}
			}
		})
	}
}

func TestSniffLeavesTextAlone(t *testing.T) {
	for _, content := range []string{"BZh9 is how a line may begin\n", "BZh91AY&SX\n", "\x1f\x8bno\n", "(", "\xfd7zX\n", "P*M\n"} {
		t.Run(content, func(t *testing.T) {
			got, err := readAll(t, NewReader("src", iotest.OneByteReader(strings.NewReader(content)), time.Time{}))
			if err != nil {
				t.Fatal(err)
			}
			if diff := diffLines(wantLines("src", content), got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestReferenceOfGzipIsItsOwn(t *testing.T) {
	written := time.Date(2024, 2, 29, 6, 25, 0, 0, time.UTC)
	packed := compressWith(t, "a\n", func(w io.Writer) (io.WriteCloser, error) {
		z := gzip.NewWriter(w)
		z.ModTime = written
		return z, nil
	})
	b, err := NewReader("src", bytes.NewReader(packed), time.Now()).Next()
	if err != nil {
		t.Fatal(err)
	}
	if !b.Reference.Equal(written) {
		t.Errorf("got %v, want %v", b.Reference, written)
	}
}

// Any of sixteen frames that are to be skipped may stand before zstd's own.
func TestSkippableFrames(t *testing.T) {
	for n := 0x4f; n <= 0x60; n++ {
		a, more := sniff([]byte{byte(n), 0x2a, 0x4d, 0x18})
		if want := n&0xf0 == 0x50; more || (a != nil) != want || want && a.suffix != ".zst" {
			t.Errorf("%#x: archiver %v, more %v", n, a, more)
		}
	}
}

// What is too short to tell is not taken for plain text; an archive of nothing is one.
func TestSniffShort(t *testing.T) {
	for _, a := range archivers {
		for _, magic := range a.magics {
			for n := range magic {
				if found, more := sniff(magic[:n]); found != nil || !more {
					t.Errorf("%x: archiver %v, more %v", magic[:n], found, more)
				}
			}
			if found, more := sniff(magic); found == nil || found.suffix != a.suffix || more {
				t.Errorf("%x: archiver %v, more %v", magic, found, more)
			}
		}
	}
	for suffix, empty := range map[string]string{".bz2": "BZh9\x17\x72\x45\x38\x50\x90\x00\x00\x00\x00", ".gz": "\x1f\x8b\x08"} {
		if a, _ := sniff([]byte(empty)); a == nil || a.suffix != suffix {
			t.Errorf("%s: archiver %v", suffix, a)
		}
	}
	if a, more := sniff([]byte("BZh9 is plain text")); a != nil || more {
		t.Errorf("text: archiver %v, more %v", a, more)
	}
}

// An xz stream ends with its footer, in whatever portions it is read.
func TestXzEndOfSmallReads(t *testing.T) {
	for end, want := range map[string]error{"xYZ": nil, "YZ\x00\x00\x00\x00": nil, "YZ\x00Z": io.ErrUnexpectedEOF, "ZY": io.ErrUnexpectedEOF, "": io.ErrUnexpectedEOF} {
		for _, read := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader} {
			e := &xzEnd{r: read(strings.NewReader("some bytes" + end))}
			e.plain = e
			if _, err := io.ReadAll(e.reader()); !errors.Is(err, want) {
				t.Errorf("%q: %v, want %v", end, err, want)
			}
		}
	}
}
