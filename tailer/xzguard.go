package tailer

import (
	"encoding/binary"
	"io"
)

// maxDictionary is what `xz -9` writes. The decoder takes as much memory as a
// block says it needs, up to 4 GiB.
const maxDictionary = 64 << 20

// xzGuard follows the structure of an .xz stream (xz-file-format.txt 1.2.1) and
// fails before a block that asks for more memory than maxDictionary. What is
// malformed it leaves to the decoder.
type xzGuard struct {
	r     io.Reader
	step  func(*xzGuard, []byte) error // what to do with the next bytes
	want  int                          // of them
	have  []byte
	skip  int64 // bytes of no interest before them
	check int   // size of a block's check
	size  int64 // of a block's compressed data, or of the index, so far
	left  uint64
	err   error
}

func newXzGuard(r io.Reader) *xzGuard {
	return &xzGuard{r: r, step: (*xzGuard).streamHeader, want: 12}
}

func (g *xzGuard) Read(p []byte) (int, error) {
	if g.err != nil {
		return 0, g.err
	}
	n, err := g.r.Read(p)
	if g.err = g.follow(p[:n]); g.err != nil {
		return 0, g.err
	}
	return n, err
}

func (g *xzGuard) follow(p []byte) error {
	for len(p) > 0 && g.step != nil {
		if g.skip > 0 {
			n := min(g.skip, int64(len(p)))
			g.skip -= n
			p = p[n:]
			continue
		}
		n := min(g.want-len(g.have), len(p))
		g.have = append(g.have, p[:n]...)
		p = p[n:]
		if len(g.have) < g.want {
			return nil
		}
		have := g.have
		g.have = g.have[:0]
		if err := g.step(g, have); err != nil {
			return err
		}
	}
	return nil
}

func (g *xzGuard) next(step func(*xzGuard, []byte) error, want int) error {
	g.step, g.want = step, want
	return nil
}

func (g *xzGuard) streamHeader(b []byte) error {
	// By check type, 3.1.1.2: none, 4, 8, 16, 32 and 64 bytes, three types each.
	if kind := int(b[7] & 0xf); kind == 0 {
		g.check = 0
	} else {
		g.check = 4 << ((kind - 1) / 3)
	}
	return g.next((*xzGuard).blockStart, 1)
}

func (g *xzGuard) blockStart(b []byte) error {
	if b[0] == 0 {
		g.size, g.left = 1, 0
		return g.next((*xzGuard).indexCount, 1)
	}
	return g.next((*xzGuard).blockHeader, int(b[0])*4+3)
}

// blockHeader, 3.1: flags, sizes, and up to four filters.
func (g *xzGuard) blockHeader(b []byte) error {
	flags, b := b[0], b[1:]
	for _, present := range []byte{0x40, 0x80} {
		if flags&present != 0 {
			_, n := binary.Uvarint(b)
			b = b[max(n, 0):]
		}
	}
	for range flags&3 + 1 {
		id, n := binary.Uvarint(b)
		b = b[max(n, 0):]
		size, n := binary.Uvarint(b)
		b = b[max(n, 0):]
		if n <= 0 || size > uint64(len(b)) {
			break
		}
		const lzma2 = 0x21
		if id == lzma2 && size == 1 && dictionary(b[0]) > maxDictionary {
			return errMemory
		}
		b = b[size:]
	}
	g.size = 0
	return g.next((*xzGuard).chunk, 1)
}

// dictionary is the size that the property of LZMA2 stands for, 5.3.1.
func dictionary(b byte) int64 {
	if b >= 40 {
		return 4 << 30
	}
	return int64(2|b&1) << (b/2 + 11)
}

// chunk is the control byte of an LZMA2 chunk: end, stored, or packed.
func (g *xzGuard) chunk(b []byte) error {
	g.size++
	switch {
	case b[0] == 0:
		g.skip = -g.size&3 + int64(g.check)
		return g.next((*xzGuard).blockStart, 1)
	case b[0] <= 2:
		return g.next((*xzGuard).chunkSize, 2)
	case b[0] >= 0xc0:
		g.skip, g.size = 2, g.size+3 // the size of its content, and a byte of properties
	case b[0] >= 0x80:
		g.skip, g.size = 2, g.size+2
	default:
		g.step = nil
		return nil
	}
	g.left = 0
	if b[0] >= 0xc0 {
		g.left = 1
	}
	return g.next((*xzGuard).packedSize, 2)
}

func (g *xzGuard) chunkSize(b []byte) error {
	g.skip = int64(binary.BigEndian.Uint16(b)) + 1
	g.size += 2 + g.skip
	return g.next((*xzGuard).chunk, 1)
}

func (g *xzGuard) packedSize(b []byte) error {
	n := int64(binary.BigEndian.Uint16(b)) + 1
	g.size += 2 + n
	g.skip = n + int64(g.left)
	return g.next((*xzGuard).chunk, 1)
}

// indexCount reads the number of records, byte by byte; each is two numbers.
func (g *xzGuard) indexCount(b []byte) error {
	g.left |= uint64(b[0]&0x7f) << (7 * min(g.size-1, 9))
	g.size++
	if b[0]&0x80 != 0 {
		return nil
	}
	g.left *= 2
	return g.record(nil)
}

func (g *xzGuard) record(b []byte) error {
	if len(b) > 0 {
		g.size++
		if b[0]&0x80 == 0 {
			g.left--
		}
	}
	if g.left > 0 {
		return g.next((*xzGuard).record, 1)
	}
	const crc, footer = 4, 12
	g.skip = -g.size&3 + crc + footer
	return g.next((*xzGuard).padding, 4)
}

// padding may stand between streams, four NUL bytes at a time.
func (g *xzGuard) padding(b []byte) error {
	if binary.BigEndian.Uint32(b) == 0 {
		return nil
	}
	g.have = append(g.have, b...)
	return g.next((*xzGuard).streamHeader, 12)
}
