package summary

import (
	"encoding/csv"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

func groups(t *testing.T, by string, events []relaylens.Event) *Groups {
	t.Helper()
	g, err := NewGroups(strings.Split(by, ","), Span{noon, noon.Add(24 * time.Hour)}, zoneNamed(t, "Europe/Berlin"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range events {
		g.Add(&events[i])
	}
	return g
}

func TestGroups(t *testing.T) {
	for _, c := range []struct {
		by   string
		top  int
		want []string
	}{
		{"kind", -1, []string{"[auth_failed] 288", "[relay_denied] 89", "[rejected] 75", "[sender_verify] 1"}},
		{"kind,direction", 2, []string{"[auth_failed inbound] 288", "[relay_denied inbound] 89"}},
		{"user", 1, []string{"[] 165"}},
		{"fault", -1, []string{"[attacker] 288", "[server] 92", "[] 72", "[client] 1"}},
		{"date", -1, []string{"[2026-11-20] 180", "[2026-11-21] 273"}},
		{"hour", 1, []string{"[2026-11-20 23:00 +0100] 21"}},
		{"client_net", 2, []string{"[203.0.113.0/24] 288", "[2001:db8:85a3:8d3::/64] 72"}},
		{"recipient_domain,code", 2, []string{"[ 554] 291", "[lost.example.com 554] 89"}},
	} {
		t.Run(fmt.Sprint(c.by, " ", c.top), func(t *testing.T) {
			var got []string
			table := groups(t, c.by, aDay()).Table(c.top)
			sum := table.Others
			for _, g := range table.Groups {
				got = append(got, fmt.Sprint(g.Values, " ", g.Events))
				sum += g.Events
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if sum != table.Refusals || sum != 453 {
				t.Errorf("%d and others make %d", table.Refusals, sum)
			}
		})
	}
}

func TestGroupErrors(t *testing.T) {
	for by, want := range map[string]string{
		"clientip":  `unknown field "clientip"; did you mean client_ip?`,
		"kind,kind": "the field kind stands there twice",
		"":          `unknown field "";`,
	} {
		_, err := NewGroups(strings.Split(by, ","), Span{}, time.UTC)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", by, err)
		}
	}
}

func TestGroupText(t *testing.T) {
	golden(t, "by.txt", groups(t, "kind,recipient_domain", aDay()).Table(3).AppendText(nil, TextOptions{Width: 100}))
	if got := string(groups(t, "kind", nil).Table(3).AppendText(nil, TextOptions{Width: 80})); got != "No refusals.\n" {
		t.Errorf("%q", got)
	}
}

func TestGroupCSV(t *testing.T) {
	var events []relaylens.Event
	cells := []struct{ user, cell string }{
		{"=1+1", "'=1+1"}, {"+1", "'+1"}, {"-1", "'-1"}, {"@SUM(1)", "'@SUM(1)"}, {"＝1", "'＝1"}, {"\t=1", `\x09=1`}, {"'quoted", "''quoted"},
		{"a,b", `"a,b"`}, {"a;=1", `"a;=1"`}, {"a|=1", `"a|=1"`}, {`q"q`, `"q""q"`}, {"plain", "plain"}, {"two\nlines", `two\x0alines`},
	}
	want := "user,kind,events,error,first,last\n"
	for i, c := range cells {
		n := len(cells) - i
		for range n {
			e := refusal(i, relaylens.KindAuthFailed, relaylens.CauseCredentialGuessing, "192.0.2.1")
			e.User = c.user
			events = append(events, e)
		}
		at := fmt.Sprintf("2026-11-20T13:%02d:00+01:00", i)
		want += fmt.Sprintf("%s,auth_failed,%d,0,%s,%s\n", c.cell, n, at, at)
	}
	got := string(groups(t, "user,kind", events).Table(-1).AppendCSV(nil))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if rows, err := csv.NewReader(strings.NewReader(got)).ReadAll(); err != nil || len(rows) != 1+len(cells) {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

func TestGroupsAreBounded(t *testing.T) {
	g, err := NewGroups([]string{"client_ip"}, Span{}, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	e := refusal(0, relaylens.KindRelayDenied, relaylens.CauseUnknown, "192.0.2.1")
	for i := range 2*maxGroups + 10 {
		e.ClientIP = netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		g.Add(&e)
	}
	table := g.Table(-1)
	if len(table.Groups) != maxGroups || !table.AtLeast || table.Bound != 2 {
		t.Errorf("%d groups, bound %d", len(table.Groups), table.Bound)
	}
	if text := string(g.Table(1).AppendText(nil, TextOptions{Width: 80})); !strings.Contains(text, "1+") || !strings.Contains(text, "+ and up to 2 more") {
		t.Error(text)
	}
}
