package api

import (
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/peers"
	"github.com/relaylens/relaylens/summary"
)

// of are n refusals of a host, whose clients are the numbers from on, of a site
// that gives their ids.
func of(site, host string, from, n int) (events []relaylens.Event) {
	end := time.Now().Add(-time.Minute).Truncate(time.Second)
	for i := range n {
		k := from + i
		line := relaylens.Line{Text: site + " " + host, Offset: int64(k)}
		events = append(events, relaylens.Event{ID: relaylens.NewID(&line, 0), Time: end.Add(time.Duration(k-3000) * time.Second), Host: host, MTA: relaylens.Postfix,
			Kind: relaylens.KindRelayDenied, Direction: relaylens.Inbound, Cause: relaylens.CauseOpenRelayProbe,
			ClientIP: netip.AddrFrom4([4]byte{203, 0, byte(k >> 8), byte(k)}), Sender: "a@example.com", Recipient: "b@example.net", Code: 554, Text: "Relay access denied"})
	}
	return events
}

func join(lists ...[]relaylens.Event) []relaylens.Event { return slices.Concat(lists...) }

// Each host counts once, however many of the servers have its events, and hosts
// that only bear the same name, or have their events parted among servers, count
// in full.
func TestCopiesCountOnce(t *testing.T) {
	for _, tt := range []struct {
		name     string
		servers  [][]relaylens.Event
		match    []string
		refusals int64
		shared   string
		clients  int
	}{
		{"two full copies", [][]relaylens.Event{join(of("a", "mx1", 0, 50), of("a", "mx2", 0, 30)), join(of("a", "mx1", 0, 50), of("a", "mx2", 0, 30))}, nil, 80, "mx1 mx2", 50},
		{"one is a little behind", [][]relaylens.Event{of("a", "mx1", 0, 1000), of("a", "mx1", 0, 990)}, nil, 1000, "mx1", 1000},
		{"one is far behind", [][]relaylens.Event{of("a", "mx1", 0, 50), of("a", "mx1", 0, 1000)}, nil, 1000, "mx1", 1000},
		{"one began late", [][]relaylens.Event{of("a", "mx1", 500, 500), of("a", "mx1", 0, 1000)}, nil, 1000, "mx1", 1000},
		{"nothing in common", [][]relaylens.Event{of("a", "mx1", 0, 50), of("a", "mx2", 0, 30)}, nil, 80, "", 50},
		{"some in common", [][]relaylens.Event{join(of("a", "mx1", 0, 50), of("a", "mx2", 0, 30)), join(of("a", "mx2", 0, 30), of("a", "mx3", 100, 20))}, nil, 100, "mx2", 70},
		{"some in common, and some of no host", [][]relaylens.Event{join(of("a", "", 0, 50), of("a", "mx2", 0, 30)), join(of("a", "mx2", 0, 31), of("b", "", 0, 5))}, nil, 86, "mx2", 50},
		{"two sites with one name", [][]relaylens.Event{of("a", "mail", 0, 50), of("b", "mail", 0, 50)}, nil, 100, "", 50},
		{"the events of one host are parted", [][]relaylens.Event{join(of("a", "mx1", 0, 20), of("a", "mx1", 40, 20)), of("a", "mx1", 20, 20)}, nil, 60, "", 60},
		{"a machine, its reader, and another's", [][]relaylens.Event{of("a", "mx1", 0, 40), join(of("a", "mx1", 0, 40), of("a", "mx2", 0, 10)), of("b", "mx1", 20, 7)}, nil, 57, "mx1", 40},
		{"nothing at all", [][]relaylens.Event{nil, nil}, nil, 0, "", 0},
		{"asked for one host", [][]relaylens.Event{join(of("a", "mx1", 0, 50), of("a", "mx2", 0, 30)), join(of("a", "mx2", 0, 30), of("a", "mx3", 100, 20))}, []string{"host=mx2"}, 30, "mx2", 30},
		{"asked for one client of some, or another host", [][]relaylens.Event{join(of("a", "mx1", 0, 50), of("a", "mx2", 0, 30)), join(of("a", "mx2", 0, 30), of("a", "mx3", 100, 20))},
			[]string{"client_ip=203.0.0.5", "host=mx1", "host=mx2", "+", "host=mx3"}, 22, "mx2", 21},
	} {
		t.Run(tt.name, func(t *testing.T) {
			report := summarize(t, tt.match, 2, tt.servers...)
			if report.Refusals != tt.refusals || strings.Join(report.Shared, " ") != tt.shared {
				t.Errorf("%d refusals, in common %q; want %d, %q", report.Refusals, report.Shared, tt.refusals, tt.shared)
			}
			if l := report.Lists[0]; l.Distinct != tt.clients || l.AtLeast || l.About {
				t.Errorf("%d clients, want %d: %+v", l.Distinct, tt.clients, l)
			}
			var times int64
			for _, b := range report.Timeline.Buckets {
				times += b.Events
			}
			if times != tt.refusals || report.Kinds[0].Events != tt.refusals {
				t.Errorf("the time line has %d, the kinds have %d", times, report.Kinds[0].Events)
			}
			text := string(report.AppendText(nil, summary.TextOptions{Width: 400}))
			if told := strings.Contains(text, "counted once"); told != (tt.shared != "") {
				t.Errorf("that hosts are in common is told: %t\n%s", told, text)
			}
		})
	}
}

// The span before counts each host once, too, also hosts that are quiet since.
func TestCopiesOfTheSpanBefore(t *testing.T) {
	const yesterday = 3000 - 36*60*60 // 36 hours ago; the summary is of 24, and of the 24 before
	for _, tt := range []struct {
		name             string
		servers          [][]relaylens.Event
		refusals, before int64
		shared           string
	}{
		{"a host of both is quiet since", [][]relaylens.Event{join(of("a", "mx1", 0, 50), of("a", "mx9", yesterday, 20)), join(of("a", "mx2", 0, 30), of("a", "mx9", yesterday, 20))}, 80, 20, "mx9"},
		{"a host of one is quiet since, and another is of both", [][]relaylens.Event{join(of("a", "mx1", 0, 50), of("a", "mx2", 0, 30)), join(of("a", "mx2", 0, 30), of("a", "mx3", 0, 5), of("a", "mx9", yesterday, 20))}, 85, 20, "mx2"},
		{"a host of one is all that is its own", [][]relaylens.Event{join(of("a", "mx1", 0, 50), of("a", "mx2", 0, 30)), join(of("a", "mx2", 0, 30), of("a", "mx9", yesterday, 20))}, 80, 20, "mx2"},
		{"one began today", [][]relaylens.Event{of("a", "mx1", 0, 50), join(of("a", "mx1", yesterday, 40), of("a", "mx1", 0, 50))}, 50, 40, "mx1"},
		{"one began today, and the other is behind", [][]relaylens.Event{of("a", "mx1", 0, 50), join(of("a", "mx1", yesterday, 40), of("a", "mx1", 0, 30))}, 50, 0, "mx1"},
		{"two hosts of one name, quiet since", [][]relaylens.Event{of("a", "mail", yesterday, 40), of("b", "mail", yesterday, 40)}, 0, 80, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := summarize(t, nil, 2, tt.servers...)
			if r.Refusals != tt.refusals || r.Before == nil || r.Before.Refusals != tt.before || strings.Join(r.Shared, " ") != tt.shared {
				t.Errorf("%d refusals, before %+v, in common %q; want %d, %d, %q", r.Refusals, r.Before, r.Shared, tt.refusals, tt.before, tt.shared)
			}
		})
	}
}

// What one server has as new is not where another one had it in the span before, and
// the span before has what a server had then and has not now.
func TestNewsOfSeveral(t *testing.T) {
	const yesterday = -2 * 65536 // seconds, after which the clients come again
	one := join(of("a", "mx1", yesterday, 20), of("a", "mx1", 500, 5))
	two := join(of("a", "mx2", 0, 30), of("a", "mx2", 503, 2))
	for name, match := range map[string][]string{"by the hour": nil, "by events": {"kind=relay_denied"}} {
		t.Run(name, func(t *testing.T) {
			r := summarize(t, match, 100, one, two)
			news := map[string]int64{}
			for _, n := range r.New {
				news[n.Field+" "+n.Value] = n.Events
			}
			want := map[string]int64{"client_ip 203.0.1.244": 1, "client_ip 203.0.1.245": 1, "client_ip 203.0.1.246": 1, "client_ip 203.0.1.247": 2, "client_ip 203.0.1.248": 2}
			for k := 20; k < 30; k++ {
				want[fmt.Sprintf("client_ip 203.0.0.%d", k)] = 1
			}
			if diff := cmp.Diff(want, news); diff != "" {
				t.Error(diff)
			}
			for _, v := range r.Lists[0].Values {
				k := netip.MustParseAddr(v.Value).As4()
				want := int64(0)
				if k[2] == 0 && k[3] < 20 {
					want = 1
				}
				if v.Before == nil || *v.Before != want {
					t.Errorf("%s had %v before, want %d", v.Value, v.Before, want)
				}
			}
			for _, c := range []summary.Count{r.Causes[0], r.Reasons[0], r.Classes[0], r.Kinds[0]} {
				if c.Events != 37 || c.Before == nil || *c.Before != 20 {
					t.Errorf("%+v, want 37 and 20 before", c)
				}
			}
			if text, err := json.Marshal(r); err != nil || strings.Contains(string(text), "former") {
				t.Errorf("%s, %v", text, err)
			}
		})
	}
}

// What is compared with nothing does not tell of hosts that are quiet since.
func TestGroupsWithoutTheSpanBefore(t *testing.T) {
	const yesterday = 3000 - 36*60*60
	s, err := peers.New([]string{newRig(t, of("a", "mx9", yesterday, 20)...).server.URL, newRig(t, join(of("a", "mx2", 0, 30), of("a", "mx9", yesterday, 20))...).server.URL})
	if err != nil {
		t.Fatal(err)
	}
	table, err := s.Table(t.Context(), peers.Question{By: []string{"host"}, Top: 5, Location: time.UTC})
	if err != nil || table.Refusals != 30 || len(table.Groups) != 1 || len(table.Shared) > 0 {
		t.Errorf("%+v, %v", table, err)
	}
}

// summarize asks servers with these events for their summary.
func summarize(t *testing.T, match []string, top int, servers ...[]relaylens.Event) *summary.Report {
	t.Helper()
	var urls []string
	for _, events := range servers {
		urls = append(urls, newRig(t, events...).server.URL)
	}
	s, err := peers.New(urls)
	if err != nil {
		t.Fatal(err)
	}
	report, err := s.Summary(t.Context(), peers.Question{Match: match, Top: top, Location: time.UTC})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// More clients than a server lists by name are counted by sketches: those that
// two servers have count once.
func TestDistinctOfSeveral(t *testing.T) {
	report := summarize(t, nil, 5, of("a", "mx1", 0, 1600), of("a", "mx2", 800, 1600))
	l := report.Lists[0]
	if math.Abs(float64(l.Distinct)-2400) > 2400*0.03 || !l.About || l.AtLeast || l.Sketch != nil {
		t.Errorf("clients: %d distinct, about %t, at least %t", l.Distinct, l.About, l.AtLeast)
	}
	if l := report.Lists[1]; l.Distinct != 10 || l.About || l.AtLeast {
		t.Errorf("networks: %+v", l)
	}
	text := string(report.AppendText(nil, summary.TextOptions{Width: 200}))
	if want := fmt.Sprintf("about %s others", summary.Number(int64(l.Distinct-5))); !strings.Contains(text, want) {
		t.Errorf("the text lacks %q:\n%s", want, text)
	}
}

// Findings of two copies are those of one.
func TestFindingsOfCopies(t *testing.T) {
	events := refusals(50)
	one := newRig(t, events...)
	two := newRig(t, events...)
	find := func(urls ...string) []*summary.Diagnosis {
		s, err := peers.New(urls)
		if err != nil {
			t.Fatal(err)
		}
		found, err := s.Findings(t.Context(), peers.Question{Location: time.UTC})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	want, got := find(one.server.URL), find(one.server.URL, two.server.URL)
	if len(want) != 1 || len(got) != 1 || got[0].Events != want[0].Events || got[0].Clients != want[0].Clients {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// Names of hosts come from logs, and may be shown on a terminal as they are.
func TestHostsAreEscaped(t *testing.T) {
	const name = "mx\u202e1\u0085\x7f"
	_, body := newRig(t, of("a", name, 0, 3)...).get("/api/v1/hosts")
	var h summary.Holding
	if err := json.Unmarshal([]byte(body), &h); err != nil || h.Host != name || h.Refusals != 3 || strings.ContainsAny(body, name[2:5]+name[6:]) {
		t.Errorf("%q, %+v, %v", body, h, err)
	}
}

// Counting by fields, too, counts each host once, and adds what is of the same
// values.
func TestGroupsOfSeveral(t *testing.T) {
	var urls []string
	for _, events := range [][]relaylens.Event{join(of("a", "mx1", 0, 50), of("a", "mx2", 0, 30)), join(of("a", "mx2", 0, 30), of("a", "mx3", 20, 40))} {
		urls = append(urls, newRig(t, events...).server.URL)
	}
	s, err := peers.New(urls)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		by       string
		top      int
		want     string
		others   int64
		distinct int
	}{
		{"host", 20, "mx1=50 mx3=40 mx2=30", 0, 3},
		{"host", 1, "mx1=50", 70, 3},
		{"kind", 20, "relay_denied=120", 0, 1},
		{"client_ip", 2, "203.0.0.20=3 203.0.0.21=3", 114, 60},
		{"client_ip", -1, "", 0, 60},
	} {
		table, err := s.Table(t.Context(), peers.Question{By: []string{tt.by}, Top: tt.top, Location: time.UTC})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, g := range table.Groups {
			got = append(got, fmt.Sprintf("%s=%d", strings.Join(g.Values, ","), g.Events))
			if g.Error != 0 || tt.by == "client_ip" && g.First.IsZero() {
				t.Errorf("%s: %+v", tt.by, g)
			}
		}
		if tt.want != "" && strings.Join(got, " ") != tt.want || table.Refusals != 120 || table.Others != tt.others || table.Distinct != tt.distinct || table.AtLeast {
			t.Errorf("by %s, %d of them: %s, %+v", tt.by, tt.top, got, table)
		}
		if text := string(table.AppendText(nil, summary.TextOptions{Width: 100})); !strings.Contains(text, "The refusals of mx2 are at several of the servers") {
			t.Errorf("the text does not tell of mx2:\n%s", text)
		}
	}
}
