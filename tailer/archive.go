package tailer

import (
	"bytes"
	"compress/bzip2"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// maxWindow is what `zstd --long=27` writes and plain `zstd -d` reads. More
// would let an archive choose how much memory we take.
const maxWindow = 128 << 20

// An archiver opens one kind of compressed stream, told by the bytes it begins
// with; a file's name is not asked, logs get renamed.
type archiver struct {
	magics [][]byte
	suffix string
	open   func(r io.Reader) (plain io.Reader, mtime time.Time, err error)
}

var archivers = []archiver{
	{[][]byte{{0x1f, 0x8b, 0x08}}, ".gz", openGzip},
	{[][]byte{{0xfd, '7', 'z', 'X', 'Z', 0}}, ".xz", openXz},
	{zstdMagics(), ".zst", openZstd},
	{bzip2Magics(), ".bz2", func(r io.Reader) (io.Reader, time.Time, error) { return bzip2.NewReader(r), time.Time{}, nil }},
}

// longestMagic is the number of bytes after which a stream's kind is known.
var longestMagic = func() int {
	n := 0
	for _, a := range archivers {
		for _, m := range a.magics {
			n = max(n, len(m))
		}
	}
	return n
}()

// A skippable frame may come first: pzstd writes its sizes into one.
func zstdMagics() [][]byte {
	all := [][]byte{{0x28, 0xb5, 0x2f, 0xfd}}
	for n := byte(0x50); n <= 0x5f; n++ {
		all = append(all, []byte{n, 0x2a, 0x4d, 0x18})
	}
	return all
}

// "BZh" and a digit is plain text too; the block's magic that follows, or the
// end of an empty stream, is not.
func bzip2Magics() [][]byte {
	var all [][]byte
	for level := byte('1'); level <= '9'; level++ {
		head := []byte{'B', 'Z', 'h', level}
		all = append(all, slices.Concat(head, []byte{0x31, 0x41, 0x59, 0x26, 0x53, 0x59}),
			slices.Concat(head, []byte{0x17, 0x72, 0x45, 0x38, 0x50, 0x90}))
	}
	return all
}

// sniff returns the archiver for a stream that begins with head, nil for plain
// text. More is true when head is too short to tell.
func sniff(head []byte) (a *archiver, more bool) {
	for i := range archivers {
		for _, m := range archivers[i].magics {
			if bytes.HasPrefix(head, m) {
				return &archivers[i], false
			}
			more = more || bytes.HasPrefix(m, head)
		}
	}
	return nil, more
}

func archiveName(path string) bool {
	return slices.ContainsFunc(archivers, func(a archiver) bool { return a.suffix == filepath.Ext(path) })
}

func openGzip(r io.Reader) (io.Reader, time.Time, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, time.Time{}, err
	}
	return z, z.ModTime, nil
}

func openXz(r io.Reader) (io.Reader, time.Time, error) {
	end := &xzEnd{r: newXzGuard(r)}
	z, err := xz.NewReader(end)
	if err != nil {
		return nil, time.Time{}, err
	}
	end.plain = z
	return end.reader(), time.Time{}, nil
}

// xzEnd notices a stream without a footer: the decoder takes a file that is
// cut off between two blocks for a whole one.
type xzEnd struct {
	r     io.Reader
	plain io.Reader
	last  [2]byte // not counting the padding
}

func (e *xzEnd) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	switch t := bytes.TrimRight(p[:n], "\x00"); len(t) {
	case 0:
	case 1:
		e.last[0], e.last[1] = e.last[1], t[0]
	default:
		copy(e.last[:], t[len(t)-2:])
	}
	return n, err
}

func (e *xzEnd) reader() io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		n, err := e.plain.Read(p)
		if err == io.EOF && string(e.last[:]) != "YZ" {
			err = io.ErrUnexpectedEOF
		}
		return n, err
	})
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func openZstd(r io.Reader) (io.Reader, time.Time, error) {
	// One goroutine: none is left behind when the reader is not closed.
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, time.Time{}, err
	}
	return z.IOReadCloser(), time.Time{}, nil
}

// readError tells a damaged archive from a disk that does not read.
func readError(path string, a *archiver, err error) *Error {
	e := &Error{Op: "read", Path: path, Err: err}
	switch {
	case a == nil:
		e.Err = openError(path, err).Err
	case errors.Is(err, errMemory), errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		e.Err = errMemory
		e.Remedy = "unpack it first, if you trust it"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		e.Err = errCutArchive
		e.Remedy = "its lines up to there were read; the rest is gone, or still being compressed"
	default:
		e.Remedy = "the archive is damaged there; its lines up to there were read"
	}
	return e
}

var (
	errCutArchive = errors.New("the archive is cut off")
	errMemory     = errors.New("the archive asks for more memory to be unpacked than a log needs (xz -9 takes 64 MiB, zstd --long=27 128 MiB)")
)
