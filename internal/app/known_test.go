package app

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/store"
)

// nightly is what a server writes on each of some days that refuses one client 600
// times an hour, for two hours, and others now and then.
func nightly(from time.Time, days int) string {
	var b strings.Builder
	for day := range days {
		for n := range 1200 + 22*6 {
			at, client := from.Add(time.Duration(day)*24*time.Hour+time.Duration(n)*6*time.Second), "203.0.113.9"
			if n >= 1200 {
				at, client = from.Add(time.Duration(day)*24*time.Hour+2*time.Hour+time.Duration(n-1200)*10*time.Minute), fmt.Sprintf("198.51.100.%d", n%200)
			}
			fmt.Fprintf(&b, "%s mx1 postfix/smtpd[%d]: NOQUEUE: reject: RCPT from unknown[%s]: 554 5.7.1 <u%d@d%d.example>: Relay access denied; "+
				"from=<s%[4]d@f%[5]d.example> to=<u%[4]d@d%[5]d.example> proto=ESMTP helo=<x>\n", at.Format(time.RFC3339), 100+n%900, client, n, n%90)
		}
	}
	return b.String()
}

// TestRestartKnows reads days of a client that comes each night, starts again, and
// reads another night: who was known is known, and no spike is found that an
// uninterrupted run would not have found.
func TestRestartKnows(t *testing.T) {
	const days = 5
	from := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	restart := from.Add(days * 24 * time.Hour)
	spikes := func(restarts bool) (names []string) {
		dir, log := t.TempDir(), filepath.Join(t.TempDir(), "mail.log")
		start := func() *rig {
			return started(t, func(o *Options) {
				o.newSource, o.dataDir = nil, dir
				o.Config = testConfig(log)
				o.Config.Sources[0].Start = "begin"
				o.Config.Alerting.FalsePagesPerMonth = 1000
			})
		}
		more := func(r *rig, text string, lines int) {
			appendTo(t, log, text)
			waitFor(t, func() bool { s, err := r.store.Stats(t.Context()); return err == nil && s.Events >= int64(lines) })
		}
		r := start()
		first, last := nightly(from, days), nightly(restart, 1)
		last = last[:strings.Index(last, "198.51.100.")] // while it comes
		last = last[:strings.LastIndexByte(last, '\n')+1]
		more(r, first, strings.Count(first, "\n"))
		waitFor(t, func() (near bool) { // what is long gone is recalled then
			err := r.pipeline.do(t.Context(), func() { near = r.pipeline.tempo.near })
			return err == nil && near
		})
		if restarts {
			r.stop()
			r = start()
		}
		more(r, last, strings.Count(first+last, "\n"))
		r.stop()
		for _, s := range r.pipeline.watch.Spikes() {
			if s.Series.By.Entity() && !s.Found.Before(restart) {
				names = append(names, fmt.Sprint(s.Series.By, " ", s.Series.Key, " found after ", s.Found.Sub(restart)))
			}
		}
		return names
	}
	if got := spikes(false); len(got) > 0 {
		t.Errorf("without a restart: %q", got)
	}
	if got := spikes(true); len(got) > 0 {
		t.Errorf("after a restart: %q", got)
	}
}

// Where more was loud than is learned, the loudest of all are.
func TestLearnsLoudest(t *testing.T) {
	var all []store.Value
	for n := range int64(1000) {
		all = append(all, store.Value{Field: "user", Value: fmt.Sprint(n), Kind: relaylens.KindAuthFailed, Events: 5 + n*37%1000})
		if n%10 == 0 {
			all[n].Field = "remote_host" // has no baseline
		}
	}
	past, err := loudest(func(yield func(store.Value, error) bool) {
		for _, v := range all {
			if !yield(v, nil) {
				return
			}
		}
	}, 5, 100)
	if err != nil || len(past) == 0 || len(past) >= 100 {
		t.Fatalf("%d are learned, %v", len(past), err)
	}
	quietest, louder := past[0].Events, 0
	for _, p := range past {
		quietest = min(quietest, p.Events)
	}
	for _, v := range all {
		if v.Field == "user" && v.Events > quietest {
			louder++
		}
	}
	if louder >= len(past) {
		t.Errorf("%d have more than %d events, %d are learned", louder, quietest, len(past))
	}
}
