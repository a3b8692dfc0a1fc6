// Command show runs relaylens with a real Prometheus and Alertmanager over a log
// that it writes: a server at work that loses a domain, and is then found by
// attackers. What pages is printed. `make stack` starts it.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/relaylens/relaylens/internal/demo"
	"github.com/relaylens/relaylens/internal/stack"
)

func main() {
	s := show{out: os.Stdout}
	flag.StringVar(&s.program, "relaylens", "bin/relaylens", "the program to show")
	flag.StringVar(&s.rules, "rules", "alerts/relaylens.rules.yml", "rules for Prometheus")
	demo.Main("stack", s.run)
}

// show is one run.
type show struct {
	program, rules string
	out            io.Writer
}

func (s *show) run(ctx context.Context) (err error) {
	rules, err := filepath.Abs(s.rules)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "relaylens-stack-")
	if err != nil {
		return fmt.Errorf("make a place for everything: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	st, err := stack.New(stack.Options{Program: s.program, Dir: dir, Rules: rules, Scrape: 5 * time.Second})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Stop()) }()
	if err := st.Start(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // somebody had enough already
		}
		return err
	}
	fmt.Fprintf(s.out, `relaylens     %s/
Prometheus    %s/graph?g0.expr=sum+by+(cause)+(rate(relaylens_causes_total%%5B1m%%5D))&g0.tab=0
Alertmanager  %s/
log           %s
end with      ctrl-c

For half a minute all is well. Then the server forgets that it takes mail for
lost.example.com, and the page comes. It resolves a quarter of an hour after the
last refusal.

`, st.Relaylens.URL, st.Prometheus.URL, st.Alertmanager.URL, st.Log)
	go s.page(ctx, st.Pager)
	return play(ctx, st.Log)
}

// page prints what the pager is sent.
func (s *show) page(ctx context.Context, p *stack.Pager) {
	for {
		select {
		case <-ctx.Done():
			return
		case page := <-p.Pages:
			for _, a := range page.Alerts {
				fmt.Fprintf(s.out, "\n=== %s  %s  %s  %s\n", time.Now().Format(time.TimeOnly), a.Status, a.Labels["severity"], a.Labels["alertname"])
				for _, name := range []string{"summary", "description", "evidence", "fixes", "runbook_url"} {
					if text := a.Annotations[name]; text != "" && (name == "summary" || a.Status == "firing") {
						fmt.Fprintf(s.out, "%s\n", text)
					}
				}
			}
		}
	}
}

const (
	calm = 30 * time.Second
	loss = 2 * time.Minute // the domain is lost for so long
)

// play writes the log until ctx ends.
func play(ctx context.Context, path string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	defer f.Close()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	began := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			var b bytes.Buffer
			delivered(&b, now)
			if rand.IntN(5) == 0 {
				probe(&b, now)
			}
			if since := now.Sub(began); since > calm && since < calm+loss {
				lost(&b, now)
			}
			if _, err := f.Write(b.Bytes()); err != nil {
				return fmt.Errorf("write log: %w", err)
			}
		}
	}
}

func line(b *bytes.Buffer, at time.Time, program, format string, args ...any) {
	fmt.Fprintf(b, "%s mx1 postfix/%s[%d]: ", at.Format("2006-01-02T15:04:05.000000-07:00"), program, 1000+rand.IntN(30000))
	fmt.Fprintf(b, format+"\n", args...)
}

func delivered(b *bytes.Buffer, at time.Time) {
	id := fmt.Sprintf("%010X", rand.Uint64N(1<<40))
	n := rand.IntN(50)
	line(b, at, "smtpd", "%s: client=mail.partner%d.example[203.0.113.%d]", id, n, n+1)
	line(b, at, "qmgr", "%s: from=<office@partner%d.example>, size=%d, nrcpt=1 (queue active)", id, n, 1000+rand.IntN(9000))
	line(b, at, "local", "%s: to=<info@example.com>, relay=local, delay=0.02, delays=0.01/0/0/0.01, dsn=2.0.0, status=sent (delivered to mailbox)", id)
}

func refused(b *bytes.Buffer, at time.Time, name, ip, from, to string) {
	line(b, at, "smtpd", "NOQUEUE: reject: RCPT from %[1]s[%[2]s]: 554 5.7.1 <%[4]s>: Relay access denied; from=<%[3]s> to=<%[4]s> proto=ESMTP helo=<%[5]s>",
		name, ip, from, to, map[bool]string{true: "ylmf-pc", false: name}[name == "unknown"])
}

// probe is a stranger that looks for an open relay.
func probe(b *bytes.Buffer, at time.Time) {
	refused(b, at, "unknown", fmt.Sprintf("198.51.100.%d", 1+rand.IntN(250)), "spectrum@example.org", fmt.Sprintf("test%d@example.net", rand.IntN(1000)))
}

// lost is an honest server that brings mail for the domain that is missing.
func lost(b *bytes.Buffer, at time.Time) {
	n := rand.IntN(40)
	refused(b, at, fmt.Sprintf("mail.partner%d.example", n), fmt.Sprintf("203.0.113.%d", n+1),
		fmt.Sprintf("office@partner%d.example", n), fmt.Sprintf("user%d@lost.example.com", rand.IntN(20)))
}
