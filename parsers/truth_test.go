package parsers_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers"
)

// truthRow is what client and server said on the wire, from the recorder of the
// corpus; see testdata/corpus/README.md.
type truthRow map[string]any

// fits reports whether e tells the row. A server that does not log codes leaves
// them out, which is no fault; everything else has to be equal.
func (row truthRow) fits(t *testing.T, e *relaylens.Event) bool {
	t.Helper()
	for name, want := range row {
		got, err := e.Field(name)
		if err != nil {
			t.Fatal(err)
		}
		if got == "" && (name == "code" || name == "enhanced") {
			continue
		}
		text, isText := want.(string)
		if !isText {
			number, err := json.Marshal(want)
			if err != nil {
				t.Fatal(err)
			}
			text = string(number)
		}
		if got != text {
			return false
		}
	}
	return true
}

// TestCorporaAgainstTruth holds every recorded log against what went over the
// wire: each refusal once, with its fields, and nothing else.
func TestCorporaAgainstTruth(t *testing.T) {
	for name, logs := range map[string][]string{
		"postfix/3.7-basic":    {"postfix/3.7-basic.log"},
		"postfix/3.7-postlogd": {"postfix/3.7-postlogd.log"},
		"exim/4.96-basic":      {"exim/4.96-basic-mainlog.log"},
		"exim/4.96-basic both": {"exim/4.96-basic-mainlog.log", "exim/4.96-basic-rejectlog.log"},
		"sendmail/8.17-basic":  {"sendmail/8.17-basic.log"},
	} {
		t.Run(name, func(t *testing.T) {
			truth := readTruth(t, strings.TrimSuffix(name, " both"))
			p := newParser(t, parsers.Options{Location: time.UTC})
			emit := func(e *relaylens.Event) {
				if !e.Refusal() {
					return
				}
				for i, row := range truth {
					if row.fits(t, e) {
						truth = append(truth[:i], truth[i+1:]...)
						return
					}
				}
				t.Errorf("nobody was refused so: %s", e.AppendJSON(nil))
			}
			for _, log := range logs {
				data, err := os.ReadFile(filepath.Join("../testdata/corpus", log))
				if err != nil {
					t.Fatal(err)
				}
				feed(t, p, log, data, emit)
			}
			p.Flush(emit)
			if diff := cmp.Diff([]truthRow{}, truth); diff != "" {
				t.Errorf("missed (-):\n%s", diff)
			}
		})
	}
}

func readTruth(t *testing.T, name string) []truthRow {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../testdata/corpus", name+".truth.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var rows []truthRow
	for s := bufio.NewScanner(bytes.NewReader(data)); s.Scan(); {
		var row truthRow
		if err := json.Unmarshal(s.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		t.Fatalf("no truth in %s", name)
	}
	return rows
}
