package tailer

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

func TestAheadReadsWhatIsThere(t *testing.T) {
	text := bytes.Repeat([]byte("a line of a log\n"), 200_000)
	for name, source := range map[string]func() io.Reader{
		"at once":         func() io.Reader { return bytes.NewReader(text) },
		"halves":          func() io.Reader { return iotest.HalfReader(bytes.NewReader(text)) },
		"data with error": func() io.Reader { return iotest.DataErrReader(bytes.NewReader(text)) },
	} {
		t.Run(name, func(t *testing.T) {
			a := newAhead(source())
			got, err := io.ReadAll(a)
			if err != nil || !bytes.Equal(got, text) {
				t.Errorf("read %d bytes, error %v; want %d", len(got), err, len(text))
			}
			if n, err := a.Read(make([]byte, 8)); n != 0 || !errors.Is(err, io.EOF) {
				t.Errorf("behind the end: %d bytes, error %v", n, err)
			}
			if err := a.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAheadKeepsTheErrorBehindTheData(t *testing.T) {
	broken := errors.New("bad block")
	a := newAhead(io.MultiReader(bytes.NewReader([]byte("first\n")), iotest.ErrReader(broken)))
	defer a.Close()
	got, err := io.ReadAll(a)
	if string(got) != "first\n" || !errors.Is(err, broken) {
		t.Errorf("read %q, error %v", got, err)
	}
}

func TestAheadClosesBeforeTheEnd(t *testing.T) {
	a := newAhead(bytes.NewReader(bytes.Repeat([]byte("x"), 10*aheadSize)))
	if _, err := a.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}
