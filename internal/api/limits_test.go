package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/store"
)

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

func TestStretch(t *testing.T) {
	for d, want := range map[time.Duration]string{
		90 * time.Second:          "1m30s",
		36 * time.Hour:            "36h0m0s",
		31 * 24 * time.Hour:       "31 days",
		60*24*time.Hour + 1:       "60 days",
		20779*24*time.Hour + 6000: "20779 days",
	} {
		if got := stretch(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
