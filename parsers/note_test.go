package parsers

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

// atLength has a record of each visit that was noted.
func (s *Scanned) atLength() *Scanned {
	whole := *s
	whole.records, whole.notes = nil, nil
	notes := s.notes
	for i := range len(s.records) + 1 {
		for ; len(notes) > 0 && int(notes[0].before) <= i; notes = notes[1:] {
			n := notes[0]
			var r scannedRecord
			switch n.kind {
			case noteVisit:
				s.visits[n.of].record(&r)
			case noteBorn, noteActive, noteSent:
				s.mails[n.of].record(&n, &r)
			}
			if r.line != nil {
				whole.records = append(whole.records, r)
				continue
			}
			n.before = int32(len(whole.records))
			whole.notes = append(whole.notes, n)
		}
		if i < len(s.records) {
			whole.records = append(whole.records, s.records[i])
		}
	}
	return &whole
}

// toldOf is what a log tells in short, or at length.
func toldOf(t *testing.T, log [][]byte, atLength bool) (events []string, total Counts) {
	p, err := New(Options{Location: time.UTC, Brief: true})
	if err != nil {
		t.Fatal(err)
	}
	emit := func(e *relaylens.Event) { events = append(events, string(e.AppendJSON(nil))) }
	var b relaylens.Batch
	for i, l := range log {
		if b.Lines = append(b.Lines, relaylens.Line{Text: string(l), Source: "log", Number: int64(i)}); len(b.Lines) < 50 && i < len(log)-1 {
			continue
		}
		b.Reference = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
		s := new(Scanned)
		if p.Scan(&b, s); atLength {
			s = s.atLength()
		}
		p.Take(s, emit)
		b.Lines = nil
	}
	p.Flush(emit)
	return events, p.Total()
}

// What is noted of visits and mail tells what records of it would.
func TestNotesInShort(t *testing.T) {
	names, err := filepath.Glob("../testdata/corpus/*/*.log")
	if err != nil || len(names) == 0 {
		t.Fatalf("find corpora: %v, %d found", err, len(names))
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		log := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
		for seed := range uint64(4) {
			short, counts := toldOf(t, log, false)
			whole, total := toldOf(t, log, true)
			if diff := cmp.Diff(whole, short); diff != "" || counts != total {
				t.Fatalf("%s, seed %d: %v, %v (- at length, + in short):\n%s", name, seed, total, counts, diff)
			}
			rng := rand.New(rand.NewPCG(seed, 1)) // sessions without beginning or end
			for range len(log) / 4 {
				i := rng.IntN(len(log))
				log[i] = log[rng.IntN(len(log))]
			}
		}
	}
}

// A visit that is noted is the record that it was, and where visits are told of it is one.
func TestVisitsAreRecords(t *testing.T) {
	lines := [][]byte{[]byte("Nov 20 09:00:01 mx1 postfix/smtpd[9]: connect from other.example.com[192.0.2.7]:4711"),
		[]byte("2026-11-20T09:00:01.123456+01:00 mx1 postfix/submission/smtpd[9]: connect from unknown[2001:db8::7]"),
		[]byte("2026-11-20T09:00:01.5+01:00 mx1 postfix/submission/smtpd[9]: disconnect from unknown[2001:db8::7] ehlo=1 quit=1 commands=2"),
		[]byte("Nov 20 09:00:02 mx1 postfix/smtpd[9]: disconnect from other.example.com[192.0.2.7]:4711 ehlo=1 quit=1 commands=2")}
	scan := func(brief bool) *Scanned {
		p, err := New(Options{Location: time.UTC, Brief: brief})
		if err != nil {
			t.Fatal(err)
		}
		b := relaylens.Batch{Reference: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
		for range 2 { // Decoders read what begins as lines before in a way of its own
			for i, l := range lines {
				b.Lines = append(b.Lines, relaylens.Line{Text: string(l), Source: "log", Number: int64(i)})
			}
		}
		s := new(Scanned)
		p.Scan(&b, s)
		return s
	}
	short, long := scan(true), scan(false)
	if len(short.visits) != 2*len(lines) || len(short.records) != 0 || len(long.records) != 2*len(lines) {
		t.Fatalf("%d visits and %d records in short, %d records at length", len(short.visits), len(short.records), len(long.records))
	}
	for i, r := range short.atLength().records {
		want := long.records[i]
		if r.rec != long.records[i].rec || !r.env.Time.Equal(want.env.Time) || r.env.TimeDigits != want.env.TimeDigits || r.env.PID != want.env.PID ||
			r.env.Host != want.env.Host || r.env.Program != want.env.Program || r.mta != want.mta || r.second != want.second || r.verdict != want.verdict || *r.line != *want.line {
			t.Errorf("%s\n%+v\n%+v", r.line.Text, r, want)
		}
	}
}
