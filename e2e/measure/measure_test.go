//go:build e2e

package measure

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/store"
)

const mebibyte = 1 << 20

// BenchmarkWriteToMetrics times 200 lines, one after the other, from their
// write to the end of a scrape that counts them, and what the scrapes take by
// themselves: a line is in the metrics before the scrape that shows it begins
// or while it runs.
func BenchmarkWriteToMetrics(b *testing.B) {
	log := filepath.Join(b.TempDir(), "mail.log")
	f := open(b, log)
	d := start(b, b.TempDir(), "[{path: "+log+"}]")
	seen := 0
	var scrapes []time.Duration
	latencies(b, func() {
		fmt.Fprint(f, refusal(seen, time.Now().UTC()))
		seen++
		d.until("count a line", func() bool {
			began := time.Now()
			n := d.refusals()
			scrapes = append(scrapes, time.Since(began))
			return n >= float64(seen)
		})
	})
	slices.Sort(scrapes)
	b.ReportMetric(float64(scrapes[len(scrapes)/2].Microseconds())/1000, "scrape-ms")
}

// BenchmarkWriteToStore times the same until the event is committed.
func BenchmarkWriteToStore(b *testing.B) {
	log := filepath.Join(b.TempDir(), "mail.log")
	f := open(b, log)
	d := start(b, b.TempDir(), "[{path: "+log+"}]")
	s := readStore(b, d.data)
	seen := 0
	latencies(b, func() {
		fmt.Fprint(f, refusal(seen, time.Now().UTC()))
		seen++
		d.until("store a line", func() bool { return stored(b, s) >= seen })
	})
}

// latencies calls f 200 times and reports how long it took.
func latencies(b *testing.B, f func()) {
	const writes = 200
	for b.Loop() {
		var took []time.Duration
		for range writes {
			began := time.Now()
			f()
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[writes/2].Microseconds())/1000, "median-ms")
		b.ReportMetric(float64(took[writes-1].Microseconds())/1000, "max-ms")
	}
}

// BenchmarkBacklog reads a log of nothing but refusals, more of them at once
// than any server writes, into the store.
func BenchmarkBacklog(b *testing.B) {
	const refusals = 1_000_000
	log := filepath.Join(b.TempDir(), "mail.log")
	f := open(b, log)
	w := bufio.NewWriterSize(f, mebibyte)
	at := time.Now().UTC().Add(-time.Hour)
	for i := range refusals {
		w.WriteString(refusal(i, at.Add(time.Duration(i)*time.Hour/refusals)))
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		began := time.Now()
		d := start(b, b.TempDir(), "[{path: "+log+", start: begin}]")
		s := readStore(b, d.data)
		for stored(b, s) < refusals {
			<-time.After(10 * time.Millisecond)
		}
		took := time.Since(began)
		cpu, _, peak := d.usage()
		b.ReportMetric(refusals/took.Seconds(), "refusals/s")
		b.ReportMetric(refusals/cpu.Seconds(), "refusals/cpu-s")
		b.ReportMetric(float64(peak)/mebibyte, "peak-MiB")
		d.stop()
	}
}

// BenchmarkCatchUp reads the log of two busy servers, MEASURE_LOG in size or
// 300MB, into the store, and says how near that comes to the speed of
// `relaylens summary` over the same file.
func BenchmarkCatchUp(b *testing.B) {
	size := cmp.Or(os.Getenv("MEASURE_LOG"), "300MB")
	dir := b.TempDir()
	log, generate := filepath.Join(dir, "mail.log"), filepath.Join(dir, "generate")
	run(b, "go", "build", "-o", generate, "../../internal/generate")
	run(b, generate, "-size", size, "-out", log)
	info, err := os.Stat(log)
	if err != nil {
		b.Fatal(err)
	}
	megabytes := float64(info.Size()) / 1e6
	for b.Loop() {
		began := time.Now()
		run(b, os.Getenv("E2E_RELAYLENS"), "summary", "--no-pager", log)
		asked := time.Since(began)
		began = time.Now()
		d := start(b, b.TempDir(), "[{path: "+log+", start: begin}]")
		s := readStore(b, d.data)
		for {
			positions, err := s.Positions(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			if len(positions) > 0 && positions[0].Offset == info.Size() {
				break
			}
			<-time.After(10 * time.Millisecond)
		}
		took := time.Since(began)
		cpu, _, peak := d.usage()
		b.ReportMetric(megabytes/took.Seconds(), "MB/s")
		b.ReportMetric(megabytes/cpu.Seconds(), "MB/cpu-s")
		b.ReportMetric(100*asked.Seconds()/took.Seconds(), "%-of-summary")
		b.ReportMetric(float64(peak)/mebibyte, "peak-MiB")
		d.stop()
	}
}

func run(b *testing.B, name string, args ...string) {
	b.Helper()
	if output, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		b.Fatalf("%s: %v\n%s", name, err, output)
	}
}

// BenchmarkManyClients reads refusals of ever new clients, users and domains,
// MEASURE_CLIENTS of them or a million, and reports the memory and what a scrape
// is like after that.
func BenchmarkManyClients(b *testing.B) {
	clients := 1_000_000
	if n, err := strconv.Atoi(os.Getenv("MEASURE_CLIENTS")); err == nil {
		clients = n
	}
	log := filepath.Join(b.TempDir(), "mail.log")
	f := open(b, log)
	w := bufio.NewWriterSize(f, mebibyte)
	at := time.Now().UTC().Add(-20 * time.Hour)
	for i := range clients {
		fmt.Fprintf(w, "%s mx1 postfix/smtpd[%d]: NOQUEUE: reject: RCPT from unknown[%d.%d.%d.%d]: 554 5.7.1 <u%d@r%d.example>: Relay access denied; from=<s@f%d.example> to=<u%d@r%d.example> proto=ESMTP helo=<x>\n",
			at.Add(time.Duration(i)*20*time.Hour/time.Duration(clients)).Format(time.Stamp), 1000+i%500, 240+i>>24, i>>16&255, i>>8&255, i&255, i, i, i, i, i)
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		d := start(b, b.TempDir(), "[{path: "+log+", start: begin}]")
		for d.refusals() < float64(clients) {
			<-time.After(100 * time.Millisecond)
		}
		began := time.Now()
		response, err := http.Get(d.url + "/metrics")
		if err != nil {
			b.Fatal(err)
		}
		size, err := io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(began).Milliseconds()), "scrape-ms")
		b.ReportMetric(float64(size)/1024, "scrape-KiB")
		_, rss, peak := d.usage()
		b.ReportMetric(float64(rss)/mebibyte, "rss-MiB")
		b.ReportMetric(float64(peak)/mebibyte, "peak-MiB")
		d.stop()
	}
}

// BenchmarkIdle reports what a daemon with nothing to do takes.
func BenchmarkIdle(b *testing.B) {
	for _, files := range []int{1, 1000} {
		b.Run(fmt.Sprintf("%d files", files), func(b *testing.B) {
			dir := b.TempDir()
			for i := range files {
				f := open(b, filepath.Join(dir, fmt.Sprintf("mail%d.log", i)))
				fmt.Fprint(f, refusal(i, time.Now().UTC()))
			}
			d := start(b, b.TempDir(), "[{path: '"+dir+"/*.log', start: begin}]")
			d.until("read every file", func() bool { return d.refusals() >= float64(files) })
			for b.Loop() {
				const span = 20 * time.Second
				before, _, _ := d.usage()
				<-time.After(span)
				after, rss, _ := d.usage()
				b.ReportMetric(100*(after-before).Seconds()/span.Seconds(), "cpu-%")
				b.ReportMetric(float64(rss)/mebibyte, "rss-MiB")
			}
		})
	}
}

// BenchmarkStart starts over a store of 5 million events.
func BenchmarkStart(b *testing.B) {
	const rows = 5_000_000
	data := os.Getenv("MEASURE_STORE")
	if data == "" {
		data = b.TempDir()
		fill(b, data, rows)
	}
	log := filepath.Join(b.TempDir(), "mail.log")
	open(b, log)
	for b.Loop() {
		began := time.Now()
		d := start(b, data, "[{path: "+log+"}]")
		b.ReportMetric(float64(time.Since(began).Milliseconds()), "ready-ms")
		_, rss, _ := d.usage()
		b.ReportMetric(float64(rss)/mebibyte, "rss-MiB")
		d.stop()
	}
}

// fill writes a store of a month of refusals.
func fill(b *testing.B, dir string, rows int) {
	s, err := store.Open(b.Context(), dir)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	begin := time.Now().UTC().Add(-30 * 24 * time.Hour)
	for n := 0; n < rows; {
		batch := &store.Batch{}
		for ; len(batch.Events) < 10_000; n++ {
			batch.Events = append(batch.Events, row(n, begin.Add(time.Duration(n)*30*24*time.Hour/time.Duration(rows))))
		}
		if _, err := s.Commit(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
}

func row(n int, at time.Time) relaylens.Event {
	e := relaylens.Event{Time: at, Host: "mx1", MTA: relaylens.Postfix, Service: "smtpd", PID: int32(n % 30_000),
		Kind: relaylens.KindRelayDenied, Direction: relaylens.Inbound, Stage: relaylens.StageRcpt, Cause: relaylens.CauseOpenRelayProbe,
		ClientIP: netip.AddrFrom4([4]byte{198, byte(n % 50), byte(n / 7 % 250), byte(n % 250)}),
		Sender:   fmt.Sprintf("s%d@example.org", n%7000), Recipient: fmt.Sprintf("u%d@d%d.example", n%5000, n%300),
		Code: 554, Enhanced: "5.7.1", Text: "Relay access denied", Source: "/var/log/mail.log", Line: int64(n), Offset: int64(n) * 250}
	for i := range 8 {
		e.ID[i] = byte(n >> (8 * i))
	}
	return e
}

func open(b *testing.B, path string) *os.File {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	return f
}

func readStore(b *testing.B, dir string) *store.Store {
	s, err := store.OpenReadOnly(context.Background(), dir)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}

func stored(b *testing.B, s *store.Store) int {
	n := 0
	for t, err := range s.Totals(b.Context(), store.Span{}) {
		if err != nil {
			b.Fatal(err)
		}
		n += int(t.Events)
	}
	return n
}
