package summary

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

var updateSummaries = flag.Bool("update", false, "write the expected summaries anew")

func zoneNamed(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// refusal is an inbound one at a minute after noon.
func refusal(minute int, kind relaylens.Kind, cause relaylens.Cause, client string) relaylens.Event {
	return relaylens.Event{Time: noon.Add(time.Duration(minute) * time.Minute), Host: "mx1", MTA: relaylens.Postfix, Kind: kind, Cause: cause,
		Direction: relaylens.Inbound, Code: 554, ClientIP: netip.MustParseAddr(client)}
}

// aDay is a day and the day before it: a lost domain since the morning, guessed
// passwords all day, a bounce, and text of attackers.
func aDay() []relaylens.Event {
	var events []relaylens.Event
	add := func(e relaylens.Event) { events = append(events, e) }
	for i := range 48 * 12 {
		minute := (i - 24*12) * 5
		e := refusal(minute, relaylens.KindAuthFailed, relaylens.CauseCredentialGuessing, fmt.Sprintf("203.0.113.%d", i%7))
		e.Reason, e.User, e.ClientName = relaylens.ReasonCredentials, fmt.Sprintf("info%d", i%3), "scan.example.net"
		add(e)
		if i%4 == 0 {
			e := refusal(minute, relaylens.KindRejected, relaylens.CausePolicy, "2001:db8:85a3:8d3:1319:8a2e:370:7348")
			e.Reason, e.Code, e.Sender, e.Recipient = relaylens.ReasonGreylist, 450, "a@例え.テスト", "b@Example.COM"
			add(e)
		}
		if minute > 9*60 && i%2 == 0 {
			e := refusal(minute, relaylens.KindRelayDenied, relaylens.CauseRecipientDomainNotConfigured, fmt.Sprintf("198.51.%d.9", i%100))
			e.Sender, e.Recipient, e.ClientName = "c@partner.example", "d@lost.example.com", "mx.partner.example"
			add(e)
		}
	}
	for i := range 3 {
		e := refusal(i*60, relaylens.KindRejected, relaylens.CauseRemoteBlocklisted, "192.0.2.1")
		e.Direction, e.Reason, e.RemoteHost, e.Enhanced = relaylens.Outbound, relaylens.ReasonRemoteOther, "mx.big.example", "5.7.1"
		e.Text = "Service unavailable; client [192.0.2.25] blocked using bl.example"
		add(e)
	}
	e := refusal(7, relaylens.KindSenderVerify, relaylens.CauseSenderDomainUnresolvable, "192.0.2.66")
	e.Reason, e.ClientName = relaylens.ReasonDomainNotFound, "\x1b[31mred\x1b[0m.example"
	e.Sender, e.Recipient = "x@<script>alert(1)</script>\u202e.example", "\"quo ted\x00\"@"+strings.Repeat("long", 100)+".example"
	add(e)
	e = relaylens.Event{Time: noon, Kind: relaylens.KindAccepted}
	add(e)
	e = refusal(1, relaylens.KindRejected, relaylens.CauseNone, "192.0.2.66")
	e.Action = relaylens.ActionWarn
	add(e)
	return events
}

func built(events []relaylens.Event, span, before Span) *Builder {
	b := NewBuilder(span, before)
	for i := range events {
		b.Add(&events[i])
	}
	return b
}

func aReport(t testing.TB, top, steps int) *Report {
	span := Span{noon, noon.Add(24 * time.Hour)}
	return built(aDay(), span, span.Before()).Report(ReportOptions{Top: top, Steps: steps, Location: zoneNamed(t, "Europe/Berlin")})
}

// golden compares with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *updateSummaries {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestText(t *testing.T) {
	for _, width := range []int{60, 80, 132} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			text := aReport(t, 5, TextSteps(width)).AppendText(nil, TextOptions{Width: width})
			golden(t, fmt.Sprintf("day-%d.txt", width), text)
			for line := range strings.Lines(string(text)) {
				if n := columns(strings.TrimSuffix(line, "\n")); n > width {
					t.Errorf("%d columns: %q", n, line)
				}
				if strings.ContainsAny(line, "\x1b\x00\u202e") {
					t.Errorf("hostile text is not escaped: %q", line)
				}
			}
		})
	}
}

func TestTextInColour(t *testing.T) {
	plain := aReport(t, 5, 30).AppendText(nil, TextOptions{Width: 80})
	coloured := string(aReport(t, 5, 30).AppendText(nil, TextOptions{Width: 80, Color: true}))
	for {
		before, rest, ok := strings.Cut(coloured, "\x1b[")
		if !ok {
			break
		}
		_, rest, _ = strings.Cut(rest, "m")
		coloured = before + rest
	}
	if diff := cmp.Diff(string(plain), coloured); diff != "" {
		t.Errorf("colours move text: %s", diff)
	}
}

func TestProblemsFirst(t *testing.T) {
	text := string(aReport(t, 5, 30).AppendText(nil, TextOptions{Width: 80, ProblemsFirst: true}))
	last := -1
	for _, title := range []string{"Causes", "New:", "Refused by other servers", "What", "Clients", "Recipient domains"} {
		at := strings.Index(text, "\n"+title)
		if at < 0 {
			at = strings.Index(text, "  "+title) // in the right column
		}
		if at <= last {
			t.Errorf("%q is at %d, after %d", title, at, last)
		}
		last = at
	}
}

func TestJSON(t *testing.T) {
	text, err := aReport(t, 2, 5).AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "day.json", text)
	if !json.Valid(text) {
		t.Error("no JSON")
	}
	if strings.ContainsAny(string(text), "\x1b\x00\u202e<>") {
		t.Error("hostile text is not escaped")
	}
}

func TestNothing(t *testing.T) {
	r := NewBuilder(Span{}, Span{}).Report(ReportOptions{Top: 5, Steps: 30, Location: time.UTC})
	if text := string(r.AppendText(nil, TextOptions{Width: 80})); text != "No refusals.\n" {
		t.Error(text)
	}
	if text, err := r.AppendHTML(nil, TextOptions{}); err != nil || !strings.Contains(string(text), "No refusals.") {
		t.Errorf("%s, %v", text, err)
	}
	if _, err := r.AppendJSON(nil); err != nil {
		t.Error(err)
	}
}

func TestOneEvent(t *testing.T) {
	e := refusal(0, relaylens.KindRelayDenied, relaylens.CauseUnknown, "192.0.2.1")
	r := built([]relaylens.Event{e}, Span{}, Span{}).Report(ReportOptions{Top: 5, Steps: 30, Location: time.UTC})
	if r.Refusals != 1 || !r.First.Equal(noon) || !r.Last.Equal(noon) || r.Before != nil || len(r.New) != 0 {
		t.Errorf("%+v", r)
	}
	if diff := cmp.Diff(Timeline{"1s", []Bucket{{Time: noon, Events: 1, RelayDenied: 1}}}, r.Timeline); diff != "" {
		t.Error(diff)
	}
	golden(t, "one.txt", r.AppendText(nil, TextOptions{Width: 80}))
}

// TestOrderDoesNotMatter counts the same events forwards and backwards.
func TestOrderDoesNotMatter(t *testing.T) {
	events := aDay()
	span := Span{noon, noon.Add(24 * time.Hour)}
	o := ReportOptions{Top: 5, Steps: 30, Location: time.UTC}
	want, err := built(events, span, span.Before()).Report(o).AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	backwards := NewBuilder(span, span.Before())
	for i := range events {
		backwards.Add(&events[len(events)-1-i])
	}
	got, err := backwards.Report(o).AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	// The answer of the one remote server is the latest that was added; it is the same text.
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error(diff)
	}
}

// TestMemory counts a million clients, each with a network, a user and a domain
// of its own.
func TestMemory(t *testing.T) {
	b := NewBuilder(Span{}, Span{})
	for i := range 1_000_000 {
		e := refusal(i%100_000, relaylens.KindAuthFailed, relaylens.CauseCredentialGuessing, "192.0.2.1")
		if i%10 != 0 {
			e.ClientIP = netip.AddrFrom4([4]byte{byte(i >> 16), byte(i >> 8), byte(i), 1})
		}
		e.User, e.Sender, e.ClientName = fmt.Sprint("user", i), fmt.Sprintf("a@%d.example", i), fmt.Sprintf("host%d.example", i)
		b.Add(&e)
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if const64M := uint64(64 << 20); m.HeapAlloc > const64M {
		t.Errorf("%d MB in use", m.HeapAlloc>>20)
	}
	l := b.Report(ReportOptions{Top: 3, Steps: 30, Location: time.UTC}).Lists[0]
	top := l.Values[0]
	if top.Value != "192.0.2.1" || top.Events > 100_000 || top.Events+top.Error < 100_000 || l.Bound > 1_000_000/maxValues {
		t.Errorf("the one large client counted %+v, bound %d", top, l.Bound)
	}
	if !l.AtLeast || l.Others+l.Values[0].Events+l.Values[1].Events+l.Values[2].Events != 1_000_000 {
		t.Errorf("%+v", l)
	}
}

func TestChange(t *testing.T) {
	for _, c := range []struct {
		now, before int64
		want        string
	}{
		{0, 0, "="}, {5, 5, "="}, {5, 0, "new"}, {0, 5, "-100%"}, {110, 100, "+10%"}, {90, 100, "-10%"}, {1000, 100, "×10"},
		{1001, 1000, "+<1%"}, {999, 1000, "-<1%"}, {1, 1000, "->99%"}, {1_234_000, 1000, "×1,234"},
	} {
		if got := Change(c.now, &c.before); got != c.want {
			t.Errorf("%d after %d: %q, want %q", c.now, c.before, got, c.want)
		}
	}
}

func TestColumns(t *testing.T) {
	for s, want := range map[string]int{"": 0, "abc": 3, "例え": 4, "テスト": 6, "ｱｲｳ": 3, "e\u0301": 1, "한국": 4, "bücher": 6, "…": 1} {
		if got := columns(s); got != want {
			t.Errorf("columns(%q) = %d, want %d", s, got, want)
		}
		for n := range 5 {
			if got := columns(fit(s, n)); got > n {
				t.Errorf("fit(%q, %d) has %d columns", s, n, got)
			}
		}
	}
	if got := fit("例えテスト", 6); got != "例え…" {
		t.Errorf("got %q", got)
	}
}
