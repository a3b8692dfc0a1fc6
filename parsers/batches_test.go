package parsers_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers"
)

// inBatches cuts a log into batches of n lines, each in memory of its own that is
// overwritten when it is released, as a reader's is.
func inBatches(source string, log [][]byte, n int) []*relaylens.Batch {
	var batches []*relaylens.Batch
	offset := int64(0)
	for from := 0; from < len(log); from += n {
		part := log[from:min(from+n, len(log))]
		memory := bytes.Join(part, []byte("\n"))
		b := &relaylens.Batch{Reference: reference, Release: func() {
			for i := range memory {
				memory[i] = '#'
			}
		}}
		at := 0
		for i, l := range part {
			b.Lines = append(b.Lines, relaylens.Line{Text: alias(memory[at : at+len(l)]), Source: source, Number: int64(from + i + 1), Offset: offset})
			at += len(l) + 1
			offset += int64(len(l)) + 1
		}
		batches = append(batches, b)
	}
	return batches
}

func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// toldInBatches are all events of a log as text, and what became of its lines.
func toldInBatches(t testing.TB, log [][]byte, n int, ahead bool) []string {
	p := newParser(t, parsers.Options{Location: time.UTC, ContextIDs: true})
	var events []string
	emit := func(e *relaylens.Event) { events = append(events, string(e.AppendJSON(nil))) }
	batches := inBatches("log", log, n)
	if ahead {
		p.Ahead(func(hand func(*relaylens.Batch) bool) {
			for _, b := range batches {
				hand(b)
			}
		}, emit, func() bool { return true })
	} else {
		for _, b := range batches {
			p.Feed(b, emit)
			b.Release()
		}
	}
	p.Flush(emit)
	return append(events, fmt.Sprint(p.Total(), p.LastTime("log")))
}

// sameInAllBatches reports whether a log tells the same however it is cut.
func sameInAllBatches(t testing.TB, log [][]byte) {
	t.Helper()
	want := toldInBatches(t, log, len(log)+1, false)
	for _, n := range []int{1, 7} {
		for _, ahead := range []bool{false, true} {
			if diff := cmp.Diff(want, toldInBatches(t, log, n, ahead)); diff != "" {
				t.Fatalf("batches of %d lines, ahead %v (- whole log, +):\n%.4000s", n, ahead, diff)
			}
		}
	}
}

// corpus is every log of the corpora, by name.
func corpus(t testing.TB) map[string][][]byte {
	t.Helper()
	names, err := filepath.Glob("../testdata/corpus/*/*.log")
	if err != nil || len(names) == 0 {
		t.Fatalf("find corpora: %v, %d found", err, len(names))
	}
	logs := map[string][][]byte{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		logs[filepath.Base(name)] = bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
	}
	return logs
}

// spoiled is a log in which lines are cut, doubled, moved, wrapped and repeated by
// chance.
func spoiled(rng *rand.Rand, log [][]byte) [][]byte {
	log = slices.Clone(log)
	var out [][]byte
	for i, l := range log {
		switch rng.IntN(16) {
		case 0:
			l = l[:rng.IntN(len(l)+1)]
		case 1:
			out = append(out, l)
		case 2:
			j := rng.IntN(len(log))
			log[j], l = l, log[j]
		case 3:
			l = append(slices.Clone(l[:rng.IntN(len(l)+1)]), log[rng.IntN(len(log))]...)
		case 4:
			l = append(slices.Clone(l), '.')
			l[rng.IntN(len(l))] = byte(rng.IntN(256))
		case 5, 6, 7:
			l = wrapped(rng, l)
		case 8, 9, 10:
			if head, text, ok := bytes.Cut(l, []byte("]: ")); ok {
				out = append(out, pieces(rng, log[i], head, text)...)
				continue
			}
		}
		out = append(out, bytes.ReplaceAll(l, []byte("\n"), nil))
	}
	return out
}

// wrapped is a line as containers and the journal give it, or a piece of it.
func wrapped(rng *rand.Rand, l []byte) []byte {
	switch rng.IntN(3) {
	case 0:
		return fmt.Appendf(nil, `{"log":%q,"stream":"stdout","time":"2026-03-01T10:00:00.123456789Z"}`, string(l)+strings.Repeat("\n", rng.IntN(2)))
	case 1:
		return fmt.Appendf(nil, `{"MESSAGE":%q,"SYSLOG_IDENTIFIER":"postfix/smtpd","_PID":"7","_HOSTNAME":"mx\u0031","__REALTIME_TIMESTAMP":"17723592000000%02d"}`, l, rng.IntN(100))
	}
	return fmt.Appendf(nil, "2026-03-01T10:00:%02d.5Z std%s %c %s", rng.IntN(60), []string{"out", "err"}[rng.IntN(2)], "FP"[rng.IntN(2)], l)
}

// pieces are what may be written in place of or behind a line: that it was repeated,
// or the line in two.
func pieces(rng *rand.Rand, l, head, text []byte) [][]byte {
	switch cut := rng.IntN(len(text) + 1); rng.IntN(3) {
	case 0:
		return [][]byte{l, fmt.Appendf(nil, "%s]: message repeated %d times: [ %s]", head, rng.IntN(5), text)}
	case 1:
		host := head[:max(0, bytes.LastIndexByte(head, ' '))]
		return [][]byte{l, fmt.Appendf(nil, "%s last message repeated %d times", host, rng.IntN(5))}
	default:
		return [][]byte{fmt.Appendf(nil, "%s]: [1/2] %s", head, text[:cut]), fmt.Appendf(nil, "%s]: [2/2] %s", head, text[cut:])}
	}
}

// TestBatchesDoNotMatter is about what is kept between lines: it may not point into
// the memory of lines that are gone.
func TestBatchesDoNotMatter(t *testing.T) {
	for name, log := range corpus(t) {
		t.Run(name, func(t *testing.T) {
			sameInAllBatches(t, log)
			for seed := range uint64(3) {
				t.Run(fmt.Sprint("spoiled ", seed), func(t *testing.T) {
					sameInAllBatches(t, spoiled(rand.New(rand.NewPCG(seed, 1)), log))
				})
			}
		})
	}
}
