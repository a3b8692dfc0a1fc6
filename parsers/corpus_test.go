package parsers_test

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers"
	"github.com/relaylens/relaylens/tailer"
)

var update = flag.Bool("update", false, "write the expected events of the golden corpora; read them before committing")

// TestGoldenCorpora holds the events of every log in testdata/corpus against
// the expected ones beside it, one JSON object a line.
func TestGoldenCorpora(t *testing.T) {
	logs, err := filepath.Glob("../testdata/corpus/*/*.log")
	if err != nil || len(logs) == 0 {
		t.Fatalf("find golden corpora: %v, %d found", err, len(logs))
	}
	for _, log := range logs {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(log), "../testdata/corpus/"), ".log")
		t.Run(name, func(t *testing.T) {
			got := goldenEvents(t, log)
			golden := strings.TrimSuffix(log, ".log") + ".events.jsonl"
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(lines(want), lines(got)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func lines(b []byte) []string { return strings.Split(string(b), "\n") }

// goldenEvents reads a log as a program would and renders its refusals without
// what the checkout's place and the files' times decide.
func goldenEvents(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p := newParser(t, parsers.Options{Location: time.UTC, ContextIDs: true})
	var out []byte
	emit := func(e *relaylens.Event) {
		if e.Kind.Refusal() {
			out = append(e.AppendJSON(out), '\n')
		}
	}
	feed(t, p, filepath.Base(path), data, emit)
	p.Flush(emit)
	return out
}

func newParser(t testing.TB, o parsers.Options) *parsers.Parser {
	t.Helper()
	p, err := parsers.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// reference stands for the time at which the tests' logs were read.
var reference = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)

func feed(t testing.TB, p *parsers.Parser, name string, data []byte, emit func(*relaylens.Event)) {
	t.Helper()
	r := tailer.NewReader(name, bytes.NewReader(data), reference)
	for {
		batch, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		p.Feed(batch, emit)
	}
}
