package store

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

// tops calls count with each field and value that an event counts under.
func tops(e *relaylens.Event, count func(field, value string)) {
	if e.Direction == relaylens.Outbound {
		count("remote_host", e.RemoteHost)
		return
	}
	for _, v := range [][2]string{{"client_ip", e.ClientIP.String()}, {"network", relaylens.NetworkOf(e.ClientIP).String()}, {"user", e.User},
		{"sender_domain", e.SenderDomain()}, {"recipient_domain", e.RecipientDomain()}} {
		if v[1] != "" {
			count(v[0], v[1])
		}
	}
}

// some are n events at random times of a stretch, of values of which few are
// frequent; there are more of them than hours and days keep.
func some(r *rand.Rand, from *int, n int, begin time.Time, length time.Duration) []relaylens.Event {
	events := make([]relaylens.Event, 0, n)
	for range n {
		e := event(*from)
		*from++
		e.Time = begin.Add(time.Duration(r.Int64N(int64(length))))
		v := r.IntN(200)
		if r.IntN(2) == 0 {
			v = r.IntN(1 + v/10)
		}
		e.User, e.Kind = fmt.Sprintf("u%d", v), relaylens.RefusalKinds()[v%2]
		e.Sender = fmt.Sprintf("a@s%d.example", v%50)
		e.ClientIP = netip.AddrFrom4([4]byte{203, 0, byte(v % 7), byte(v)})
		if v%9 == 0 {
			e.Direction, e.RemoteHost = relaylens.Outbound, fmt.Sprintf("mx%d.example.net", v%3)
		}
		events = append(events, e)
	}
	return events
}

// counted is what one field and kind sum up to.
type counted struct {
	Events      int64
	First, Last time.Time
}

func (c *counted) add(n int64, first, last time.Time) {
	if c.Events == 0 || first.Before(c.First) {
		c.First = first
	}
	if last.After(c.Last) {
		c.Last = last
	}
	c.Events += n
}

// named is what is told of the values of a field, and how many more events a value
// may have had.
type named struct {
	sums   map[string]*counted // by field and kind
	values map[string]int64    // by field and value
	bounds map[string]int64    // by field
}

func newNamed() *named { return &named{map[string]*counted{}, map[string]int64{}, map[string]int64{}} }

func (n *named) add(v *Value) {
	key := fmt.Sprintf("%s %s", v.Field, v.Kind)
	if n.sums[key] == nil {
		n.sums[key] = &counted{}
	}
	n.sums[key].add(v.Events, v.First, v.Last)
	if v.Value == "" {
		n.bounds[v.Field] += v.Bound
		return
	}
	n.values[v.Field+" "+v.Value] += v.Events
}

// checkValues holds what the roll-ups tell of a span of whole hours against its
// events.
func checkValues(t *testing.T, s *Store, span Span) {
	t.Helper()
	truth, got, asked := newNamed(), newNamed(), newNamed()
	var events int64
	for e, err := range s.Brief(t.Context(), span, relaylens.Match{}) {
		if err != nil {
			t.Fatal(err)
		}
		events++
		tops(&e, func(field, value string) {
			truth.add(&Value{Field: field, Value: value, Kind: e.Kind, Events: 1, First: e.Time, Last: e.Time})
		})
	}
	for v, err := range s.Totals(t.Context(), span) {
		if err != nil {
			t.Fatal(err)
		}
		events -= v.Events
	}
	if events != 0 {
		t.Errorf("%v: totals tell %d events too few", span, events)
	}
	for v, err := range s.Values(t.Context(), span) {
		if err != nil {
			t.Fatal(err)
		}
		if v.First.Before(span.Since) || !v.Last.Before(span.Until) || v.Value != "" && v.Bound != 0 {
			t.Fatalf("%v: %+v", span, v)
		}
		got.add(&v)
	}
	if diff := gocmp.Diff(truth.sums, got.sums); diff != "" {
		t.Errorf("%v: sums (-events +roll-ups): %s", span, diff)
	}
	for v, err := range s.ValuesOf(t.Context(), span, "user", []string{"u0", "u7", "u99", "nobody"}) {
		if err != nil {
			t.Fatal(err)
		}
		asked.add(&v)
	}
	for key, n := range truth.values {
		var field, value string
		if _, err := fmt.Sscan(key, &field, &value); err != nil {
			t.Fatal(err)
		}
		if most := got.values[key] + got.bounds[field]; got.values[key] > n || most < n {
			t.Errorf("%v: %s had %d events, told as %d to %d", span, key, n, got.values[key], most)
		}
		if told := asked.values[key]; told > 0 && (told != got.values[key] || told+asked.bounds[field] < n) {
			t.Errorf("%v: asked for %s, told %d, bound %d", span, key, told, asked.bounds[field])
		}
	}
}

// checkLoud holds the values that had most against all there are.
func checkLoud(t *testing.T, s *Store, span Span) {
	t.Helper()
	const least = 7
	list := func(values iter.Seq2[Value, error]) (list []Value) {
		for v, err := range values {
			if err != nil {
				t.Fatal(err)
			}
			if v.Value != "" && v.Events >= least {
				list = append(list, v)
			}
		}
		return list
	}
	byTime := func(a, b Value) int {
		return cmp.Or(a.First.Compare(b.First), strings.Compare(a.Field, b.Field), strings.Compare(a.Value, b.Value))
	}
	want, got := list(s.Values(t.Context(), span)), list(s.Loud(t.Context(), span, least))
	slices.SortFunc(want, byTime)
	slices.SortFunc(got, byTime)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("%v: loud (-all +told): %s", span, diff)
	}
}

// randomSpan is of whole hours, mostly long.
func randomSpan(r *rand.Rand, begin time.Time, hours int) Span {
	a, b := r.IntN(hours), r.IntN(hours)
	return Span{begin.Add(time.Duration(min(a, b)) * time.Hour), begin.Add(time.Duration(max(a, b)+1) * time.Hour)}
}

// TestDaysAgreeWithEvents adds days up, has events come late, in days that were
// added up and in parts of them, deletes old ones, and holds what is told of random
// spans against the events.
func TestDaysAgreeWithEvents(t *testing.T) {
	const days = 3
	r := rand.New(rand.NewPCG(1, 2))
	s := open(t, t.TempDir())
	s.tops = limits{hour: 20, day: 50}
	begin := time.Date(2026, 11, 18, 0, 0, 0, 0, time.UTC)
	now, n := begin.Add(days*24*time.Hour+5*time.Hour), 0
	check := func(begin time.Time) {
		t.Helper()
		hours := int(now.Sub(begin) / time.Hour)
		for range 4 {
			checkValues(t, s, randomSpan(r, begin, hours))
		}
		checkValues(t, s, Span{begin, now.Truncate(time.Hour)})
		checkLoud(t, s, Span{begin, now.Truncate(time.Hour)})
	}
	retain := func(keep time.Duration) {
		t.Helper()
		if _, err := s.Retain(t.Context(), Retention{Keep: keep}, now); err != nil {
			t.Fatal(err)
		}
	}
	commit(t, s, &Batch{Events: some(r, &n, 1000, begin, now.Sub(begin))})
	commit(t, s, &Batch{Events: some(r, &n, 200, begin.Add(20*time.Hour), 2*time.Hour)}) // more than an hour keeps
	check(begin)
	// As if it had been stopped after two fields of a day.
	for _, field := range topFields[2:4] {
		if err := s.transact(t.Context(), "", func(w *writer) error { return s.tops.addUpField(w, begin.Unix(), field) }); err != nil {
			t.Fatal(err)
		}
	}
	commit(t, s, &Batch{Events: some(r, &n, 100, begin, 24*time.Hour)})
	check(begin)
	for range 2 {
		retain(0)
		check(begin)
		commit(t, s, &Batch{Events: some(r, &n, 200, begin, now.Sub(begin))})
		check(begin)
	}
	retain(0)
	if parts := stretchesOf(t, s, Span{begin, now}); len(parts) != 2 || !parts[0].daily || parts[0].until-parts[0].since != days*daySeconds {
		t.Errorf("stretches %+v", parts)
	}
	cutoff := now.Add(-58 * time.Hour)
	retain(now.Sub(cutoff))
	check(cutoff)
	retain(now.Sub(cutoff))
	if parts := stretchesOf(t, s, Span{begin, now}); len(parts) != 3 || !parts[1].daily || parts[1].until-parts[1].since != 2*daySeconds {
		t.Errorf("stretches %+v", parts)
	}
	check(cutoff)
}

func stretchesOf(t *testing.T, s *Store, span Span) []stretch {
	t.Helper()
	parts, err := s.stretches(t.Context(), span)
	if err != nil {
		t.Fatal(err)
	}
	return parts
}

// A day that is done is not looked at again until events come late, and keeps no
// more values than it may.
func TestDayKeepsItsLargest(t *testing.T) {
	s := open(t, t.TempDir())
	s.tops = limits{hour: 20, day: 50}
	begin, n := time.Date(2026, 11, 18, 0, 0, 0, 0, time.UTC), 0
	now := begin.Add(30 * time.Hour)
	users := func() (kept, late int) {
		t.Helper()
		n := asked(t, s, "SELECT (SELECT count(*) FROM daily_top WHERE field = 'user' AND value <> ''), (SELECT coalesce(sum(late), 0) FROM daily)")
		return int(n[0]), int(n[1])
	}
	r := rand.New(rand.NewPCG(3, 4))
	// What is added up is looked at once more: events may have come meanwhile.
	for _, want := range [][]int{{len(topFields), 0, 0}, {0, 0}} {
		commit(t, s, &Batch{Events: some(r, &n, 400, begin, 24*time.Hour)})
		for i := range want {
			if _, err := s.Retain(t.Context(), Retention{}, now); err != nil {
				t.Fatal(err)
			}
			if kept, late := users(); kept != s.tops.day || late != want[i] {
				t.Errorf("retained %d times: %d users, %d late", i+1, kept, late)
			}
		}
	}
	done, err := s.daysDone(t.Context())
	if diff := gocmp.Diff(map[int64]bool{begin.Unix(): true}, done); diff != "" || err != nil {
		t.Error(diff, err)
	}
	commit(t, s, &Batch{Events: some(r, &n, 1, begin, 24*time.Hour)})
	if _, late := users(); late == 0 {
		t.Error("a late event was not noted")
	}
}

// Before the daemon has brought the schema up to date, commands read what there is.
func TestValuesOfAnOlderSchema(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	commit(t, s, &Batch{Events: hours()})
	downgrade(t, s, dailyVersion-1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	old, err := OpenReadOnly(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	span := Span{at.Truncate(time.Hour), at.Truncate(time.Hour).Add(5 * time.Hour)}
	checkValues(t, old, span)
	checkValues(t, open(t, dir), span)
}
