package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/demo"
	"github.com/relaylens/relaylens/internal/sleep"
)

// playlist is the log of one server: sessions to be written over and over, with
// the time of writing.
type playlist struct {
	name     string
	layout   string // of the time in front of its lines
	sessions [][]string
	next     int
	file     *os.File
}

// placeholder stands in a session's lines where the time goes.
const placeholder = "TIME "

// load reads the playlists in dir: one file a server, sessions set apart by
// empty lines. Exim's mainlog has Exim's times, the others those of syslog.
func load(dir string) ([]playlist, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read the sessions: %w", err)
	}
	var logs []playlist
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("read the sessions: %w", err)
		}
		p := playlist{name: entry.Name(), layout: time.Stamp}
		if p.name == "mainlog" {
			p.layout = time.DateTime
		}
		for block := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
			lines := strings.Split(strings.TrimSpace(block), "\n")
			for _, line := range lines {
				if !strings.HasPrefix(line, placeholder) {
					return nil, fmt.Errorf("read the sessions of %s: %q does not begin with %q", p.name, line, placeholder)
				}
			}
			p.sessions = append(p.sessions, lines)
		}
		logs = append(logs, p)
	}
	if len(logs) == 0 {
		return nil, fmt.Errorf("read the sessions: %s is empty", dir)
	}
	return logs, nil
}

// create makes the log file in dir.
func (p *playlist) create(dir string) (err error) {
	if p.file, err = os.OpenFile(filepath.Join(dir, p.name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600); err != nil {
		return fmt.Errorf("create a log: %w", err)
	}
	return nil
}

// session writes the next session to the log and to copied, at the pace of a
// server that waits for its client.
func (p *playlist) session(ctx context.Context, copied io.Writer) error {
	lines := p.sessions[p.next]
	p.next = (p.next + 1) % len(p.sessions)
	for _, line := range lines {
		stamped := p.stamp(line, time.Now())
		if _, err := io.WriteString(p.file, stamped); err != nil {
			return fmt.Errorf("write %s: %w", p.name, err)
		}
		if _, err := io.WriteString(copied, stamped); err != nil {
			return fmt.Errorf("hand lines to relaylens parse: %w", err)
		}
		sleep.For(ctx, rand.N(120*time.Millisecond))
	}
	return nil
}

// stamp is line as the server writes it at now.
func (p *playlist) stamp(line string, now time.Time) string {
	return now.Format(p.layout) + " " + strings.TrimPrefix(line, placeholder) + "\n"
}

// summarize prints how many refusals the daemon has counted.
func (s *sample) summarize(ctx context.Context, running time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	page, err := demo.Get(ctx, s.url+"/metrics")
	if err != nil {
		fmt.Fprintf(s.out, "-- the daemon does not answer: %v\n", err)
		return
	}
	kinds, total := count(page)
	fmt.Fprintf(s.out, "-- %v: %d refusals counted:%s\n", running.Round(time.Second), total, kinds)
}

// count sums relaylens_refusals_total by kind.
func count(page []byte) (kinds string, total int) {
	sums := map[string]int{}
	for lines := bufio.NewScanner(bytes.NewReader(page)); lines.Scan(); {
		kind, n, err := refusals(lines.Text())
		if err != nil || n == 0 {
			continue
		}
		sums[kind] += n
		total += n
	}
	for _, kind := range relaylens.RefusalKinds() {
		if n := sums[kind.String()]; n > 0 {
			kinds += fmt.Sprintf(" %s %d", kind, n)
		}
	}
	return kinds, total
}

var errOther = errors.New("another metric")

// refusals reads one line of relaylens_refusals_total.
func refusals(line string) (kind string, n int, err error) {
	rest, ok := strings.CutPrefix(line, "relaylens_refusals_total{")
	if !ok {
		return "", 0, errOther
	}
	_, kind, _ = strings.Cut(rest, `kind="`)
	kind, _, _ = strings.Cut(kind, `"`)
	_, number, _ := strings.Cut(rest, "} ")
	_, err = fmt.Sscan(number, &n)
	return kind, n, err
}
