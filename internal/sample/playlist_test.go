package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestLoad(t *testing.T) {
	logs, err := load("../../testdata/sample")
	if err != nil {
		t.Fatal(err)
	}
	layouts := map[string]string{"mail.log": time.Stamp, "maillog": time.Stamp, "mainlog": time.DateTime}
	if len(logs) != len(layouts) {
		t.Fatalf("%d logs, want %d", len(logs), len(layouts))
	}
	for _, p := range logs {
		if p.layout != layouts[p.name] || len(p.sessions) < 5 {
			t.Errorf("%s has layout %q and %d sessions", p.name, p.layout, len(p.sessions))
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	tests := []struct{ name, text, wants string }{
		{"no time", "mx1 postfix/smtpd[1]: connect\n", "does not begin with"},
		{"no files", "", "is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if tt.text != "" {
				if err := os.WriteFile(filepath.Join(dir, "mail.log"), []byte(tt.text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := load(dir); err == nil || !strings.Contains(err.Error(), tt.wants) {
				t.Errorf("error %v, want one with %q", err, tt.wants)
			}
		})
	}
}

func TestSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := playlist{name: "mainlog", layout: time.DateTime, sessions: [][]string{{"TIME a", "TIME b"}, {"TIME c"}}}
		if err := p.create(t.TempDir()); err != nil {
			t.Fatal(err)
		}
		defer p.file.Close()
		var copied bytes.Buffer
		for range 3 {
			if err := p.session(t.Context(), &copied); err != nil {
				t.Fatal(err)
			}
		}
		written, err := os.ReadFile(p.file.Name())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(written, copied.Bytes()) {
			t.Errorf("the log has %q, the copy %q", written, copied.Bytes())
		}
		var texts []string
		for line := range strings.Lines(copied.String()) {
			if _, err := time.Parse(time.DateTime, line[:len(time.DateTime)]); err != nil {
				t.Errorf("%q: %v", line, err)
			}
			texts = append(texts, strings.TrimSpace(line[len(time.DateTime):]))
		}
		if got := strings.Join(texts, " "); got != "a b c a b" {
			t.Errorf("sessions %q, want them in a circle", got)
		}
	})
}

func TestCount(t *testing.T) {
	page := `# TYPE relaylens_refusals_total counter
relaylens_refusals_total{class="5xx",host="mx1",kind="auth_failed",mta="exim"} 2
relaylens_refusals_total{class="5xx",host="mx1",kind="relay_denied",mta="postfix"} 3
relaylens_refusals_total{class="4xx",host="mx1",kind="relay_denied",mta="postfix"} 1
relaylens_refusals_total{class="5xx",host="mx1",kind="rejected",mta="exim"} 0
relaylens_causes_total{kind="relay_denied"} 9
`
	kinds, total := count([]byte(page))
	if kinds != " relay_denied 4 auth_failed 2" || total != 6 {
		t.Errorf("count %q and %d", kinds, total)
	}
}
