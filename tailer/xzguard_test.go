package tailer

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ulikunitz/xz"
)

func needTool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed: apt-get install xz-utils zstd", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

func packWith(t *testing.T, content string, tool string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), needTool(t, tool), args...)
	cmd.Stdin = strings.NewReader(content)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v", tool, args, err)
	}
	return out
}

// Archives decide how much memory unpacking takes; these ask for a lot, some of
// them only after a first block that does not.
func TestArchiveThatAsksForMemory(t *testing.T) {
	const content = "Nov 21 10:00:00 mx1 postfix/smtpd[1]: connect\n"
	modest := packWith(t, content, "xz", "-c")
	for name, packed := range map[string][]byte{
		"xz, 1 GiB":               packWith(t, content, "xz", "-c", "--lzma2=dict=1GiB"),
		"xz, just beyond":         packWith(t, content, "xz", "-c", "--lzma2=dict=96MiB"),
		"xz, in a second stream":  append(bytes.Clone(modest), packWith(t, content, "xz", "-c", "--lzma2=dict=1GiB")...),
		"xz, after padding":       append(append(bytes.Clone(modest), make([]byte, 8)...), packWith(t, content, "xz", "-c", "--lzma2=dict=1GiB")...),
		"xz, behind a filter":     packWith(t, content, "xz", "-c", "--x86", "--lzma2=dict=1GiB"),
		"xz, in a second block":   secondBlock(t, content),
		"zstd, a window of 1 GiB": zstdWindow(t, 1<<30),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := readAll(t, NewReader("x", bytes.NewReader(packed), time.Time{}))
			runtime.ReadMemStats(&after)
			if e := (*Error)(nil); !errors.Is(err, errMemory) || !errors.As(err, &e) || e.Remedy == "" {
				t.Errorf("error %v, want that it asks for too much memory, and a remedy", err)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
				t.Errorf("%d MiB were taken", used>>20)
			}
		})
	}
}

// secondBlock is an archive of two blocks; the property of the second one's
// filter is made to ask for 4 GiB. The header's CRC is wrong then, which the
// decoder would notice only after the guard.
func secondBlock(t *testing.T, content string) []byte {
	t.Helper()
	packed := packWith(t, strings.Repeat(content, 100), "xz", "-c", "-T1", "--block-size=1024", "--lzma2=dict=8MiB")
	filter := []byte{0x21, 0x01, 22}
	first := bytes.Index(packed, filter)
	second := bytes.Index(packed[first+1:], filter) + first + 1
	if first < 0 || second <= first {
		t.Fatal("no second block")
	}
	packed[second+2] = 40
	return packed
}

// zstdWindow is the head of a frame with a window of size bytes, a power of two.
func zstdWindow(t *testing.T, size int) []byte {
	t.Helper()
	exponent := byte(0)
	for 1<<(10+exponent) < size {
		exponent++
	}
	return []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, exponent << 3, 0x0b, 0, 0, 'a', '\n'}
}

// What the tools write by default, and at their highest level, is read.
func TestArchivesOfTheTools(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	var noise strings.Builder // does not compress: chunks are stored
	for range 3000 {
		noise.WriteString(string(rune(33+rnd.IntN(90))) + strings.Repeat(string(rune(33+rnd.IntN(90))), rnd.IntN(9)) + "\n")
	}
	content := noise.String() + strings.Repeat(line(1)+"\n", 20000) + noise.String()
	raw := make([]byte, 200<<10)
	for i := range raw {
		raw[i] = byte(33 + rnd.IntN(200))
	}
	content += string(raw) + "\n"
	for _, args := range []string{"xz -c", "xz -9 -c", "xz -0 -c", "xz -c -T2 --block-size=100000", "xz -c --check=none", "xz -c --check=sha256", "xz -c --check=crc32 --block-size=4097", "zstd -c", "zstd -c --long=27", "zstd -19 -c"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			words := strings.Fields(args)
			packed := packWith(t, content, words[0], words[1:]...)
			got, err := readAll(t, NewReader("src", bytes.NewReader(packed), time.Time{}))
			if err != nil {
				t.Fatal(err)
			}
			if diff := diffLines(wantLines("src", content), got); diff != "" {
				t.Errorf("-want +got\n%.2000s", diff)
			}
			if words[0] == "xz" {
				checkGuard(t, append(bytes.Clone(packed), packed...))
			}
		})
	}
}

// checkGuard: at the end of each stream the guard knows that another may begin.
func checkGuard(t *testing.T, packed []byte) {
	t.Helper()
	g := newXzGuard(bytes.NewReader(packed))
	if _, err := io.Copy(io.Discard, g); err != nil {
		t.Fatal(err)
	}
	if g.step == nil || g.skip != 0 || len(g.have) != 0 || g.want != 4 {
		t.Errorf("the guard lost its way: skip %d, %d of %d bytes", g.skip, len(g.have), g.want)
	}
}

// FuzzXzGuard: the guard changes nothing but what it refuses, and needs no
// more than the decoder to be right.
func FuzzXzGuard(f *testing.F) {
	var b bytes.Buffer
	if w, err := xz.NewWriter(&b); err == nil {
		_, _ = io.WriteString(w, "a\nb\n")
		_ = w.Close()
	}
	f.Add(b.Bytes(), 3)
	f.Fuzz(func(t *testing.T, packed []byte, step int) {
		g := newXzGuard(io.LimitReader(bytes.NewReader(packed), 1<<20))
		var out bytes.Buffer
		_, err := io.CopyBuffer(&out, struct{ io.Reader }{g}, make([]byte, 1+(step&0xff)))
		if err != nil && !errors.Is(err, errMemory) {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(packed, out.Bytes()) || err == nil && out.Len() != min(len(packed), 1<<20) {
			t.Fatal("the guard changed the bytes")
		}
	})
}
