package spike

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

// sessions are refusals of clients that each try as often as a distribution with a
// heavy tail has it, a second or two apart.
type sessions struct {
	rand     *rand.Rand
	next     int
	networks bool // each comes from ten addresses of a network
}

// tries is Pareto's, of exponent 1.8, at most 60.
func (s *sessions) tries() int { return min(int(math.Pow(1-s.rand.Float64(), -1/1.8)), 60) }

// feed has so many sessions an hour come, and returns how often spikes began that
// are not of an entity alone.
func (s *sessions) feed(d *Detector, from, until time.Time, perHour float64) (began int) {
	var queue, who [64]int // refusals of each client, a pane each
	was := onNow(d)
	for at := from; at.Before(until); at = at.Add(pane * time.Second) {
		for range poisson(s.rand, perHour*pane/3600) {
			s.next++
			queue[s.next%len(queue)], who[s.next%len(queue)] = s.tries(), s.next
		}
		for i, left := range queue {
			if left == 0 {
				continue
			}
			n := min(left, 5+s.rand.IntN(10))
			queue[i] -= n
			e := relaylens.Event{Time: at, Kind: relaylens.KindAuthFailed, Cause: relaylens.CauseCredentialGuessing,
				ClientIP: netip.AddrFrom4([4]byte{198, 18, byte(s.next >> 8), byte(i)})}
			if !s.networks {
				d.AddN(&e, n)
				continue
			}
			for range n {
				e.ClientIP = netip.AddrFrom4([4]byte{198, byte(who[i] >> 8), byte(who[i]), byte(s.rand.IntN(10))})
				d.Add(&e)
			}
		}
		d.Advance(at.Add(pane * time.Second))
		on := onNow(d)
		if on && !was {
			began++
		}
		was = on
	}
	return began
}

func onNow(d *Detector) bool {
	for _, s := range d.Active() {
		if !s.Series.By.Entity() {
			return true
		}
	}
	return false
}

// guesses are n refusals of each of some clients in each of some panes from at on; it
// returns whether a spike is on then, and when.
func guesses(d *Detector, at time.Time, clients, panes, n int) (found time.Duration, ok bool) {
	e := relaylens.Event{Kind: relaylens.KindAuthFailed, Cause: relaylens.CauseCredentialGuessing}
	for p := range panes {
		e.Time = at.Add(time.Duration(p*pane) * time.Second)
		for i := range clients {
			e.ClientIP = netip.AddrFrom4([4]byte{203, 0, 113, byte(i)})
			d.AddN(&e, n)
		}
		now := e.Time.Add(pane * time.Second)
		d.Advance(now)
		if onNow(d) {
			return now.Sub(at), true
		}
	}
	return 0, false
}

// TestBurstsOfOne: where single clients often try dozens of times, one more is no
// spike. One that does far more than they did is told of at once, and so are many
// together, of which each is nothing, or no more than what one has now and then.
func TestBurstsOfOne(t *testing.T) {
	t.Parallel()
	d, s := New(Settings{}), sessions{rand: rand.New(rand.NewPCG(5, 3))}
	at := monday.AddDate(0, 0, 4)
	s.feed(d, monday, at, 6)
	if began := s.feed(d, at, at.AddDate(0, 0, 9), 6); began > 1 {
		t.Errorf("%d spikes in nine days", began)
	}
	at = at.AddDate(0, 0, 9)
	for _, c := range []struct {
		clients, panes, n int
		want              time.Duration // 0: never
	}{
		{1, 5, 8, 0},
		{8, 60, 2, 3 * time.Minute},
		{40, 60, 1, time.Minute},
		{7, 5, 8, 75 * time.Second},
		{1, 60, 40, 3 * time.Minute},
	} {
		t.Run(fmt.Sprintf("%d clients, %d in each of %d panes", c.clients, c.n, c.panes), func(t *testing.T) {
			after, ok := guesses(d, at, c.clients, c.panes, c.n)
			if ok != (c.want > 0) || after > c.want {
				t.Errorf("found %v, after %v", ok, after)
			}
		})
		s.feed(d, at.Add(time.Hour), at.Add(13*time.Hour), 6)
		at = at.Add(13 * time.Hour)
	}
}

// TestBurstsOfNetworks: where dozens of refusals often come from ten addresses of one
// network, as many from another are no spike; from as many networks as there are
// addresses they are one.
func TestBurstsOfNetworks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		client func(i int) netip.Addr
		want   bool
	}{
		{"one network", func(i int) netip.Addr { return netip.AddrFrom4([4]byte{203, 0, 113, byte(i)}) }, false},
		{"one network of IPv6", func(i int) netip.Addr {
			return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(i)})
		}, false},
		{"ten networks", func(i int) netip.Addr { return netip.AddrFrom4([4]byte{203, byte(i), 113, 1}) }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, s := New(Settings{}), sessions{rand: rand.New(rand.NewPCG(6, 3)), networks: true}
			at := monday.AddDate(0, 0, 5)
			s.feed(d, monday, at, 6)
			e := relaylens.Event{Kind: relaylens.KindAuthFailed, Cause: relaylens.CauseCredentialGuessing}
			found := false
			for p := range 4 {
				e.Time = at.Add(time.Duration(p*pane) * time.Second)
				for i := range 10 {
					e.ClientIP = c.client(i)
					d.Add(&e)
				}
				d.Advance(e.Time.Add(pane * time.Second))
				found = found || onNow(d)
			}
			if found != c.want {
				t.Errorf("40 refusals of 10 addresses within a minute: found %v, want %v", found, c.want)
			}
		})
	}
}

// TestBurstCounts holds what a burst has in each window against the refusals
// themselves, some of which come late.
func TestBurstCounts(t *testing.T) {
	const begin = 7_000 // pane
	s, r := newBursts(false), rand.New(rand.NewPCG(1, 1))
	e := relaylens.Event{Kind: relaylens.KindRelayDenied, Cause: relaylens.CauseOpenRelayProbe, ClientIP: netip.MustParseAddr("192.0.2.1")}
	counts := map[int64]uint32{}
	head := int64(begin)
	for ; head < begin+400; head++ {
		for range r.IntN(3) {
			at, n := max(head-r.Int64N(4), begin), uint32(1+r.IntN(5))
			s.add(&e, at, n)
			counts[at] += n
		}
	}
	if len(s.list) != 2 {
		t.Fatalf("%d bursts, want one and its part", len(s.list))
	}
	for _, length := range panesOf {
		want := uint32(0)
		for p := head - length; p < head; p++ {
			want += counts[p]
		}
		for _, b := range s.list {
			if got := b.since(head-length, head); got != want {
				t.Errorf("%d in %d panes, want %d", got, length, want)
			}
		}
	}
	var whole ring
	whole.reset(begin)
	for whole.head < head {
		whole.panes[slotOf(whole.head)] = counts[whole.head]
		whole.step()
	}
	if got, want := s.list[0].newer(head), whole.newer.counts(); math.Abs(got-want) > 1e-6*want {
		t.Errorf("weighted %v, want %v", got, want)
	}
}

// TestWhoHasBursts: a client is known by its address, of what remote servers refused
// as well, by its login where it has none, and by the sender where nobody logged in.
func TestWhoHasBursts(t *testing.T) {
	for name, e := range map[string]relaylens.Event{
		"inbound":  {Direction: relaylens.Inbound, ClientIP: netip.MustParseAddr("192.0.2.1")},
		"outbound": {Direction: relaylens.Outbound, ClientIP: netip.MustParseAddr("192.0.2.1")},
		"a user":   {Direction: relaylens.Outbound, User: "bob"},
		"a sender": {Direction: relaylens.Outbound, Sender: "bob@example.com"},
		"nobody":   {Direction: relaylens.Outbound},
	} {
		t.Run(name, func(t *testing.T) {
			s := newBursts(false)
			e.Kind, e.Cause = relaylens.KindRejected, relaylens.CausePolicy
			for p := range int64(fewOfOne) {
				s.add(&e, p, 1)
			}
			if len(s.list) > 0 {
				t.Errorf("%d refusals are a burst", fewOfOne)
			}
			s.add(&e, fewOfOne, 1)
			if got, want := len(s.list) > 0, name != "nobody"; got != want {
				t.Errorf("one more: %v, want %v", got, want)
			}
		})
	}
}

// TestBurstOfSeveralCauses: what one client does is one burst of its kind, whatever the
// causes are, and each cause has its part.
func TestBurstOfSeveralCauses(t *testing.T) {
	d := New(Settings{})
	d.Advance(monday)
	e := relaylens.Event{Kind: relaylens.KindRelayDenied, ClientIP: netip.MustParseAddr("192.0.2.1"), Time: monday}
	causes := []relaylens.Cause{relaylens.CauseOpenRelayProbe, relaylens.CauseOpenRelayProbe, relaylens.CauseUnknown}
	for i := range 30 {
		e.Cause = causes[i%3]
		d.Add(&e)
		e.Time = e.Time.Add(2 * time.Second)
	}
	d.Advance(e.Time.Add(pane * time.Second))
	for _, c := range []struct {
		series Series
		want   []float64
	}{
		{Series{}, []float64{30}},
		{Series{By: PerKind, Kind: e.Kind}, []float64{30}},
		{Series{By: PerCause, Cause: relaylens.CauseOpenRelayProbe}, []float64{22}}, // with what came before it was a burst
		{Series{By: PerCause, Cause: relaylens.CauseUnknown}, []float64{8}},
	} {
		for _, track := range d.tracks {
			if track.series != c.series {
				continue
			}
			var got []float64
			for _, b := range d.bursts.in(track.index, func(b *burst) float64 { return float64(b.since(0, d.head)) }) {
				got = append(got, b.n)
			}
			if !cmp.Equal(got, c.want) {
				t.Errorf("%v %v%v: bursts of %v, want %v", c.series.By, c.series.Kind, c.series.Cause, got, c.want)
			}
		}
	}
}

// TestBurstsAreBounded: however many clients try however often, as many are known,
// and large ones that are over longer than small ones.
func TestBurstsAreBounded(t *testing.T) {
	d := New(Settings{})
	e := relaylens.Event{Kind: relaylens.KindRelayDenied, Cause: relaylens.CauseOpenRelayProbe, Time: monday}
	for i := range 2 * maxBursts {
		e.ClientIP = netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		n := 10
		if i == 0 {
			n = 200
		}
		d.AddN(&e, n)
		e.Time = e.Time.Add(20 * time.Second)
		if len(d.bursts.list) > maxBursts {
			t.Fatalf("%d bursts are known", len(d.bursts.list))
		}
	}
	if got := d.bursts.list[0].most[0]; got != 200 {
		t.Errorf("the first has %d, want the largest, of 200", got)
	}
}

// TestFloodTeachesLittle: of one that was told of is learned that there are some twice
// as large as it took to tell, so another one pages as well.
func TestFloodTeachesLittle(t *testing.T) {
	t.Parallel()
	d, s := New(Settings{}), sessions{rand: rand.New(rand.NewPCG(7, 7))}
	at := monday.AddDate(0, 0, 5)
	s.feed(d, monday, at, 6)
	i := indexes(relaylens.KindAuthFailed, relaylens.CauseCredentialGuessing)[2]
	after, ok := guesses(d, at, 1, 40, 100)
	if !ok {
		t.Fatal("a flood is no spike")
	}
	for range 2 { // it goes on
		guesses(d, at.Add(after), 1, 1, 100)
		after += pane * time.Second
	}
	for range 60 {
		at = at.Add(10 * time.Minute)
		s.feed(d, at, at.Add(10*time.Minute), 6)
	}
	values := d.bursts.learnt[i].of[1].values
	if got := values[len(values)-1].n; got != 200 {
		t.Errorf("a burst of %v is usual after one of 300, of which 100 told", got)
	}
	if got := d.burstsPerMonth(&d.bursts, i, 1, 1000); got > 0.01 {
		t.Errorf("%.2g bursts of 1000 a month after one of 300", got)
	}
}

// TestLearnsBurstsOfThePast: what the store has of clients tells how large bursts get.
func TestLearnsBurstsOfThePast(t *testing.T) {
	d := New(Settings{})
	s := sessions{rand: rand.New(rand.NewPCG(8, 8))}
	var past []Past
	for i := range 2000 {
		first := monday.Add(time.Duration(i) * 5 * time.Minute)
		address := netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)})
		past = append(past, Past{Series: Series{By: PerClient, Kind: relaylens.KindAuthFailed, Key: address.String()}, First: first,
			Last: first.Add(time.Minute), Events: int64(s.tries())})
	}
	d.LearnEntities(past)
	d.Advance(monday.Add(7 * 24 * time.Hour))
	if got := d.burstsPerMonth(&d.bursts, 0, 1, 50); got < 1 || got > 50 {
		t.Errorf("%.2g bursts of 50 a month", got)
	}
	for i := range past {
		past[i].Series.By, past[i].Series.Key = PerNetwork, netip.AddrFrom4([4]byte{198, byte(i >> 8), byte(i), 0}).String()+"/24"
	}
	d = New(Settings{})
	d.LearnEntities(past)
	d.Advance(monday.Add(7 * 24 * time.Hour))
	if got := d.burstsPerMonth(&d.networks, 0, 1, 50); got < 1 {
		t.Errorf("%.2g bursts of 50 of networks a month", got)
	}
	d = New(Settings{})
	d.LearnEntities([]Past{{Series: Series{By: PerClient, Kind: relaylens.KindAuthFailed, Key: "192.0.2.1"}, First: monday, Last: monday.Add(time.Minute), Events: 50_000}})
	d.Advance(monday.Add(7 * 24 * time.Hour))
	if values := d.bursts.learnt[0].of[1].values; len(values) != 1 || values[0].n > 500 {
		t.Errorf("after an attack %v are usual", values)
	}
}

// TestSpikesHideBursts: what one client does while a spike is on is not known for what
// it is.
func TestSpikesHideBursts(t *testing.T) {
	for _, on := range []bool{false, true} {
		d := New(Settings{})
		d.Advance(monday)
		d.tracks[0].episode = episode{on: on, spike: Spike{Found: monday.Add(-time.Hour), Start: monday.Add(-time.Hour)}}
		guesses(d, monday, 1, 2, 8)
		for range 3 * burstGap / 2 {
			d.tracks[0].episode.calm = 0
			d.Advance(time.Unix((d.head+1)*pane, 0))
		}
		if got := len(d.bursts.learnt[0].of[1].values) == 0; got != on {
			t.Errorf("a spike is on %v, and nothing is learned %v", on, got)
		}
	}
}

// TestFloodsAreNoBursts: however often one comes, the next is told of as soon.
func TestFloodsAreNoBursts(t *testing.T) {
	t.Parallel()
	d, s := New(Settings{}), sessions{rand: rand.New(rand.NewPCG(9, 9))}
	at := monday.AddDate(0, 0, 4)
	s.feed(d, monday, at, 6)
	var first time.Duration
	for i := range 8 {
		e := relaylens.Event{Kind: relaylens.KindAuthFailed, Cause: relaylens.CauseCredentialGuessing, ClientIP: netip.AddrFrom4([4]byte{203, 0, 113, byte(i)})}
		found := time.Duration(0)
		for p := range 60 {
			e.Time = at.Add(time.Duration(p*pane) * time.Second)
			d.AddN(&e, 15)
			d.Advance(e.Time.Add(pane * time.Second))
			if found == 0 && onNow(d) {
				found = e.Time.Sub(at)
			}
		}
		if i == 0 {
			first = found
		}
		if found == 0 || found > first+time.Minute {
			t.Errorf("flood %d is told of after %v, the first after %v", i, found, first)
		}
		s.feed(d, at.Add(15*time.Minute), at.Add(31*time.Hour), 6)
		at = at.Add(31 * time.Hour)
	}
}
