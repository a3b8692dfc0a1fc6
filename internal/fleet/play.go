package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/relaylens/relaylens/internal/sleep"
)

// mailLog is the log of one mail server.
type mailLog struct {
	host  string
	file  *os.File
	lines int
}

// refuse writes what a Postfix writes when it refuses: most of it of a botnet
// that tries every server a little, and now and then of somebody's old password.
func (l *mailLog) refuse(n int) error {
	w := bufio.NewWriter(l.file)
	for range n {
		l.lines++
		stamp := time.Now().UTC().Format("2006-01-02T15:04:05.000000Z07:00")
		client := rand.IntN(200) //nolint:gosec // a show
		if client < 5 {
			fmt.Fprintf(w, "%s %s postfix/submission/smtpd[%d]: warning: unknown[192.0.2.%d]: SASL LOGIN authentication failed: authentication failure, sasl_username=user%d@example.com\n",
				stamp, l.host, 2000+l.lines%300, client, client)
			continue
		}
		fmt.Fprintf(w, "%s %s postfix/smtpd[%d]: NOQUEUE: reject: RCPT from unknown[198.51.100.%d]: 554 5.7.1 <a%d@example.net>: Relay access denied; from=<b%d@example.org> to=<a%d@example.net> proto=ESMTP helo=<pc%d>\n",
			stamp, l.host, 1000+l.lines%300, client, l.lines, l.lines%50, l.lines, client)
	}
	return w.Flush()
}

const (
	grain = 200 * time.Millisecond
	tell  = 5 * time.Second
)

// play has the logs grow until ctx ends, and tells how far everybody is.
func (f *fleet) play(ctx context.Context) error {
	told := time.Now()
	for sleep.For(ctx, grain) {
		for _, l := range f.logs {
			if err := l.refuse(max(1, f.rate*int(grain)/int(time.Second))); err != nil {
				return fmt.Errorf("write log: %w", err)
			}
		}
		if time.Since(told) >= tell {
			f.tell(ctx)
			told = time.Now()
		}
	}
	return nil
}

func (f *fleet) tell(ctx context.Context) {
	written := 0
	for _, l := range f.logs {
		written += l.lines
	}
	fmt.Fprintf(f.out, "%s  refused %d", time.Now().Format(time.TimeOnly), written)
	for i, address := range f.readers {
		fmt.Fprintf(f.out, "   reader%d has %.0f, %.0f findings", i+1, metric(ctx, address, "relaylens_stored_events_total"), metric(ctx, address, "relaylens_findings"))
	}
	fmt.Fprintln(f.out)
}

// metric is the sum of the series of a name; 0 while nobody answers.
func metric(ctx context.Context, address, name string) (sum float64) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", http.NoBody)
	if err != nil {
		return 0
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0
	}
	for _, m := range regexp.MustCompile(`(?m)^`+name+`(?:\{[^\n]*\})? (\S+)$`).FindAllSubmatch(body, -1) {
		if v, err := strconv.ParseFloat(string(m[1]), 64); err == nil {
			sum += v
		}
	}
	return sum
}
