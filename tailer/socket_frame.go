package tailer

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/relaylens/relaylens"
)

const (
	frameBuffer = 4 << 10
	// maxCount is the number of digits of an octet count that is believed.
	maxCount = 9
)

// errHalfMessage says that a connection ended within a counted message.
var errHalfMessage = errors.New("the connection ended within a message")

// A framer takes messages from a syslog stream. RFC 6587 has two framings,
// which a sender may change from message to message: octet counting, "26
// <22>…", and a newline at the end. A message is counted when it begins with a
// number, one blank and "<".
type framer struct {
	r    *bufio.Reader
	text []byte
}

func newFramer(r io.Reader) *framer { return &framer{r: bufio.NewReaderSize(r, frameBuffer)} }

// next returns the next message that is not empty, valid until the call after
// it; at most MaxLine bytes of it, then cut is true. At the end of the stream
// it returns io.EOF, or errHalfMessage.
func (f *framer) next() (text []byte, cut bool, err error) {
	if cap(f.text) > frameBuffer {
		f.text = nil // one long message is not paid for as long as the connection lasts
	}
	for {
		f.text = f.text[:0]
		if n, head := f.count(); n > 0 {
			_, _ = f.r.Discard(head)
			cut, err = f.counted(n)
		} else {
			cut, err = f.line()
		}
		// What follows a newline would be a line of its own in a file: of a
		// message whose text a client chose, one that the server never wrote.
		text, _, _ = bytes.Cut(f.text, []byte("\n"))
		text = bytes.TrimRight(text, "\r\x00")
		if len(text) > 0 || err != nil {
			return text, cut, err
		}
	}
}

// count is the octet count that stands next, 0 when there is none, and the
// number of bytes that it takes.
func (f *framer) count() (n, head int) {
	for i := 0; i <= maxCount; i++ {
		b, err := f.r.Peek(i + 1)
		if err != nil {
			return 0, 0
		}
		switch c := b[i]; {
		case c >= '0' && c <= '9' && (i > 0 || c != '0'):
			n = n*10 + int(c-'0')
		case c == ' ' && i > 0:
			if b, err = f.r.Peek(i + 2); err != nil || b[i+1] != '<' {
				return 0, 0
			}
			return n, i + 1
		default:
			return 0, 0
		}
	}
	return 0, 0
}

func (f *framer) counted(n int) (cut bool, err error) {
	kept := min(n, relaylens.MaxLine)
	for len(f.text) < kept {
		b, err := f.r.Peek(min(kept-len(f.text), max(1, f.r.Buffered())))
		f.text = append(f.text, b...)
		_, _ = f.r.Discard(len(b))
		if err != nil {
			return false, half(err)
		}
	}
	if _, err := f.r.Discard(n - kept); err != nil {
		return false, half(err)
	}
	return n > kept, nil
}

func half(err error) error {
	if errors.Is(err, io.EOF) {
		return errHalfMessage
	}
	return err
}

// line takes what stands before the next newline, or before the end: some
// senders leave out the last one.
func (f *framer) line() (cut bool, err error) {
	for {
		b, err := f.r.ReadSlice('\n')
		room := relaylens.MaxLine - len(f.text)
		b = bytes.TrimSuffix(b, []byte("\n"))
		cut = cut || len(b) > room
		f.text = append(f.text, b[:min(len(b), room)]...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(f.text) > 0:
			return cut, nil
		}
		return cut, err
	}
}
