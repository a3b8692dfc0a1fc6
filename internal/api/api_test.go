package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
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
	r.server = httptest.NewUnstartedServer(r)
	r.server.Config.ReadTimeout = 300 * time.Millisecond // a follower outlives it
	r.server.Start()
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
			// Longer than the server reads a request.
			<-time.After(2 * r.server.Config.ReadTimeout)
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
		res, body := r.get("/api/v1/findings?since=today&until=now&match=cause%3Drecipient_domain_not_configured")
		var f finding
		if err := json.Unmarshal([]byte(body), &f); err != nil {
			t.Fatalf("%s: %v\n%s", res.Status, err, body)
		}
		if f.Cause != "recipient_domain_not_configured" || f.Events != c.events || f.Partial != c.partial || len(f.Fixes) == 0 || len(f.Evidence) == 0 {
			t.Errorf("with at most %d: %+v", c.most, f)
		}
	}
}

// Refused requests say which parameter is wrong, and what to do.
func TestProblems(t *testing.T) {
	r := newRig(t)
	for path, want := range map[string]string{
		"/api/v1/summary?sinc=today":                          "400 sinc: did you mean since?",
		"/api/v1/summary?n=3":                                 "400 n: choose of since",
		"/api/v1/openapi.yaml?x=1":                            "400 x: this path has no parameters",
		"/api/v1/summary?since=soon":                          "400 since: write it as 2006",
		"/api/v1/summary?since=":                              "400 since: write it as 2006",
		"/api/v1/summary?since=today&since=now":               "400 since: give it once",
		"/api/v1/summary?since=now&until=-1h":                 "400 since: give an earlier since",
		"/api/v1/summary?since=-32d":                          "400 since: ask about less, or raise web.max_span",
		"/api/v1/summary?since=-40d&until=now":                "400 since: ask about less",
		"/api/v1/findings?since=1970-01-01":                   "400 since: ask about less",
		"/api/v1/summary?top=0":                               "400 top: write a number of 1 to 1000",
		"/api/v1/summary?top=1001":                            "400 top: write a number of 1 to 1000",
		"/api/v1/summary?by=nonsense":                         "400 by: choose fields",
		"/api/v1/events?n=501":                                "400 n: write a number of 0 to 500",
		"/api/v1/events?n=-1":                                 "400 n: write a number of 0 to 500",
		"/api/v1/events?reverse=maybe":                        "400 reverse: write true or false",
		"/api/v1/events?reverse&follow":                       "400 reverse: choose one",
		"/api/v1/events?grep=(":                               "400 grep: write RE2",
		"/api/v1/events?grep=" + strings.Repeat("a", 1001):    "400 grep: write a shorter one",
		"/api/v1/events?after_cursor=x":                       "400 after_cursor: give the cursor",
		"/api/v1/events?match=kind":                           "400 match: write FIELD=VALUE",
		"/api/v1/events?match=knd%3Dx":                        "400 match: write FIELD=VALUE",
		"/api/v1/events?match=%2B":                            "400 match: write FIELD=VALUE",
		"/api/v1/events?match=client_ip%3D1.2.3":              "400 match: write FIELD=VALUE",
		"/api/v1/events?%zz":                                  "400 : percent-encode them",
		"/api/v1/events?a;b":                                  "400 : percent-encode them",
		"/?span=2h":                                           "400 span: choose 1h, 24h or 7d",
		"/?live=perhaps":                                      "400 live: choose on or off",
		"/api/v1/nothing":                                     "404 : ask one of /api/v1/summary",
		"/api/v1/summary/":                                    "404 : ask one of /api/v1/summary",
		"/api/v1/summary?match=" + strings.Repeat("x", 8<<10): "414 : ask with fewer matches",
	} {
		res, body := r.get(path)
		var p problem
		if err := json.Unmarshal([]byte(body), &p); err != nil || res.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %s %s", path, res.Status, body)
			continue
		}
		if got := fmt.Sprintf("%d %s: %s", p.Status, p.Parameter, p.Remedy); !strings.HasPrefix(got, want) || p.Status != res.StatusCode || p.Title == "" || p.Detail == "" {
			t.Errorf("%s: %s\n%s, want %s", path, body, got, want)
		}
	}
}

func TestNothingCanBeChanged(t *testing.T) {
	r := newRig(t, refusals(3)...)
	for _, e := range endpoints {
		for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"} {
			res, _ := r.request(method, e.path)
			if res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") != "GET, HEAD" || res.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s %s: %s %v", method, e.path, res.Status, res.Header)
			}
		}
		res, body := r.request(http.MethodHead, e.path)
		if res.StatusCode != http.StatusOK || body != "" || res.Header.Get("Content-Type") == "" {
			t.Errorf("HEAD %s: %s, %q", e.path, res.Status, body)
		}
	}
}

func TestTooManyQuestions(t *testing.T) {
	r := newRig(t, refusals(3)...)
	for range maxQuestions {
		r.questions <- struct{}{}
	}
	for range maxFollowers {
		r.followers <- struct{}{}
	}
	for _, path := range []string{"/api/v1/events", "/api/v1/events?follow", "/"} {
		res, body := r.get(path)
		if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %s %s", path, res.Status, body)
		}
	}
	<-r.questions
	if res, body := r.get("/"); res.StatusCode != http.StatusOK {
		t.Errorf("with a free place: %s %s", res.Status, body)
	}
}

func TestSlowAnswer(t *testing.T) {
	r := newRig(t, refusals(3)...)
	r.o.Timeout = 1
	for _, path := range []string{"/api/v1/summary", "/api/v1/summary?by=kind", "/api/v1/events", "/api/v1/findings", "/"} {
		res, body := r.get(path)
		if res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "shorter time") {
			t.Errorf("%s: %s %s", path, res.Status, body)
		}
	}
	if n := r.failed.Load(); n != 0 {
		t.Errorf("%d failures of the store", n)
	}
}

// A client that has left gets no answer, and its question is over.
func TestClientGone(t *testing.T) {
	r := newRig(t, refusals(3)...)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, path := range []string{"/api/v1/summary", "/api/v1/events", "/api/v1/findings", "/"} {
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, path, http.NoBody))
		if w.Body.Len() != 0 {
			t.Errorf("%s: %s", path, w.Body)
		}
	}
	if len(r.questions) != 0 {
		t.Errorf("%d questions go on", len(r.questions))
	}
}

func TestClosedStore(t *testing.T) {
	r := newRig(t, refusals(3)...)
	r.store.Close()
	for _, path := range []string{"/api/v1/summary", "/api/v1/summary?by=kind", "/api/v1/events", "/api/v1/events?follow", "/api/v1/findings", "/"} {
		res, body := r.get(path)
		if res.StatusCode != http.StatusInternalServerError || !strings.Contains(body, "closed") {
			t.Errorf("%s: %s %s", path, res.Status, body)
		}
	}
	if n := r.failed.Load(); n != 6 {
		t.Errorf("%d failures were told", n)
	}
}

// What began and cannot be finished is broken off.
func TestBrokenStream(t *testing.T) {
	r := newRig(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		s := &stream{c: &call{w: w, r: req}, control: http.NewResponseController(w)}
		e := refusals(1)[0]
		s.end(req.Context(), r.API, errors.Join(s.event(&e), errors.New("the disk is gone")))
	}))
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.ReadAll(res.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the answer ends with %v", err)
	}
}

func TestGuardHost(t *testing.T) {
	fine := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	for _, c := range []struct {
		listens, host string
		want          int
	}{
		{"127.0.0.1:9725", "127.0.0.1:9725", 200}, {"127.0.0.1:9725", "localhost:9725", 200}, {"127.0.0.1:9725", "LOCALHOST.", 200},
		{"127.0.0.1:9725", "[::1]:9725", 200}, {"127.0.0.1:9725", "[::ffff:127.0.0.1]", 200}, {"127.0.0.1:9725", "mx1.example.com:9725", 200},
		{"127.0.0.1:9725", "relaylens.localhost", 200}, {"127.0.0.1:9725", "", 200},
		{"127.0.0.1:9725", "evil.example:9725", 421}, {"127.0.0.1:9725", "127.0.0.1.evil.example", 421}, {"127.0.0.1:9725", "localhost.evil.example", 421},
		{"127.0.0.1:9725", "192.0.2.1", 421}, {"[::1]:9725", "evil.example", 421}, {"127.0.0.1:9725", "\"<script>", 421},
		{"0.0.0.0:9725", "evil.example", 200}, {"192.0.2.1:9725", "mail.example", 200},
	} {
		addr, err := net.ResolveTCPAddr("tcp", c.listens)
		if err != nil {
			t.Fatal(err)
		}
		req := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		req.Host = c.host
		w := httptest.NewRecorder()
		GuardHost(fine, addr, "mx1.example.com").ServeHTTP(w, req)
		if w.Code != c.want {
			t.Errorf("%s asked for %q: %d, want %d", c.listens, c.host, w.Code, c.want)
		}
	}
}

// FuzzQuery asks anything: no request makes the server fail, and each answer is
// what its type says.
func FuzzQuery(f *testing.F) {
	for _, q := range []string{"since=-1h&match=kind%3Drejected", "n=5&grep=a.*b&reverse", "by=kind,cause&top=2", "match=+&match=%2B", "after_cursor=i%3D0%3Bt%3D0", "span=1h&live=off&match=%22%3E%3Cscript%3E", "%zz;", "since=@1e9&until=now"} {
		f.Add(q)
	}
	var events []relaylens.Event
	for _, text := range hostile {
		e := refusals(1)[0]
		e.User, e.Text, e.Sender = text, text, text
		events = append(events, e)
	}
	dir := f.TempDir()
	s, err := store.Open(f.Context(), dir)
	if err != nil {
		f.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Commit(f.Context(), &store.Batch{Events: events}); err != nil {
		f.Fatal(err)
	}
	a := New(Options{Store: s, Limits: func() Limits { return Limits{Span: time.Hour * 1000, Events: 100} }, Location: time.UTC, Timeout: time.Minute})
	f.Fuzz(func(t *testing.T, query string) {
		for _, path := range []string{"/api/v1/summary", "/api/v1/events", "/api/v1/findings", "/"} {
			req := httptest.NewRequest(http.MethodGet, path, http.NoBody)
			req.URL.RawQuery = query
			if v, err := url.ParseQuery(query); err == nil && v.Has("follow") {
				return // which has no end
			}
			w := httptest.NewRecorder()
			a.ServeHTTP(w, req)
			if w.Code >= 500 {
				t.Fatalf("%s?%s: %d %s", path, query, w.Code, w.Body)
			}
			if kind := w.Header().Get("Content-Type"); strings.HasSuffix(kind, "json") {
				for dec := json.NewDecoder(w.Body); ; {
					var v any
					if err := dec.Decode(&v); errors.Is(err, io.EOF) {
						break
					} else if err != nil {
						t.Fatalf("%s?%s: %s: %v", path, query, kind, err)
					}
				}
			}
		}
	})
}
