package store

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

// killed opens what a daemon that is killed now leaves.
func killed(t *testing.T, s *Store) *Store {
	t.Helper()
	dir := t.TempDir()
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(s.path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, FileName+suffix), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return open(t, dir)
}

// checkReader holds what others read of s against its events: what hours had, and
// what is found by them.
func checkReader(t *testing.T, r *rand.Rand, s *Store, begin time.Time, hours int) {
	t.Helper()
	reader, err := OpenReadOnly(t.Context(), filepath.Dir(s.path))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	reader.tops = s.tops
	checkValues(t, reader, Span{begin, begin.Add(time.Duration(hours) * time.Hour)})
	checkValues(t, reader, randomSpan(r, begin, hours))
	user := fmt.Sprintf("u%d", r.IntN(200))
	want := 0
	for _, e := range list(t, reader, Span{}) {
		if e.User == user {
			want++
		}
	}
	if got := len(slices.Collect(func(yield func(relaylens.ID) bool) {
		for e, err := range reader.Select(t.Context(), Query{Match: match(t, "user="+user)}) {
			if err != nil || !yield(e.ID) {
				t.Fatal(err)
			}
		}
	})); got != want {
		t.Errorf("found %d events of %s, want %d", got, user, want)
	}
}

// A log that is caught up with, in order or not, with events that come again or late,
// commits that fail, kills, upkeep and moments of the present: whoever reads is told
// of every event at every moment, and no hour waits in the end.
func TestHoursThatWaitAgreeWithEvents(t *testing.T) {
	for _, ordered := range []bool{true, false} {
		t.Run(fmt.Sprintf("ordered %v", ordered), func(t *testing.T) {
			t.Parallel()
			const hours = 10
			r := rand.New(rand.NewPCG(7, 7))
			s := open(t, t.TempDir())
			s.tops = limits{hour: 20, day: 50}
			begin := time.Date(2026, 11, 18, 0, 0, 0, 0, time.UTC)
			n, waited := 0, false
			var events []relaylens.Event
			for hour := 0; hour < hours; hour++ {
				at := begin.Add(time.Duration(hour) * time.Hour)
				for part := range 3 {
					events = some(r, &n, 40, at.Add(time.Duration(part)*20*time.Minute), 20*time.Minute)
					if hour > 3 && !ordered {
						events = append(events, some(r, &n, 10, begin, 3*time.Hour)...)
					}
					for i := range events { // of hours without outbound events a search reads those alone that have its value
						if ordered {
							events[i].Direction, events[i].RemoteHost = relaylens.Inbound, ""
						}
					}
					b := &Batch{Events: events, Behind: true, Ordered: ordered}
					switch r.IntN(12) {
					case 0:
						failing(t, s, b)
					case 1:
						b.Behind = false
					case 2:
						commit(t, s, b)
						tops := s.tops
						s = killed(t, s)
						s.tops = tops
						checkLoud(t, s, Span{begin, begin.Add(hours * time.Hour)})
					case 3:
						if _, err := s.Retain(t.Context(), Retention{}, at); err != nil {
							t.Fatal(err)
						}
					}
					commit(t, s, b)
					waited = waited || asked(t, s, "SELECT count(*) FROM hours_waiting")[0] > 0
					if want := asked(t, s, "SELECT count(*) FROM events WHERE seq > (SELECT min(since) FROM hours_waiting)")[0]; int64(s.waiting.behindOldest()) != want {
						t.Errorf("%d events are said to be behind the oldest hour that waits, want %d", s.waiting.behindOldest(), want)
					}
				}
				if hour%2 == 1 {
					checkReader(t, r, s, begin, hours)
				}
			}
			commit(t, s, &Batch{})
			if n := asked(t, s, "SELECT count(*) FROM hours_waiting")[0]; n > 0 || !waited {
				t.Errorf("%d hours wait; did any before: %v", n, waited)
			}
			if listed := asked(t, s, "SELECT count(*) FROM hourly_lists")[0] > 0; listed != ordered {
				t.Errorf("hours are written as lists: %v", listed)
			}
			checkReader(t, r, s, begin, hours)
		})
	}
}

// What is told of hours is the same whether each value of theirs is a row or all are one
// list, and so are the days that they are added up to. Of some hours events come late.
func TestListsTellWhatRowsDo(t *testing.T) {
	type told struct {
		Loud     []Value
		Of       map[string]int64
		Frequent map[string][]string
		Found    int
		Days     []string
	}
	const hours = 30
	begin := time.Date(2026, 11, 18, 0, 0, 0, 0, time.UTC)
	var got [2]told
	for i, behind := range []bool{false, true} {
		r := rand.New(rand.NewPCG(3, 4))
		s := open(t, t.TempDir())
		n := 0
		for hour := range hours {
			b := &Batch{Events: some(r, &n, 60, begin.Add(time.Duration(hour)*time.Hour), time.Hour), Behind: behind, Ordered: true}
			for i := range b.Events {
				b.Events[i].Direction, b.Events[i].RemoteHost = relaylens.Inbound, ""
			}
			commit(t, s, b)
			commit(t, s, &Batch{Behind: behind, Ordered: true}) // time for an hour to be over
		}
		commit(t, s, &Batch{}) // nothing waits
		g, span := &got[i], Span{begin, begin.Add(hours * time.Hour)}
		for v, err := range s.Loud(t.Context(), span, 3) {
			if err != nil {
				t.Fatal(err)
			}
			g.Loud = append(g.Loud, v)
		}
		commit(t, s, &Batch{Events: some(r, &n, 10, begin, 3*time.Hour)})
		if lists := asked(t, s, "SELECT count(*) FROM hourly_lists")[0]; lists > 0 != behind {
			t.Fatalf("%d lists", lists)
		}
		tell := func() {
			g.Of = map[string]int64{}
			for v, err := range s.ValuesOf(t.Context(), span, "user", []string{"u0", "u7", "nobody"}) {
				if err != nil {
					t.Fatal(err)
				}
				g.Of[v.Field+" "+v.Value] += v.Events
			}
			for e, err := range s.Select(t.Context(), Query{Match: match(t, "user=u77", "user=u0")}) {
				if err != nil || e.User == "" {
					t.Fatal(err)
				}
				g.Found++
			}
		}
		tell()
		checkValues(t, s, span)
		g.Frequent = map[string][]string{}
		for _, field := range []string{"client_ip", "client_net", "user", "sender_domain"} {
			values, err := s.Frequent(t.Context(), field, "", 5)
			if err != nil {
				t.Fatal(err)
			}
			g.Frequent[field] = values
		}
		if _, err := s.Retain(t.Context(), Retention{}, begin.Add(hours*time.Hour)); err != nil {
			t.Fatal(err)
		}
		tell()
		var err error
		if g.Days, err = s.strings(t.Context(), "SELECT concat_ws(' ', day, field, value, kind, events, first, last, bound) FROM daily_top ORDER BY 1", nil); err != nil {
			t.Fatal(err)
		}
	}
	byAll := func(a, b Value) int {
		return cmp.Or(a.First.Truncate(time.Hour).Compare(b.First.Truncate(time.Hour)), strings.Compare(fmt.Sprint(a), fmt.Sprint(b)))
	}
	for i := range got {
		slices.SortFunc(got[i].Loud, byAll)
	}
	if diff := gocmp.Diff(got[0], got[1]); diff != "" || len(got[0].Days) == 0 || len(got[0].Loud) == 0 || got[0].Found == 0 {
		t.Errorf("(-rows +lists): %s", diff)
	}
}

// What is too old goes, lists as well.
func TestListsAreRetained(t *testing.T) {
	s := open(t, t.TempDir())
	hour := at.Truncate(time.Hour)
	for i := range 4 {
		e := event(i)
		e.Time = hour.Add(time.Duration(i) * time.Hour)
		commit(t, s, &Batch{Events: []relaylens.Event{e}, Behind: true, Ordered: true})
	}
	before := asked(t, s, "SELECT count(*), count(DISTINCT hour) FROM hourly_lists")
	if _, err := s.Retain(t.Context(), Retention{Keep: 2 * time.Hour}, hour.Add(3*time.Hour)); err != nil {
		t.Fatal(err)
	}
	after := asked(t, s, "SELECT count(*), min(hour) FROM hourly_lists")
	if before[1] < 2 || after[0] == 0 || after[0] >= before[0] || after[1] != hour.Add(time.Hour).Unix() {
		t.Errorf("lists of %d hours; then %d of %d, from %s on", before[1], after[0], before[0], time.Unix(after[1], 0).UTC())
	}
}

// failing has a commit fail when all but its end is done.
func failing(t *testing.T, s *Store, b *Batch) {
	t.Helper()
	for _, query := range []string{"CREATE TEMP TRIGGER fail BEFORE INSERT ON main.positions BEGIN SELECT RAISE(ABORT, 'no'); END", ""} {
		if query == "" {
			failed := *b
			failed.Positions = []relaylens.Position{{Source: "/var/log/mail.log"}}
			if _, err := s.Commit(t.Context(), &failed); err == nil {
				t.Fatal("it did not fail")
			}
			query = "DROP TRIGGER fail"
		}
		if _, err := s.write.exec(query); err != nil {
			t.Fatal(err)
		}
	}
}

// An hour that was caught up with keeps as much as it would, had it been written event
// by event and trimmed; of values that had as many events it may keep others.
func TestAnHourThatWaitedIsTrimmed(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	hour := at.Truncate(time.Hour)
	n := 0
	events := some(r, &n, 400, hour, time.Hour)
	after := some(r, &n, 1, hour.Add(80*time.Minute), time.Minute)
	type field struct {
		Named []int64 // events of each value
		Rest  int64
	}
	told := [2]map[string]field{{}, {}}
	for i, behind := range []bool{false, true} {
		s := open(t, t.TempDir())
		s.tops = limits{hour: 20, day: 50}
		for part := range slices.Chunk(events, 30) {
			commit(t, s, &Batch{Events: part, Behind: behind, Ordered: true})
		}
		commit(t, s, &Batch{Events: after, Behind: behind, Ordered: true})
		if behind {
			rows := asked(t, s, fmt.Sprintf(`SELECT (SELECT count(*) FROM hourly_lists WHERE hour = %d), (SELECT count(*) FROM hourly_top WHERE hour = %[1]d), count(*) FROM hours_waiting`, hour.Unix()))
			if rows[0] != int64(len(topFields)) || rows[1] != 0 || rows[2] != 1 {
				t.Errorf("%d lists and %d rows of the hour, %d hours wait", rows[0], rows[1], rows[2])
			}
		} else if _, err := s.Retain(t.Context(), Retention{}, hour.Add(4*time.Hour)); err != nil {
			t.Fatal(err)
		}
		for v, err := range s.Values(t.Context(), Span{hour, hour.Add(time.Hour)}) {
			if err != nil {
				t.Fatal(err)
			}
			f := told[i][v.Field]
			if v.Value == "" {
				f.Rest += v.Events
			} else {
				f.Named = append(f.Named, v.Events)
			}
			told[i][v.Field] = f
		}
		for _, f := range told[i] {
			slices.Sort(f.Named)
		}
		checkValues(t, s, Span{hour, hour.Add(time.Hour)})
	}
	if diff := gocmp.Diff(told[0], told[1]); diff != "" || len(told[0]) == 0 {
		t.Errorf("(-trimmed +waited): %s", diff)
	}
}

// What waits is bounded, whatever comes.
func TestFewWait(t *testing.T) {
	s := open(t, t.TempDir())
	hour := at.Truncate(time.Hour)
	const commits = 8
	for i := range commits {
		var events []relaylens.Event
		for j := range 1000 { // five values each
			n := i*1000 + j
			e := event(n)
			e.Time, e.User, e.ClientIP = hour.Add(time.Duration(n)*time.Millisecond), fmt.Sprintf("u%d", n), netip.AddrFrom4([4]byte{10, byte(n >> 8), byte(n), 1})
			e.Sender, e.Recipient = fmt.Sprintf("a@s%d.example", n), fmt.Sprintf("b@r%d.example", n)
			events = append(events, e)
		}
		commit(t, s, &Batch{Events: events, Behind: true, Ordered: true})
		if s.waiting.values > maxWaiting {
			t.Fatalf("%d values wait", s.waiting.values)
		}
	}
	if written := asked(t, s, "SELECT count(*) FROM hourly_top WHERE field = 'user'")[0]; written == 0 || written >= commits*1000 {
		t.Errorf("%d values are written", written)
	}
	var spread []relaylens.Event
	for i := range 100 {
		e := event(30_000 + i)
		e.Time = hour.Add(time.Duration(i) * time.Hour)
		spread = append(spread, e)
	}
	commit(t, s, &Batch{Events: spread, Behind: true, Ordered: true})
	if n := len(s.waiting.hours); n > maxWaitingHours {
		t.Errorf("%d hours wait", n)
	}
}
