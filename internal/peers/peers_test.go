package peers

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/summary"
)

var nine = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)

func event(n int) relaylens.Event {
	return relaylens.Event{ID: relaylens.ID{byte(n >> 8), byte(n), 1}, Time: nine.Add(time.Duration(n) * time.Second), MTA: relaylens.Postfix, Kind: relaylens.KindRelayDenied}
}

// server answers as the API does, with these events and this report.
func server(t *testing.T, numbers []int, r *summary.Report, findings ...*summary.Diagnosis) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		switch q.URL.Path {
		case "/api/v1/events":
			events(t, w, q, numbers)
		case "/api/v1/hosts": // which they have in common, a test of the API tells
		case "/api/v1/summary":
			text, err := r.AppendJSON(nil)
			if err != nil {
				t.Error(err)
			}
			_, _ = w.Write(text)
		case "/api/v1/findings":
			for _, f := range findings {
				text, err := f.AppendJSON(nil)
				if err != nil {
					t.Error(err)
				}
				_, _ = w.Write(text)
			}
		default:
			t.Errorf("asked for %s", q.URL)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// events lists the latest n before a cursor, the latest first.
func events(t *testing.T, w http.ResponseWriter, q *http.Request, numbers []int) {
	t.Helper()
	n := 0
	if _, err := fmt.Sscan(q.FormValue("n"), &n); err != nil || q.FormValue("reverse") != "true" {
		t.Errorf("asked for %s", q.URL)
	}
	before := nine.AddDate(1, 0, 0)
	if text := q.FormValue("after_cursor"); text != "" {
		c, err := relaylens.ParseCursor(text)
		if err != nil {
			t.Error(err)
		}
		before = c.Time
	}
	for _, i := range slices.Backward(numbers) {
		if e := event(i); e.Time.Before(before) && n > 0 {
			_, _ = w.Write(append(e.AppendJSON(nil), '\n'))
			n--
		}
	}
}

func open(t *testing.T, urls ...string) *Servers {
	t.Helper()
	s, err := New(urls)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func numbers(from, to, step int) (list []int) {
	for n := from; n < to; n += step {
		list = append(list, n)
	}
	return list
}

func TestEventsOfSeveralServers(t *testing.T) {
	// More than a page; every tenth event is at both.
	a, b := numbers(0, 3000, 2), numbers(0, 3000, 5)
	s := open(t, server(t, a, nil), server(t, b, nil))
	all := append(slices.Clone(a), b...)
	slices.Sort(all)
	all = slices.Compact(all)
	reversed := slices.Clone(all)
	slices.Reverse(reversed)
	for _, tt := range []struct {
		q    Question
		want []int
	}{
		{Question{Number: -1}, all},
		{Question{Number: -1, Reverse: true}, reversed},
		{Question{Number: 7}, all[len(all)-7:]},
		{Question{Number: 0}, nil},
	} {
		var got []int
		err := s.Events(t.Context(), tt.q, func(e *relaylens.Event) error {
			got = append(got, int(e.Time.Sub(nine)/time.Second))
			return nil
		})
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%+v: %d events, want %d: %v", tt.q, len(got), len(tt.want), err)
		}
	}
}

func item(value string, n, e int64) summary.Item {
	return summary.Item{Value: value, Events: n, Error: e, First: nine, Last: nine}
}

func TestSummariesAdd(t *testing.T) {
	report := func(refusals int64, list summary.List) *summary.Report {
		lists := []summary.List{list}
		for _, field := range summary.ListFields()[1:5] {
			lists = append(lists, summary.List{Field: field})
		}
		return &summary.Report{Since: nine, Until: nine.Add(time.Hour), Refusals: refusals, Hosts: []string{"mx1", fmt.Sprint("mx", refusals)},
			Kinds: []summary.Count{{Kind: relaylens.KindRelayDenied, Events: refusals}}, Lists: lists, Remote: summary.Remote{Servers: summary.List{Field: "remote_host"}},
			Timeline: summary.Timeline{Step: "1h", Buckets: []summary.Bucket{{Time: nine, Events: refusals}}}}
	}
	// b does not list x, of which it may have up to 3.
	a := report(10, summary.List{Field: "client_ip", Distinct: 2, Values: []summary.Item{item("x", 6, 0), item("y", 4, 0)}})
	b := report(20, summary.List{Field: "client_ip", Distinct: 9, Values: []summary.Item{item("y", 7, 1), item("z", 5, 0)}, Others: 8, Bound: 3})
	got, err := open(t, server(t, nil, a), server(t, nil, b)).Summary(t.Context(), Question{Top: 2, Location: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	if got.Refusals != 30 || got.Kinds[0].Events != 30 || got.Timeline.Buckets[0].Events != 30 || strings.Join(got.Hosts, " ") != "mx1 mx10 mx20" {
		t.Errorf("totals: %+v", got)
	}
	list := got.Lists[0]
	text, err := json.Marshal(list.Values)
	if err != nil {
		t.Fatal(err)
	}
	if v := list.Values; len(v) != 2 || v[0].Value != "y" || v[0].Events != 11 || v[0].Error != 1 || v[1].Value != "x" || v[1].Events != 6 || v[1].Error != 3 {
		t.Errorf("list: %s", text)
	}
	if list.Others != 13 || list.Bound != 5 || list.Distinct != 9 || !list.AtLeast {
		t.Errorf("the rest of the list: %+v", list)
	}
}

func TestFindingsOfOneProblem(t *testing.T) {
	finding := func(host string, events int) *summary.Diagnosis {
		return &summary.Diagnosis{Title: "t", Finding: relaylens.Finding{MTA: relaylens.Exim, Cause: relaylens.CauseStalePassword, Fault: relaylens.FaultClient, Host: host, Events: events, Clients: events,
			Entity: relaylens.Entity{Kind: relaylens.EntityUser, Value: "joe"}, First: nine, Last: nine, Evidence: []relaylens.Event{event(events)}}}
	}
	got, err := open(t, server(t, nil, nil, finding("mx1", 3)), server(t, nil, nil, finding("mx2", 4))).Findings(t.Context(), Question{})
	if err != nil {
		t.Fatal(err)
	}
	if both, err := open(t, server(t, nil, nil, finding("mx1", 3)), server(t, nil, nil, finding("mx1", 3))).Findings(t.Context(), Question{}); err != nil || len(both) != 1 || both[0].Events != 3 {
		t.Errorf("of two servers with the same events: %+v, %v", both, err)
	}
	if len(got) != 1 || got[0].Events != 7 || got[0].Clients != 4 || got[0].Host != "" || len(got[0].Evidence) != 2 || got[0].Evidence[1].ID != event(4).ID {
		t.Errorf("%+v", got)
	}
}

// What an API can say is read: a finding of no server and no fault too.
func TestFindingOfTheWholeFleet(t *testing.T) {
	whole := &summary.Diagnosis{Title: "t", Finding: relaylens.Finding{MTA: relaylens.Exim, Cause: relaylens.CauseCredentialGuessing, Events: 3, First: nine, Last: nine}}
	got, err := open(t, server(t, nil, nil, whole)).Findings(t.Context(), Question{})
	if err != nil || len(got) != 1 || got[0].Entity != (relaylens.Entity{}) || got[0].Fault != relaylens.FaultNone {
		t.Errorf("%+v: %v", got, err)
	}
}

// A problem that is over at one server, and not at another one, is not over.
func TestFindingThatIsOpenAtOneServer(t *testing.T) {
	over := relaylens.Finding{MTA: relaylens.Exim, Cause: relaylens.CauseStalePassword, Host: "mx1", Events: 3, First: nine, Since: nine, Last: nine.Add(time.Hour),
		Status: relaylens.StatusResolved, Resolved: nine.Add(2 * time.Hour), Returns: 2, Entity: relaylens.Entity{Kind: relaylens.EntityUser, Value: "joe"}}
	open2, over2 := over, over
	open2.Host, open2.Status, open2.Since, open2.Resolved, open2.Returns, open2.Last = "mx2", relaylens.StatusOpen, nine.Add(3*time.Hour), time.Time{}, 1, nine.Add(4*time.Hour)
	over2.Host, over2.Resolved = "mx2", nine.Add(5*time.Hour)
	for _, tt := range []struct {
		other relaylens.Finding
		want  relaylens.Finding
	}{
		{open2, relaylens.Finding{Status: relaylens.StatusOpen, Since: open2.Since, Returns: 2}},
		{over2, relaylens.Finding{Status: relaylens.StatusResolved, Since: nine, Resolved: over2.Resolved, Returns: 2}},
	} {
		one, two := server(t, nil, nil, &summary.Diagnosis{Finding: over}), server(t, nil, nil, &summary.Diagnosis{Finding: tt.other})
		for _, urls := range [][]string{{one, two}, {two, one}} {
			got, err := open(t, urls...).Findings(t.Context(), Question{})
			if err != nil || len(got) != 1 {
				t.Fatalf("%+v, %v", got, err)
			}
			f := relaylens.Finding{Status: got[0].Status, Since: got[0].Since, Resolved: got[0].Resolved, Returns: got[0].Returns}
			if diff := cmp.Diff(tt.want, f); diff != "" {
				t.Error(diff)
			}
		}
	}
}

// Of findings, too, nothing is taken that no server tells: no number that makes the
// sum of several negative, and no text that a terminal obeys.
func TestHostileFindings(t *testing.T) {
	fine := func(change func(*summary.Diagnosis)) string {
		d := &summary.Diagnosis{Title: "t", Fixes: []summary.DiagnosisFix{{Title: "f", Rate: 50, Steps: []string{"a\n\tb"}}},
			Finding: relaylens.Finding{MTA: relaylens.Exim, Cause: relaylens.CauseCredentialGuessing, Events: 3, First: nine, Last: nine, Confidence: 0.5, Why: "so"}}
		change(d)
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		return string(text) + "\n"
	}
	for name, text := range map[string]string{
		"negative events":      fine(func(d *summary.Diagnosis) { d.Events = -1 }),
		"events that overflow": fine(func(d *summary.Diagnosis) { d.Events = math.MaxInt }),
		"negative clients":     fine(func(d *summary.Diagnosis) { d.Clients = -1 }),
		"negative users":       fine(func(d *summary.Diagnosis) { d.Users = -1 }),
		"negative returns":     fine(func(d *summary.Diagnosis) { d.Returns = -1 }),
		"more than sure":       fine(func(d *summary.Diagnosis) { d.Confidence = 1.1 }),
		"a rate of nothing":    fine(func(d *summary.Diagnosis) { d.Fixes[0].Rate = 101 }),
		"a title":              fine(func(d *summary.Diagnosis) { d.Title = "\x1b[2J" }),
		"a reason":             fine(func(d *summary.Diagnosis) { d.Why = "\u202e" }),
		"a fix":                fine(func(d *summary.Diagnosis) { d.Fixes[0].Title = "\u009b" }),
		"a step":               fine(func(d *summary.Diagnosis) { d.Fixes[0].Steps[0] = "\r" }),
		"too much evidence":    fine(func(d *summary.Diagnosis) { d.Evidence = []relaylens.Event{event(1), event(2), event(3), event(4)} }),
		"too many":             strings.Repeat(fine(func(*summary.Diagnosis) {}), summary.MaxDiagnoses+1),
		"":                     fine(func(*summary.Diagnosis) {}),
	} {
		t.Run(name, func(t *testing.T) {
			hostile := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				if q.URL.Path == "/api/v1/findings" {
					_, _ = w.Write([]byte(text))
				}
			}))
			defer hostile.Close()
			if got, err := open(t, hostile.URL, hostile.URL).Findings(t.Context(), Question{}); (err == nil) != (name == "") {
				t.Errorf("%d findings, error %v", len(got), err)
			}
		})
	}
}

// A part of the answers is no answer.
func TestServerThatFails(t *testing.T) {
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{"title":"busy","remedy":"ask again \u001b[31m"}`))
	}))
	defer broken.Close()
	s := open(t, server(t, []int{1}, nil), broken.URL)
	err := s.Events(t.Context(), Question{Number: -1}, func(*relaylens.Event) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "busy") || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("error %v", err)
	}
	for _, text := range []string{"", "ftp://x", "http://", "http://x/?a=b", "http://joe:secret@"} {
		if _, err := New([]string{text}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("New(%q): %v", text, err)
		}
	}
}

// Who is too old to be asked with others, and who is no relaylens at all, is said,
// and what to do.
func TestServerWithoutHosts(t *testing.T) {
	const unknown = `{"title":"Not Found","status":404,"detail":"there is nothing at this path","remedy":"ask one of /api/v1/summary"}`
	for _, tt := range []struct {
		name, body, path, want string
	}{
		{"an older relaylens", unknown, "", "is an older relaylens that cannot tell which hosts it has, and what others have, too, would count twice; update it, or ask it by itself"},
		{"another path of a relaylens", unknown, "/api/v1", "answers 404 Not Found: there is nothing at this path; ask one of /api/v1/summary"},
		{"another program", "404 page not found\n", "", "answers 404 Not Found: 404 page not found; is a relaylens at this address?"},
		{"a web server", "<!DOCTYPE html>\n<html><head><title>404</title></head></html>", "", "answers 404 Not Found: a web page; is a relaylens at this address?"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusNotFound)
				_, _ = w.Write([]byte(tt.body))
			}))
			defer s.Close()
			_, err := open(t, server(t, nil, nil), s.URL+tt.path).Summary(t.Context(), Question{Top: 5, Location: time.UTC})
			if err == nil || err.Error() != s.URL+tt.path+" "+tt.want {
				t.Errorf("error %v\nwant %s", err, s.URL+tt.path+" "+tt.want)
			}
		})
	}
}

// Who does not answer is named, and what may be the reason; a password is not.
func TestServerThatIsAway(t *testing.T) {
	s := httptest.NewServer(nil)
	address := s.Listener.Addr().String()
	s.Close()
	_, err := open(t, "http://joe:secret@"+address).Summary(t.Context(), Question{Top: 5, Location: time.UTC})
	want := "ask http://joe:xxxxx@" + address + ": dial tcp " + address + ": connect: connection refused; is relaylens running there, and does its listen name an address that this machine reaches?"
	if err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
}

// What no store tells is refused, whoever says it.
func TestHostileServer(t *testing.T) {
	moments := strings.Repeat(`{"id":"ab000000000000000000000000000000","time":"2026-01-02T03:04:05Z"},`, 33)
	for name, tt := range map[string]struct{ hosts, summary string }{
		"negative numbers":     {`{"host":"mx1","refusals":-1}`, ""},
		"negative, before":     {`{"host":"mx1","refusals":1,"before":-1}`, ""},
		"numbers too large":    {`{"host":"mx1","refusals":1e30}`, ""},
		"more than the latest": {`{"host":"mx1","refusals":1,"latest":[` + strings.TrimSuffix(moments, ",") + `]}`, ""},
		"one host twice":       {`{"host":"mx1","refusals":1}` + "\n" + `{"host":"mx1","refusals":1}`, ""},
		"too many hosts": {func() string {
			var b strings.Builder
			for i := range summary.MaxHoldings + 1 {
				fmt.Fprintf(&b, `{"host":"mx%d","refusals":1}`+"\n", i)
			}
			return b.String()
		}(), ""},
		"no lists":             {"", `{"refusals":5}`},
		"null":                 {"", `null`},
		"other lists":          {"", report(t, func(r *summary.Report) { r.Lists[2].Field = "kind" })},
		"a sum that overflows": {"", report(t, func(r *summary.Report) { r.Lists[0].Others = 1 << 62 })},
		"a sketch of nothing":  {"", strings.Replace(report(t, func(*summary.Report) {}), `"others"`, `"sketch":"AAAA","others"`, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			hostile := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				text := tt.summary
				if q.URL.Path == "/api/v1/hosts" {
					text = tt.hosts
				}
				_, _ = w.Write([]byte(text))
			}))
			defer hostile.Close()
			got, err := open(t, hostile.URL, hostile.URL).Summary(t.Context(), Question{Top: 2, Location: time.UTC})
			if err == nil {
				t.Errorf("it is taken: %+v", got)
			}
		})
	}
	fine := report(t, func(*summary.Report) {})
	honest := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path != "/api/v1/hosts" {
			_, _ = w.Write([]byte(fine))
		}
	}))
	defer honest.Close()
	if _, err := open(t, honest.URL, honest.URL).Summary(t.Context(), Question{Top: 2, Location: time.UTC}); err != nil {
		t.Errorf("what is fine is refused: %v", err)
	}
}

func report(t *testing.T, change func(*summary.Report)) string {
	t.Helper()
	r := summary.NewBuilder(summary.Span{Since: nine, Until: nine.Add(time.Hour)}, summary.Span{}).Report(summary.ReportOptions{Top: 5, Steps: 10, Location: time.UTC})
	change(r)
	text, err := r.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A table has to be of what was asked for.
func TestHostileTable(t *testing.T) {
	for name, text := range map[string]string{"other fields": `{"by":["user"],"groups":[]}`, "fewer values": `{"by":["host"],"groups":[{"values":[],"events":1}]}`,
		"negative": `{"by":["host"],"refusals":-1}`, "null": `null`} {
		t.Run(name, func(t *testing.T) {
			hostile := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				if q.URL.Path != "/api/v1/hosts" {
					_, _ = w.Write([]byte(text))
				}
			}))
			defer hostile.Close()
			if got, err := open(t, hostile.URL).Table(t.Context(), Question{By: []string{"host"}, Top: 2, Location: time.UTC}); err == nil {
				t.Errorf("it is taken: %+v", got)
			}
		})
	}
}

// More hosts in common than a question can name is said.
func TestTooManyHosts(t *testing.T) {
	held := []map[string]*summary.Holding{{}, {}}
	for i := range 600 {
		name := fmt.Sprintf("mx%03d.example.com", i)
		held[0][name] = &summary.Holding{Host: name, Refusals: 9}
		if i%2 == 0 {
			held[1][name] = &summary.Holding{Host: name, Refusals: 9}
		} else {
			held[1]["other-"+name] = &summary.Holding{Host: "other-" + name, Refusals: 20}
		}
	}
	all := copiesOf(held)
	dropped := droppedHosts(all, held, 0)
	if len(dropped[0])+len(dropped[1]) != 300 || len(all) != 300 {
		t.Errorf("%d and %d are left out, %d in common", len(dropped[0]), len(dropped[1]), len(all))
	}
	var some []string
	for name := range held[0] {
		some = append(some, name)
	}
	if _, err := narrowed(url.Values{}, nil, relaylens.Match{}, some); !errors.Is(err, errTooMany) {
		t.Errorf("error %v", err)
	}
}

// A question with matches of its own is narrowed group by group: to hosts that the
// group asks for, and with all else that it asks.
func TestNarrowedByMatches(t *testing.T) {
	for ask, want := range map[string]string{
		"":                                      "host=mx1 host=mx3",
		"kind=rejected":                         "kind=rejected host=mx1 host=mx3",
		"host=mx1 kind=rejected":                "kind=rejected host=mx1",
		"host=mx1 host=mx2":                     "host=mx1",
		"host=mx2":                              "",
		"kind=rejected host=mx2 + user=joe":     "user=joe host=mx1 host=mx3",
		"user=joe host=mx3 + user=eve host=mx1": "user=joe host=mx3 + user=eve host=mx1",
	} {
		args := strings.Fields(ask)
		match, err := relaylens.ParseMatch(args)
		if err != nil {
			t.Fatal(err)
		}
		asked, err := narrowed(url.Values{"since": {"-1h"}}, args, match, []string{"mx1", "mx3"})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if asked != nil {
			if got = strings.Join((*asked)["match"], " "); asked.Get("since") != "-1h" {
				t.Errorf("%q: the span is lost: %v", ask, asked)
			}
		}
		if got != want {
			t.Errorf("%q becomes %q, want %q", ask, got, want)
		}
	}
}

// Of two readers of a large fleet, each of which has an event of another host that
// is on its way to the other one, one tells of all hosts.
func TestReadersOfManyHosts(t *testing.T) {
	held := []map[string]*summary.Holding{{}, {}}
	for i := range 400 {
		for server := range held {
			h := &summary.Holding{Host: fmt.Sprintf("mx%03d.example.com", i), Refusals: 40}
			if i == 7 && server == 1 || i == 9 && server == 0 {
				h.Refusals++
			}
			held[server][h.Host] = h
		}
	}
	p := plan{ask: make([]*url.Values, 2)}
	if err := p.leaveOut(droppedHosts(copiesOf(held), held, 0), held, url.Values{}, nil, relaylens.Match{}); !errors.Is(err, errTooMany) {
		t.Errorf("error %v, where each server has to be asked for hundreds of hosts", err)
	}
	if err := p.narrow(held, url.Values{}, nil, relaylens.Match{}); err != nil || (p.ask[0] == nil) == (p.ask[1] == nil) || len(p.shared) != 400 {
		t.Errorf("error %v, questions %v", err, p.ask)
	}
}
