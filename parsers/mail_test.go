package parsers

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/syslog"
)

// Mail that is noted is the record that it would be.
func TestMailIsRecords(t *testing.T) {
	names, err := filepath.Glob("../testdata/corpus/*/*.log")
	if err != nil || len(names) == 0 {
		t.Fatalf("find corpora: %v, %d found", err, len(names))
	}
	noted := map[relaylens.MTA]map[noteKind]int{relaylens.Postfix: {}, relaylens.Exim: {}}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		p, err := New(Options{Location: time.UTC})
		if err != nil {
			t.Fatal(err)
		}
		b := relaylens.Batch{Reference: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
		for l := range bytes.Lines(data) {
			b.Lines = append(b.Lines, relaylens.Line{Text: string(bytes.TrimSuffix(l, []byte("\n"))), Source: name})
		}
		var s Scanned
		p.Scan(&b, &s)
		long := p.scanner
		f := &framing{decoder: syslog.NewDecoder(syslog.Options{Location: time.UTC})}
		for i := range s.notes {
			n := &s.notes[i]
			if n.kind != noteBorn && n.kind != noteActive && n.kind != noteSent {
				continue
			}
			m := &s.mails[n.of]
			noted[m.mta][n.kind]++
			var got scannedRecord
			m.record(n, &got)

			want := scannedRecord{line: m.line, verdict: relaylens.Parsed}
			if st := f.decoder.Decode(m.line, b.Reference, &want.env); st != syslog.Ready {
				t.Fatalf("%s: %v", m.line.Text, st)
			}
			want.writer, want.second = long.writers.find(&want.env), want.env.Time.Unix()
			var verdict relaylens.Verdict
			if want.mta, verdict, _ = long.parse(f, want.writer, &want.env, &want.rec); verdict != relaylens.Parsed {
				t.Fatalf("%s is noted, and %v", m.line.Text, verdict)
			}
			if want.keys = want.writer.keys(&want, long.writers.seed); !want.keys.process {
				want.keys.session = 0 // nobody asks for it
			}
			// Only of what may be written twice more is asked.
			got.env.Text, got.env.Tag, got.env.Native, got.env.Stderr = want.env.Text, want.env.Tag, want.env.Native, want.env.Stderr
			if !got.env.Time.Equal(want.env.Time) {
				t.Fatalf("%s: %v", m.line.Text, got.env.Time)
			}
			if got.env.Time = want.env.Time; got != want {
				t.Fatalf("%s is read as\n%+v, and noted as\n%+v", m.line.Text, want, got)
			}
		}
	}
	for _, kind := range []noteKind{noteBorn, noteActive, noteSent} {
		if noted[relaylens.Postfix][kind] == 0 {
			t.Errorf("no note %d of Postfix", kind)
		}
	}
	if noted[relaylens.Exim][noteSent] == 0 {
		t.Error("no delivery of Exim's is noted")
	}
}
