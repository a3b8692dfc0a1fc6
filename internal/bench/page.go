package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// page collects what is written down.
type page struct {
	machine   string
	tables    []*table
	goals     table
	summaries []done
}

// done is how long relaylens summary took for a log.
type done struct {
	mta   string
	bytes int64
	cpu   time.Duration
}

type table struct {
	title, intro string
	rows         [][]string
}

func (p *page) table(title, intro string, columns ...string) *table {
	t := &table{title: title, intro: intro, rows: [][]string{columns}}
	p.tables = append(p.tables, t)
	return t
}

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### %s\n\n%s\n\n", t.title, t.intro)
	for i, row := range t.rows {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
		if i == 0 {
			b.WriteString("|" + strings.Repeat("---|", len(row)) + "\n")
		}
	}
	return b.String()
}

// goal notes a value that should not be more than limit.
func (p *page) goal(name string, value spread, limit float64) {
	p.goals.row(name, value.String(), fmt.Sprintf("≤ %g", limit), yes(value.median <= limit))
}

func (p *page) atLeast(name string, value, limit float64) {
	p.goals.row(name, fmt.Sprintf("%.1f", value), fmt.Sprintf("≥ %g", limit), yes(value >= limit))
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func (p *page) text() string {
	var b strings.Builder
	b.WriteString(p.machine + "\n")
	goals := table{title: "Aims", intro: "Median of the rounds; in brackets the least and the most of them.", rows: append([][]string{{"what", "measured", "aim", "met"}}, p.goals.rows...)}
	b.WriteString(goals.text())
	for _, t := range p.tables {
		b.WriteString(t.text())
	}
	return b.String()
}

// machine describes where and what was measured.
func machine(ctx context.Context, b *bench) string {
	version := "?"
	if out, err := exec.CommandContext(ctx, b.relaylens, "version").Output(); err == nil {
		version, _, _ = strings.Cut(string(bytes.TrimSpace(out)), "\n")
	}
	return fmt.Sprintf("%s, measured with %s on %d cores of %s, Linux %s. Seed %d.",
		version, runtime.Version(), runtime.NumCPU(), field("/proc/cpuinfo", "model name"), kernel(), b.seed)
}

func field(path, name string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "?"
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "?"
}

func kernel() string {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "?"
	}
	return strings.TrimSpace(string(text))
}

func (s spread) String() string {
	if s.low == s.high {
		return ratio(s.median)
	}
	return fmt.Sprintf("%s (%s–%s)", ratio(s.median), ratio(s.low), ratio(s.high))
}

func exactly(v float64) spread { return spread{v, v, v} }

func ratio(v float64) string {
	if v >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

func megabytes(n int64) string { return thousands(n/1e6) + " MB" }

func rate(n int64, d time.Duration) string { return fmt.Sprintf("%.0f", float64(n)/1e6/d.Seconds()) }

// mebibytes shows memory. What has less than this program cannot be measured:
// until it is another program, a new process counts as one that has as much.
func mebibytes(n int64) string {
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err == nil && n <= kibibytes(own.Maxrss+512) {
		return fmt.Sprintf("< %d", own.Maxrss/1024+1)
	}
	return fmt.Sprintf("%.1f", float64(n)/(1<<20))
}

// thousands writes n with commas.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

const begin, end = "<!-- bench -->\n", "<!-- /bench -->\n"

// update puts text between the marks in the page at path.
func update(path, text string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read page: %w", err)
	}
	head, rest, ok := strings.Cut(string(old), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return fmt.Errorf("page %s: the marks %q and %q are missing", path, strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	if err := os.WriteFile(path, []byte(head+begin+text+end+tail), 0o644); err != nil { //nolint:gosec // a page for everybody
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}
