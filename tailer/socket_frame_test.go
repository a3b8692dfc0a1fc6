package tailer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

// frames takes all messages of a stream.
func frames(r io.Reader) (texts []string, cuts int, err error) {
	f := newFramer(r)
	for {
		text, cut, err := f.next()
		if err != nil {
			return texts, cuts, err
		}
		if cut {
			cuts++
		}
		texts = append(texts, string(text))
	}
}

func TestFrames(t *testing.T) {
	long := strings.Repeat("x", relaylens.MaxLine+10)
	for in, want := range map[string][]string{
		"":                                nil,
		"\n\n":                            nil,
		"<22>a\n<22>b":                    {"<22>a", "<22>b"},
		"5 <22>a5 <22>b":                  {"<22>a", "<22>b"},
		"5 <22>a\n5 <22>b\n<22>c\n":       {"<22>a", "<22>b", "<22>c"},
		"9 <22>a\n<2>5 <22>b":             {"<22>a", "<22>b"},
		"2025-01-02T03:04:05Z mx1 x: y\n": {"2025-01-02T03:04:05Z mx1 x: y"},
		"2025 in review\n5 <22>a":         {"2025 in review", "<22>a"},
		"05 <22>a\n":                      {"05 <22>a"},
		"1234567890 <22>a\n":              {"1234567890 <22>a"},
		"5\n":                             {"5"},
		"<22>" + long + "\n<22>b\n":       {("<22>" + long)[:relaylens.MaxLine], "<22>b"},
		"65550 <22>" + long + "<22>b\n":   {("<22>" + long)[:relaylens.MaxLine], "<22>b"},
		"<22>a\r\n<22>b\x00\n":            {"<22>a", "<22>b"},
		"100 <22>half":                    nil,
		"<22>a\n100000 <22>" + long[:500]: {"<22>a"},
	} {
		t.Run(fmt.Sprintf("%.40q", in), func(t *testing.T) {
			for name, r := range map[string]io.Reader{"whole": strings.NewReader(in), "by bytes": iotest.OneByteReader(strings.NewReader(in))} {
				got, cuts, err := frames(r)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s: -want +got\n%.1000s", name, diff)
				}
				if (cuts > 0) != (len(in) > relaylens.MaxLine && len(want) == 2) {
					t.Errorf("%s: %d cut", name, cuts)
				}
				if half := strings.HasPrefix(in, "100 ") || strings.Contains(in, "\n100000 "); errors.Is(err, errHalfMessage) != half {
					t.Errorf("%s: ends with %v", name, err)
				}
			}
		})
	}
}

// Whatever stands in a stream, messages are bounded and none is invented; and
// what is framed comes out.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("<22>a\n5 <22>b"), []byte("mail from <x>"), true)
	f.Add([]byte("999999999 "), []byte("1 <"), false)
	f.Add([]byte("12"), []byte("\xff\xfe"), true)
	f.Fuzz(func(t *testing.T, garbage, message []byte, counted bool) {
		texts, _, err := frames(bytes.NewReader(garbage))
		if !errors.Is(err, io.EOF) && !errors.Is(err, errHalfMessage) {
			t.Errorf("ends with %v", err)
		}
		total := 0
		for _, text := range texts {
			if total += len(text); text == "" || len(text) > relaylens.MaxLine || strings.Contains(text, "\n") || !bytes.Contains(garbage, []byte(text)) {
				t.Errorf("message %.100q", text)
			}
		}
		if total > len(garbage) {
			t.Errorf("%d bytes out of %d", total, len(garbage))
		}

		want := bytes.TrimRight(append([]byte("<22>"), bytes.ReplaceAll(message, []byte("\n"), []byte(" "))...), "\r\x00")
		want = want[:min(len(want), relaylens.MaxLine)]
		framed := append(bytes.Clone(want), '\n')
		if counted {
			framed = fmt.Appendf(nil, "%d %s", len(want), want)
		}
		texts, _, err = frames(io.MultiReader(bytes.NewReader(framed), bytes.NewReader(framed)))
		if !errors.Is(err, io.EOF) || len(texts) != 2 || texts[0] != string(want) || texts[1] != string(want) {
			t.Errorf("%q came out as %q, %v", framed, texts, err)
		}
	})
}
