package store

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

func TestSpanHours(t *testing.T) {
	clock := func(text string) time.Time {
		if text == "" {
			return time.Time{}
		}
		at, err := time.Parse("15:04:05", text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, c := range []struct{ since, until, want string }{
		{"", "", "whole -"},
		{"09:00:00", "12:00:00", "whole 09:00:00-12:00:00"},
		{"09:00:01", "12:00:00", "head 09:00:01-10:00:00 whole 10:00:00-12:00:00"},
		{"09:00:00", "12:30:00", "whole 09:00:00-12:00:00 tail 12:00:00-12:30:00"},
		{"09:10:00", "12:30:00", "head 09:10:00-10:00:00 whole 10:00:00-12:00:00 tail 12:00:00-12:30:00"},
		{"09:10:00", "10:30:00", "head 09:10:00-10:30:00"},
		{"09:10:00", "09:30:00", "head 09:10:00-09:30:00"},
		{"09:10:00", "", "head 09:10:00-10:00:00 whole 10:00:00-"},
		{"", "09:10:00", "whole -09:00:00 tail 09:00:00-09:10:00"},
	} {
		t.Run(c.since+"-"+c.until, func(t *testing.T) {
			head, whole, tail, ok := Span{clock(c.since), clock(c.until)}.Hours()
			got := ""
			for i, s := range []Span{head, whole, tail} {
				if !ok[i] {
					continue
				}
				part := func(t time.Time) string {
					if t.IsZero() {
						return ""
					}
					return t.Format("15:04:05")
				}
				got += fmt.Sprintf(" %s %s-%s", []string{"head", "whole", "tail"}[i], part(s.Since), part(s.Until))
			}
			if got != " "+c.want {
				t.Errorf("got%s, want %s", got, c.want)
			}
		})
	}
}

// hours are events of five hours, some of them outbound and of other kinds.
func hours() []relaylens.Event {
	var events []relaylens.Event
	for i := range 500 {
		e := event(i)
		e.Time = at.Truncate(time.Hour).Add(time.Duration(i) * 36 * time.Second)
		e.ClientIP = netip.AddrFrom4([4]byte{203, 0, byte(i % 3), byte(i % 20)})
		e.User = []string{"joe", "", "ann\tx\n1 2", "bob"}[i%4]
		e.Host = []string{"mx1", "", "mx 2 3 x"}[i%3]
		if i%5 == 0 {
			e.Kind, e.Reason = relaylens.KindRejected, relaylens.ReasonDNSBL
		}
		if i%50 == 0 {
			e.Direction, e.RemoteHost, e.Reason, e.Kind = relaylens.Outbound, "mx.example.net", relaylens.ReasonRemoteOther, relaylens.KindRejected
		}
		events = append(events, e)
	}
	return events
}

// TestTotalsAgreeWithEvents holds the roll-ups of whole hours against the events
// themselves.
func TestTotalsAgreeWithEvents(t *testing.T) {
	s := open(t, t.TempDir())
	commit(t, s, &Batch{Events: hours()})
	ctx := context.Background()
	span := Span{at.Truncate(time.Hour).Add(time.Hour), at.Truncate(time.Hour).Add(4 * time.Hour)}

	totals, values := map[string]int64{}, map[string]int64{}
	for v, err := range s.Totals(ctx, span) {
		if err != nil {
			t.Fatal(err)
		}
		totals[fmt.Sprint(v.Hour.Unix(), v.Host, v.MTA, v.Kind, v.Direction, v.Reason, v.Cause, v.Class)] += v.Events
	}
	for v, err := range s.Values(ctx, span) {
		if err != nil {
			t.Fatal(err)
		}
		values[fmt.Sprintf("%s %q %s", v.Field, v.Value, v.Kind)] += v.Events
	}
	wantTotals, wantValues := map[string]int64{}, map[string]int64{}
	n := 0
	for e, err := range s.Brief(ctx, span, relaylens.Match{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		wantTotals[fmt.Sprint(e.Time.Truncate(time.Hour).Unix(), e.Host, e.MTA, e.Kind, e.Direction, e.Reason, e.Cause, e.ReplyClass())]++
		count := func(field, value string) {
			if value != "" {
				wantValues[fmt.Sprintf("%s %q %s", field, value, e.Kind)]++
			}
		}
		if e.Direction == relaylens.Outbound {
			count("remote_host", e.RemoteHost)
			continue
		}
		count("client_ip", e.ClientIP.String())
		count("network", relaylens.NetworkOf(e.ClientIP).String())
		count("user", e.User)
		count("sender_domain", e.SenderDomain())
		count("recipient_domain", e.RecipientDomain())
	}
	if n != 300 {
		t.Errorf("%d events in three hours", n)
	}
	if diff := cmp.Diff(wantTotals, totals); diff != "" {
		t.Errorf("totals: %s", diff)
	}
	if diff := cmp.Diff(wantValues, values); diff != "" {
		t.Errorf("values: %s", diff)
	}
}

func TestValuesOf(t *testing.T) {
	s := open(t, t.TempDir())
	commit(t, s, &Batch{Events: hours()})
	ctx := context.Background()
	want, got := map[string]int64{}, map[string]int64{}
	asked := []string{"joe", "ann\tx\n1 2", "nobody", `"; DROP TABLE events; --`}
	for v, err := range s.Values(ctx, Span{}) {
		if err != nil {
			t.Fatal(err)
		}
		if v.Field == "user" && v.Value != "bob" {
			want[fmt.Sprint(v.Value, v.Kind, v.First, v.Last)] += v.Events
		}
	}
	for v, err := range s.ValuesOf(ctx, Span{}, "user", asked) {
		if err != nil {
			t.Fatal(err)
		}
		got[fmt.Sprint(v.Value, v.Kind, v.First, v.Last)] += v.Events
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) == 0 {
		t.Error(diff)
	}
}

// TestBound trims an hour and holds what is told of the rest against what was
// there, before and after an event comes late.
func TestBound(t *testing.T) {
	s := open(t, t.TempDir())
	hour := at.Truncate(24 * time.Hour)
	var events []relaylens.Event
	n := 0
	add := func(user int) {
		e := event(n)
		e.Time, e.User = hour.Add(time.Duration(n)*time.Millisecond), fmt.Sprintf("u%d", user)
		events = append(events, e)
		n++
	}
	for user := range topValues + 100 {
		for range 2 + user/500 {
			add(user)
		}
	}
	commit(t, s, &Batch{Events: events})
	if _, err := s.Retain(context.Background(), Retention{}, hour.Add(4*time.Hour)); err != nil {
		t.Fatal(err)
	}
	check := func(when string) {
		t.Helper()
		kept, rest, bound := int64(0), int64(0), int64(0)
		for v, err := range s.Values(context.Background(), Span{}) {
			switch {
			case err != nil:
				t.Fatal(err)
			case v.Field != "user":
			case v.Value == "":
				rest, bound = v.Events, v.Bound
			default:
				kept += v.Events
			}
		}
		if kept+rest != int64(n) || rest != 200 || bound != 2 {
			t.Errorf("%s: kept %d, rest %d, bound %d of %d", when, kept, rest, bound, n)
		}
	}
	check("trimmed")
	events = nil
	add(5000)
	commit(t, s, &Batch{Events: events})
	check("a late event")
	for _, field := range topFields {
		if err := s.transact(t.Context(), "", func(w *writer) error { return s.tops.addUpField(w, hour.Unix(), field) }); err != nil {
			t.Fatal(err)
		}
	}
	check("added up")
}

func TestBriefTellsWhatItSays(t *testing.T) {
	s := open(t, t.TempDir())
	out := event(1)
	out.Direction, out.RemoteHost, out.RemoteIP = relaylens.Outbound, "mx.example", netip.MustParseAddr("2001:db8::1")
	null := event(2)
	null.Sender, null.NullSender = "", true
	commit(t, s, &Batch{Events: []relaylens.Event{event(0), out, null}})
	match, err := relaylens.ParseMatch([]string{"sender=", "+", "direction=outbound"})
	if err != nil {
		t.Fatal(err)
	}
	var got []relaylens.Event
	for e, err := range s.Brief(context.Background(), Span{}, match) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	want := []relaylens.Event{brieflyTold(out), brieflyTold(null)}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

// brieflyTold is e with the fields that Brief tells.
func brieflyTold(e relaylens.Event) relaylens.Event {
	b := relaylens.Event{Time: e.Time.UTC(), Host: e.Host, MTA: e.MTA, Kind: e.Kind, Direction: e.Direction, Reason: e.Reason, Cause: e.Cause, Class: e.ReplyClass(),
		ClientIP: e.ClientIP, ClientName: e.ClientName, User: e.User, Sender: e.Sender, NullSender: e.NullSender, Recipient: e.Recipient, RemoteHost: e.RemoteHost, RemoteIP: e.RemoteIP}
	if e.Direction == relaylens.Outbound {
		b.Code, b.Enhanced, b.Text = e.Code, e.Enhanced, e.Text
	}
	return b
}

func TestDamagedRowsAreNoValues(t *testing.T) {
	for _, text := range []string{"relay_denied", "relay_denied 1 2 3 ", "relay_denied 1 2 3 9 abc", "relay_denied 1 2 3 -1 abc", "nonsense 1 2 3 1 a", "relay_denied x 2 3 1 a"} {
		var v Value
		if rest, err := v.unpack(text, map[string]relaylens.Kind{}, false); err == nil {
			t.Errorf("%q: %+v, rest %q", text, v, rest)
		}
	}
	for _, text := range []string{"postfix", "postfix rejected inbound    1 3 ab", "postfix rejected inbound    1 -1 ab", "postfix rejected inbound    x 1 a", "nonsense rejected inbound    1 1 a"} {
		var total Total
		if rest, err := total.unpack(text, map[string]Total{}); err == nil {
			t.Errorf("%q: %+v, rest %q", text, total, rest)
		}
	}
}
