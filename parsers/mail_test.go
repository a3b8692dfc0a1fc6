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

// Mail that is noted is the record that it was.
func TestMailIsRecords(t *testing.T) {
	names, err := filepath.Glob("../testdata/corpus/*/*.log")
	if err != nil || len(names) == 0 {
		t.Fatalf("find corpora: %v, %d found", err, len(names))
	}
	noted := map[relaylens.MTA]map[noteKind]int{relaylens.Postfix: {}, relaylens.Exim: {}, relaylens.Sendmail: {}}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		p, err := New(Options{Location: time.UTC})
		if err != nil {
			t.Fatal(err)
		}
		s, reference := p.scanner, time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
		f := s.log(name)
		for l := range bytes.Lines(data) {
			line := relaylens.Line{Text: string(bytes.TrimSuffix(l, []byte("\n"))), Source: name}
			r := scannedRecord{line: &line, verdict: relaylens.Parsed}
			if f.decoder.Decode(&line, reference, &r.env) != syslog.Ready || r.env.Continuation {
				continue
			}
			r.writer = s.writers.find(&r.env)
			var verdict relaylens.Verdict
			r.mta, verdict, _ = s.parse(f, r.writer, &r.env, &r.rec)
			if r.keys = r.writer.keys(&r, s.writers.seed); verdict != relaylens.Parsed {
				continue
			}
			kind, ok := r.mailed()
			if !ok {
				continue
			}
			noted[r.mta][kind]++
			n := note{key: r.keys.message}
			m := new(Scanned).mail(&n, kind, r.spot())
			m.recipients, m.subject = r.rec.Recipients, r.rec.Subject
			m.set(kind, &r.rec.Event)
			var got scannedRecord
			m.record(&n, &got)
			if r.second = r.env.Time.Unix(); !r.keys.process {
				r.keys.session = 0 // nobody asks for it
			}
			// Only of what may be written twice more is asked.
			got.env.Text, got.env.Tag, got.env.Native, got.env.Stderr = r.env.Text, r.env.Tag, r.env.Native, r.env.Stderr
			if got != r {
				t.Fatalf("%s is read as\n%+v, and noted as\n%+v", line.Text, r, got)
			}
		}
	}
	for mta, kinds := range noted {
		if kinds[noteActive] == 0 || kinds[noteSent] == 0 {
			t.Errorf("%v: %d that were taken and %d that were delivered are noted", mta, kinds[noteActive], kinds[noteSent])
		}
	}
}
