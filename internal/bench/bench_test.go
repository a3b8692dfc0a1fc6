package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{[]float64{3, 1, 2}, 2}, {[]float64{4, 1, 2, 3}, 2.5}, {[]float64{7}, 7}} {
		if got := median(c.values); got != c.want {
			t.Errorf("median(%v) = %v, want %v", c.values, got, c.want)
		}
	}
}

// TestAgainst: ratios are those of one round each, not of medians.
func TestAgainst(t *testing.T) {
	of := func(ms ...int) *series {
		s := &series{}
		for _, n := range ms {
			s.samples = append(s.samples, sample{user: time.Duration(n) * time.Millisecond, sys: time.Duration(n) * time.Millisecond})
		}
		return s
	}
	got := of(10, 60, 20).against(of(1, 20, 10), sample.cpu)
	if want := (spread{3, 2, 10}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := of(5).against(of(0), sample.cpu); got.median != 10 {
		t.Errorf("against nothing: %v", got)
	}
}

func TestOnce(t *testing.T) {
	b := &bench{dir: t.TempDir()}
	run := func(script string, check func([]byte) error) (sample, error) {
		return b.once(context.Background(), tool{name: "sh", args: []string{"sh", "-c", script}, check: check}, "")
	}
	s, err := run("echo $HOME$X; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done", nil)
	if err != nil || s.cpu() <= 0 || s.wall <= 0 || s.rss <= 0 {
		t.Errorf("%+v, %v", s, err)
	}
	if out, err := os.ReadFile(filepath.Join(b.dir, "output")); err != nil || len(out) < 2 {
		t.Errorf("output %q, %v", out, err)
	}
	if _, err := run("echo no use >&2; exit 3", nil); err == nil || !strings.Contains(err.Error(), "no use") {
		t.Errorf("a program that failed: %v", err)
	}
	refused := understood(&log{Refusals: 7})
	if _, err := run("echo lines 9, refusals 7, ignored 2 >&2", refused); err != nil {
		t.Error(err)
	}
	for _, script := range []string{"echo lines 9, refusals 6, ignored 3 >&2", "true"} {
		if _, err := run(script, refused); err == nil {
			t.Errorf("%s: what was not understood goes unnoticed", script)
		}
	}
}

func TestUpdate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.md")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("above\n" + begin + "old\n" + end + "below\n")
	if err := update(path, "new\n"); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("above\n"+begin+"new\n"+end+"below\n", string(got)); diff != "" {
		t.Error(diff)
	}
	write("above\n" + begin + "no end\n")
	if err := update(path, "new\n"); err == nil {
		t.Error("a page without the second mark was written to")
	}
}

func TestPage(t *testing.T) {
	p := page{machine: "here"}
	p.table("postfix", "1 MB.", "tool", "CPU s").row("wc -l", "0.001")
	p.goal("CPU", spread{2.5, 2, 3.25}, 3)
	p.atLeast("mtail", 149.6, 150)
	want := `here

### Aims

Median of the rounds; in brackets the least and the most of them.

| what | measured | aim | met |
|---|---|---|---|
| CPU | 2.50 (2.00–3.25) | ≤ 3 | yes |
| mtail | 149.6 | ≥ 150 | no |

### postfix

1 MB.

| tool | CPU s |
|---|---|
| wc -l | 0.001 |
`
	if diff := cmp.Diff(want, p.text()); diff != "" {
		t.Error(diff)
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %s", n, got)
		}
	}
}
