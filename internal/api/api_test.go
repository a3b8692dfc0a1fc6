package api

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/store"
)

// rig is an API over a store of its own.
type rig struct {
	*API
	t      *testing.T
	store  *store.Store
	server *httptest.Server
	failed atomic.Int64
}

func newRig(t *testing.T, events ...relaylens.Event) *rig {
	t.Helper()
	r := &rig{t: t}
	var err error
	if r.store, err = store.Open(t.Context(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.store.Close() })
	r.commit(events...)
	r.API = New(Options{Store: r.store, Limits: func() Limits { return Limits{Span: 31 * 24 * time.Hour, Events: 500} }, Location: time.UTC, Timeout: time.Minute,
		Version: "1.2.3", Failed: func(error) { r.failed.Add(1) },
		Sources: func() []Source { return []Source{{Name: "/var/log/\x1b[2Jmail.log", Lag: 7, Last: time.Now()}} }})
	r.server = httptest.NewServer(r)
	t.Cleanup(r.server.Close)
	t.Cleanup(r.Close)
	return r
}

func (r *rig) commit(events ...relaylens.Event) {
	r.t.Helper()
	if _, err := r.store.Commit(r.t.Context(), &store.Batch{Events: events}); err != nil {
		r.t.Fatal(err)
	}
}

// get asks and reads the whole answer.
func (r *rig) get(path string) (*reply, string) { return r.request(http.MethodGet, path) }

// reply is an answer whose body was read.
type reply struct {
	StatusCode      int
	Status          string
	Header, Trailer http.Header
}

func (r *rig) request(method, path string) (*reply, string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.server.URL+path, http.NoBody)
	if err != nil {
		r.t.Fatal(err)
	}
	res, err := r.server.Client().Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return &reply{res.StatusCode, res.Status, res.Header, res.Trailer}, string(body)
}

// refusals are n of them, a second apart, until a minute ago.
func refusals(n int) []relaylens.Event {
	var events []relaylens.Event
	end := time.Now().Add(-time.Minute).Truncate(time.Second)
	for i := range n {
		line := relaylens.Line{Text: "a line", Offset: int64(i)}
		events = append(events, relaylens.Event{ID: relaylens.NewID(&line, 0), Time: end.Add(time.Duration(i-n) * time.Second), Host: "mx1", MTA: relaylens.Postfix,
			Kind: relaylens.KindRelayDenied, Direction: relaylens.Inbound, Cause: relaylens.CauseRecipientDomainNotConfigured,
			ClientIP: netip.AddrFrom4([4]byte{203, 0, 113, byte(i)}), Sender: "a@example.com", Recipient: "b@lost.example.net", Code: 554, Text: fmt.Sprintf("Relay access denied %d", i)})
	}
	return events
}

func TestEventsAreThoseOfTheStore(t *testing.T) {
	events := refusals(50)
	r := newRig(t, events...)
	text := func(events ...relaylens.Event) string {
		var b []byte
		for i := range events {
			b = append(events[i].AppendJSON(b), '\n')
		}
		return string(b)
	}
	backwards := text(events[49], events[48])
	for query, want := range map[string]string{
		"":                   text(events...),
		"?n=2":               text(events[48:]...),
		"?n=0":               "",
		"?n=2&reverse":       backwards,
		"?n=2&reverse=true":  backwards,
		"?n=2&reverse=false": text(events[48:]...),
		"?grep=DENIED+7$":    "",
		"?grep=denied+7$":    text(events[7]),
		"?match=client_ip%3D203.0.113.3&match=+&match=client_ip%3D203.0.113.5":   text(events[3], events[5]),
		"?match=client_ip%3D203.0.113.3&match=%2B&match=client_ip%3D203.0.113.5": text(events[3], events[5]),
		"?match=kind%3Drejected":                             "",
		"?since=@" + fmt.Sprint(events[47].Time.Unix()):      text(events[47:]...),
		"?until=@" + fmt.Sprint(events[1].Time.Unix()):       text(events[:2]...),
		"?after_cursor=" + cursor(&events[10]) + "&n=3":      text(events[11:14]...),
		"?after_cursor=" + cursor(&events[49]):               "",
		"?after_cursor=" + cursor(&events[2]) + "&reverse=1": text(events[1], events[0]),
	} {
		res, body := r.get("/api/v1/events" + query)
		if diff := cmp.Diff(want, body); diff != "" || res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "application/x-ndjson" {
			t.Errorf("%s: %s, (-want +got):\n%s", query, res.Status, diff)
		}
	}
}

func cursor(e *relaylens.Event) string { return url.QueryEscape(relaylens.CursorOf(e).String()) }

// Whoever goes on from the trailer gets every event once.
func TestPages(t *testing.T) {
	events := refusals(95)
	r := newRig(t, events...)
	seen := map[string]int{}
	query := "?n=10&after_cursor=" + cursor(&events[0])
	for pages := 0; ; pages++ {
		if pages > 20 {
			t.Fatal("there is no end")
		}
		res, body := r.get("/api/v1/events" + query)
		if body == "" {
			break
		}
		for line := range strings.Lines(body) {
			var e struct{ ID string }
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatal(err)
			}
			seen[e.ID]++
		}
		query = "?n=10&after_cursor=" + url.QueryEscape(res.Trailer.Get("Relaylens-Cursor"))
	}
	for i := range events[1:] {
		if n := seen[events[i+1].ID.String()]; n != 1 {
			t.Errorf("event %d came %d times", i+1, n)
		}
	}
}

func TestFollow(t *testing.T) {
	events := refusals(30)
	r := newRig(t, events[:20]...)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.server.URL+"/api/v1/events?follow&match=host%3Dmx1", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := r.server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	for i := 10; i < 30; i++ {
		if i == 20 {
			r.commit(events[20:]...)
		}
		if !lines.Scan() {
			t.Fatalf("the answer ended before event %d: %v", i, lines.Err())
		}
		if want := string(events[i].AppendJSON(nil)); lines.Text() != want {
			t.Fatalf("event %d: got %s, want %s", i, lines.Text(), want)
		}
	}
	r.Close()
	if lines.Scan() || lines.Err() != nil {
		t.Errorf("the end: %q, %v", lines.Text(), lines.Err())
	}
}

// deadlines is a writer that notes until when requests are read.
type deadlines struct {
	*httptest.ResponseRecorder
	read []time.Time
}

func (d *deadlines) SetReadDeadline(at time.Time) error {
	d.read = append(d.read, at)
	return nil
}

// The server's time to read a request does not bound the answer.
func TestAnswerOutlivesTheReadTimeout(t *testing.T) {
	r := newRig(t)
	r.Close() // so that following ends
	for _, path := range []string{"/api/v1/summary", "/api/v1/events", "/api/v1/events?follow", "/api/v1/findings", "/"} {
		w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		r.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody))
		if w.Code != http.StatusOK || len(w.read) != 1 || !w.read[0].IsZero() {
			t.Errorf("%s: %d, deadlines %v", path, w.Code, w.read)
		}
	}
}

func TestSummary(t *testing.T) {
	r := newRig(t, refusals(50)...)
	res, body := r.get("/api/v1/summary?since=-1h&top=3")
	var s struct {
		Refusals int
		Lists    []struct{ Values []any }
		Findings []struct{ Cause, Fix string }
	}
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		t.Fatalf("%s: %v\n%s", res.Status, err, body)
	}
	if s.Refusals != 50 || len(s.Lists) == 0 || len(s.Lists[0].Values) != 3 || len(s.Findings) != 1 || s.Findings[0].Cause != "recipient_domain_not_configured" || s.Findings[0].Fix == "" {
		t.Errorf("%+v", s)
	}
	_, body = r.get("/api/v1/summary?by=kind,client_net&by=cause")
	var g struct {
		By     []string
		Groups []struct{ Events int }
	}
	if err := json.Unmarshal([]byte(body), &g); err != nil || len(g.By) != 3 || len(g.Groups) != 1 || g.Groups[0].Events != 50 {
		t.Errorf("%v\n%s", err, body)
	}
}

func TestFindings(t *testing.T) {
	r := newRig(t, refusals(50)...)
	type finding struct {
		Cause    string
		Events   int
		Partial  bool
		Fixes    []any
		Evidence []any
	}
	for _, c := range []struct {
		most    int
		events  int
		partial bool
	}{{500, 50, false}, {49, 1, true}} {
		r.o.Limits = func() Limits { return Limits{Span: 31 * 24 * time.Hour, Events: c.most} }
		res, body := r.get("/api/v1/findings?since=-1d&until=now&match=cause%3Drecipient_domain_not_configured")
		var f finding
		if err := json.Unmarshal([]byte(body), &f); err != nil {
			t.Fatalf("%s: %v\n%s", res.Status, err, body)
		}
		if f.Cause != "recipient_domain_not_configured" || f.Events != c.events || f.Partial != c.partial || len(f.Fixes) == 0 || len(f.Evidence) == 0 {
			t.Errorf("with at most %d: %+v", c.most, f)
		}
	}
}
