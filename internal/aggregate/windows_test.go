package aggregate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unsafe"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func refusal(at time.Time, client string) *relaylens.Event {
	return &relaylens.Event{Time: at, Kind: relaylens.KindRelayDenied, Direction: relaylens.Inbound, Cause: relaylens.CauseOpenRelayProbe,
		ClientIP: netip.MustParseAddr(client), User: "u", Sender: "a@Sender.example", Recipient: "b@rcpt.example"}
}

// find is the list of relay denials by a field in a window.
func find(s *Snapshot, by By, window time.Duration) List {
	for _, l := range s.Lists {
		if l.Kind == relaylens.KindRelayDenied && l.By == by && l.Window == window {
			return l
		}
	}
	return List{}
}

func TestWindows(t *testing.T) {
	w := New(Limits{TopK: 2})
	for i, client := range []string{"192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.9", "2001:db8::1", "2001:db8::1", "203.0.113.5"} {
		w.Add(refusal(noon.Add(time.Duration(i)*time.Second), client))
	}
	outbound := refusal(noon, "192.0.2.77")
	outbound.Direction = relaylens.Outbound
	w.Add(outbound)
	w.Add(&relaylens.Event{Time: noon, Kind: relaylens.KindAccepted, ClientIP: netip.MustParseAddr("192.0.2.8")})
	s := w.Snapshot()
	for by, want := range map[By]List{
		ByClient:          {Total: 7, Other: 2, Distinct: 4, Top: []Ranked{{"192.0.2.1", 3}, {"2001:db8::1", 2}}},
		ByNetwork:         {Total: 7, Other: 1, Distinct: 3, Top: []Ranked{{"192.0.2.0/24", 4}, {"2001:db8::/64", 2}}},
		ByUser:            {Total: 7, Distinct: 1, Top: []Ranked{{"u", 7}}},
		BySenderDomain:    {Total: 7, Distinct: 1, Top: []Ranked{{"sender.example", 7}}},
		ByRecipientDomain: {Total: 7, Distinct: 1, Top: []Ranked{{"rcpt.example", 7}}},
	} {
		for _, scale := range scales {
			window := scale.window
			want.Kind, want.By, want.Window = relaylens.KindRelayDenied, by, window
			got := find(s, by, window)
			if off := int(got.Distinct) - int(want.Distinct); off < -1 || off > 1 { // two may share a register
				t.Errorf("%s in %s: %d distinct, want %d", by, window, got.Distinct, want.Distinct)
			}
			got.Distinct = want.Distinct
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Errorf("%s in %s: %s", by, window, diff)
			}
		}
	}
}

func TestWindowsMove(t *testing.T) {
	for _, c := range []struct {
		after time.Duration
		want  [4]int64 // in 1m, 5m, 1h, 24h
	}{
		{0, [4]int64{1, 1, 1, 1}}, {49 * time.Second, [4]int64{1, 1, 1, 1}}, {time.Minute, [4]int64{0, 1, 1, 1}},
		{269 * time.Second, [4]int64{0, 1, 1, 1}}, {5 * time.Minute, [4]int64{0, 0, 1, 1}}, {54 * time.Minute, [4]int64{0, 0, 1, 1}},
		{time.Hour, [4]int64{0, 0, 0, 1}}, {21 * time.Hour, [4]int64{0, 0, 0, 1}}, {24 * time.Hour, [4]int64{}},
	} {
		t.Run(c.after.String(), func(t *testing.T) {
			w := New(Limits{})
			w.Add(refusal(noon, "192.0.2.1"))
			w.Advance(noon.Add(c.after))
			w.Advance(noon) // back goes nothing
			for i, scale := range scales {
				if got := find(w.Snapshot(), ByClient, scale.window); got.Total != c.want[i] || len(got.Top) != int(c.want[i]) || got.Distinct != uint64(c.want[i]) {
					t.Errorf("%s has %d refusals, want %d: %v", scale.window, got.Total, c.want[i], got)
				}
			}
		})
	}
}

// TestWindowsFarBehind is about what no window will hold by the time that the
// present is reached.
func TestWindowsFarBehind(t *testing.T) {
	const day = 24 * time.Hour
	for behind, want := range map[time.Duration][len(scales)]int64{
		0:                {1, 1, 1, 1},
		59 * time.Second: {1, 1, 1, 1},
		time.Minute:      {0, 1, 1, 1},
		30 * time.Minute: {0, 0, 1, 1},
		day - 1:          {0, 0, 0, 1},
		day:              {0, 0, 0, 0},
		300 * day:        {0, 0, 0, 0},
	} {
		t.Run(behind.String(), func(t *testing.T) {
			w := New(Limits{})
			w.Behind(behind)
			w.Add(refusal(noon, "192.0.2.1"))
			s := w.Snapshot()
			for i, scale := range scales {
				if l := find(s, ByClient, scale.window); l.Total != want[i] {
					t.Errorf("%d in %s, want %d", l.Total, scale.window, want[i])
				}
			}
			w.Behind(0)
			w.Add(refusal(noon, "192.0.2.1"))
			if l := find(w.Snapshot(), ByClient, time.Minute); l.Total != want[0]+1 {
				t.Errorf("%d in a minute once the present is reached, want %d", l.Total, want[0]+1)
			}
		})
	}
}

func TestWindowsLateAndFuture(t *testing.T) {
	w := New(Limits{})
	w.Add(refusal(noon, "192.0.2.1"))
	w.Add(refusal(noon.Add(-30*time.Minute), "192.0.2.2"))
	w.Add(refusal(noon.Add(-25*time.Hour), "192.0.2.3"))
	w.Add(refusal(noon.Add(365*24*time.Hour), "192.0.2.4"))
	w.Add(refusal(noon.Add(time.Second), "192.0.2.5"))
	s := w.Snapshot()
	for window, want := range map[time.Duration]int64{5 * time.Minute: 3, time.Hour: 4, 24 * time.Hour: 4} {
		if got := find(s, ByClient, window); got.Total != want {
			t.Errorf("%s has %d refusals, want %d", window, got.Total, want)
		}
	}
	if !s.Time.Equal(noon.Add(time.Second)) {
		t.Errorf("now %v", s.Time)
	}
	w.Limit(noon)
	for range 5 { // not believed however often it is said
		w.Add(refusal(noon.Add(time.Hour), "192.0.2.4"))
	}
	if got := w.Snapshot().Time; !got.Equal(noon.Add(time.Second)) {
		t.Errorf("now %v", got)
	}
}

// TestWindowsOverALull begins again after a day without mail.
func TestWindowsOverALull(t *testing.T) {
	w := New(Limits{})
	for i := range 5 {
		w.Add(refusal(noon.Add(time.Duration(i)*26*time.Hour), "192.0.2.1"))
	}
	if got := w.Snapshot(); got.Time.Before(noon.Add(70 * time.Hour)) {
		t.Errorf("five refusals in as many days left the clock at %v", got.Time)
	}
}

// TestSketchAgainstTop holds the sketch against the plain Space-Saving.
func TestSketchAgainstTop(t *testing.T) {
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 7))
		capacity := 1 + r.IntN(60)
		s, top, exact := newSketch(capacity), NewTop[struct{}](capacity, nil), map[uint64]int64{}
		zipf := rand.NewZipf(r, 1.2, 1, 300)
		for range 4000 {
			v := zipf.Uint64()
			k := keyOf(fmt.Sprint("user", v))
			s.add(v%64<<40|v%7, &k) // hashes that collide
			top.Add(fmt.Sprint(v), 1)
			exact[v]++
		}
		if s.total != top.Total() || len(s.entries) != top.Len() || s.bound() != top.Bound() {
			t.Fatalf("seed %d: total %d, %d entries, bound %d; want %d, %d, %d", seed, s.total, len(s.entries), s.bound(), top.Total(), top.Len(), top.Bound())
		}
		for _, e := range s.entries {
			var v uint64
			if _, err := fmt.Sscanf(e.key.Text(ByUser), "user%d", &v); err != nil {
				t.Fatal(err)
			}
			if n := exact[v]; int64(e.count) < n || int64(e.count-e.err) > n {
				t.Fatalf("seed %d: %d counted %d, error %d; it had %d", seed, v, e.count, e.err, n)
			}
		}
	}
}

func keyOf(s string) (k Key) {
	k.name(s)
	return k
}

// TestSnapshotKeepsItsPromises holds a day of skewed clients against exact counts.
func TestSnapshotKeepsItsPromises(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	zipf := rand.NewZipf(r, 1.3, 1, 1<<20)
	w, exact := New(Limits{TopK: 10}), map[string]int64{}
	const events = 60_000
	for i := range events {
		var b [4]byte
		v := zipf.Uint64()
		b[0], b[1], b[2], b[3] = 10, byte(v>>16), byte(v>>8), byte(v)
		e := refusal(noon.Add(time.Duration(i)*(20*time.Hour/events)), netip.AddrFrom4(b).String())
		exact[e.ClientIP.String()]++
		w.Add(e)
	}
	l := find(w.Snapshot(), ByClient, 24*time.Hour)
	if l.Total != events || l.Error == 0 || l.Error > events/384 {
		t.Fatalf("total %d, error %d", l.Total, l.Error)
	}
	if off := math.Abs(float64(l.Distinct)/float64(len(exact)) - 1); off > 0.15 {
		t.Errorf("%d distinct of %d", l.Distinct, len(exact))
	}
	named := map[string]bool{}
	sum := l.Other
	for _, v := range l.Top {
		named[v.Key] = true
		sum += v.Count
		if n := exact[v.Key]; v.Count > n || v.Count+l.Error < n {
			t.Errorf("%s: %d, error %d; it had %d", v.Key, v.Count, l.Error, n)
		}
	}
	if sum != l.Total {
		t.Errorf("the counts add up to %d of %d", sum, l.Total)
	}
	least := l.Top[len(l.Top)-1].Count
	for key, n := range exact {
		if !named[key] && n > least+l.Error {
			t.Errorf("%s had %d and is missing; the least named has %d, error %d", key, n, least, l.Error)
		}
	}
}

func TestKeysAreCut(t *testing.T) {
	w := New(Limits{})
	e := refusal(noon, "192.0.2.1")
	e.User = strings.Repeat("x", 100)
	w.Add(e)
	e.User += "y"
	w.Add(e)
	want := []Ranked{{strings.Repeat("x", MaxKey), 2}}
	if diff := gocmp.Diff(want, find(w.Snapshot(), ByUser, time.Minute).Top); diff != "" {
		t.Error(diff)
	}
}

// flood fills every list with values that never come again.
func flood(w *Windows, r *rand.Rand, from time.Time, n int, every time.Duration) {
	var b [16]byte
	for i := range n {
		for j := range b {
			b[j] = byte(r.Uint32())
		}
		e := refusal(from.Add(time.Duration(i)*every), "192.0.2.1")
		e.Kind = relaylens.Kind(1 + i%4)
		e.ClientIP = netip.AddrFrom16(b)
		e.User = fmt.Sprintf("%x", b)
		e.Sender, e.Recipient = "a@"+e.User, "b@x"+e.User
		w.Add(e)
	}
}

func TestWindowsAreBounded(t *testing.T) {
	w, r := New(Limits{}), rand.New(rand.NewPCG(1, 9))
	flood(w, r, noon, 60_000, 1250*time.Millisecond)
	if got, most := w.size(), 24<<20; got > most {
		t.Errorf("%d bytes, want at most %d", got, most)
	}
	if l := find(w.Snapshot(), ByClient, 24*time.Hour); len(l.Top) != 20 || l.Other < l.Total/2 {
		t.Errorf("of %d the first 20 leave %d", l.Total, l.Other)
	}
}

func TestAddDoesNotAllocate(t *testing.T) {
	w := New(Limits{})
	e := refusal(noon, "192.0.2.1")
	e.Sender = "a@sender.example"
	w.Add(e)
	if n := testing.AllocsPerRun(1000, func() { w.Add(e) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkWindowsAdd(b *testing.B) {
	for _, clients := range []int{1000, 1_000_000} {
		b.Run(fmt.Sprint(clients), func(b *testing.B) {
			w, r := New(Limits{}), rand.New(rand.NewPCG(1, 1))
			e := refusal(noon, "192.0.2.1")
			e.Sender = "a@sender.example"
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				v := r.IntN(clients)
				e.ClientIP = netip.AddrFrom4([4]byte{10, byte(v >> 16), byte(v >> 8), byte(v)})
				e.Time = noon.Add(time.Duration(i) * time.Millisecond)
				w.Add(e)
			}
		})
	}
}

func BenchmarkSnapshot(b *testing.B) {
	w, r := New(Limits{}), rand.New(rand.NewPCG(1, 9))
	flood(w, r, noon, 300_000, 280*time.Millisecond)
	b.ReportAllocs()
	for b.Loop() {
		w.Snapshot()
	}
}

// size is the memory of all that w keeps.
func (w *Windows) size() (bytes int) {
	for _, ring := range w.rings {
		for _, p := range ring {
			bytes += int(unsafe.Sizeof(*p))
			for k := range p.lists {
				for _, l := range p.lists[k] {
					if l != nil {
						bytes += l.top.size() + 1<<precision
					}
				}
			}
		}
	}
	return bytes
}

func (s *sketch) size() int {
	return cap(s.entries)*int(unsafe.Sizeof(tally{})) + 2*(cap(s.heap)+cap(s.places)+cap(s.slots))
}
