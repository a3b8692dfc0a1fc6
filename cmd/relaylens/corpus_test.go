package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/summary"
)

// TestExplainCorpus explains every line that real servers wrote, each by itself:
// of all of them something is known, and a refusal has its reason, and causes of
// which to think.
func TestExplainCorpus(t *testing.T) {
	logs, err := filepath.Glob("../../testdata/corpus/*/*.log")
	if err != nil || len(logs) < 5 {
		t.Fatalf("%d logs, %v", len(logs), err)
	}
	for _, log := range logs {
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		mta, err := relaylens.ParseMTA(filepath.Base(filepath.Dir(log)))
		if err != nil {
			t.Fatal(err)
		}
		e := &explainer{}
		e.options.MTA = mta
		for line := range strings.Lines(string(text)) {
			line = strings.TrimRight(line, "\n")
			if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "  ") || strings.HasPrefix(line, "Envelope-") || strings.HasPrefix(line, "----") {
				continue // between and within the headers that rejectlog has
			}
			xs, err := e.explain(line)
			if err != nil || len(xs) == 0 {
				t.Errorf("%s: %d explanations, %v", line, len(xs), err)
				continue
			}
			checkOne(t, line, xs[0])
		}
	}
}

func checkOne(t *testing.T, line string, x *summary.Explanation) {
	t.Helper()
	if !x.Known {
		t.Errorf("%s: nothing is known of it: %q", line, x.Notes)
	}
	if x.Event == nil || !x.Event.Refusal() {
		return
	}
	if r := x.Event.Reason; r == relaylens.ReasonOther {
		t.Errorf("%s: the reason is %v", line, r)
	}
	if len(x.Causes) == 0 || len(x.Causes) == 1 && x.Causes[0].Cause == relaylens.CauseUnknown {
		t.Errorf("%s: no cause to think of", line)
	}
}
