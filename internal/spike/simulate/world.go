package simulate

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/relaylens/relaylens"
)

// Pane is the step of simulated time.
const Pane = 15 * time.Second

const (
	paneSeconds = int64(Pane / time.Second)
	perMinute   = float64(time.Minute / Pane)
)

// Stream is the background of one cause.
type Stream struct {
	Kind  relaylens.Kind
	Cause relaylens.Cause
	Rate  float64 // refusals a minute, over the week
	Burst float64 // mean size of what one client sends at once
	// Day and Weekend say how much of it follows the hours of work: 0 is the
	// same always.
	Day, Weekend float64
	// Wander is the deviation of the logarithm of the rate within hours, Mood
	// that of whole days.
	Wander, Mood float64

	mood, wander float64
	day          int64
}

// wanderTime is in what time a rate wanders away.
const wanderTime = 90 * time.Minute

// World is one server.
type World struct {
	Streams   []Stream
	Incidents []Incident
	// Style is that of the background. It is set before the first Next.
	Style Style

	rand     *rand.Rand
	sessions *rand.Rand // of what Style adds
	peak     float64    // hour of the day
	queue    [16][]Group
	at       int64 // pane
}

// Group is some refusals that are alike, within one pane.
type Group struct {
	Event relaylens.Event
	N     int
}

// New makes a server of some size and temper. Its first pane is the one of begin.
func New(seed uint64, begin time.Time) *World {
	r := rand.New(rand.NewPCG(seed, 0x5eed))
	size := math.Exp(r.NormFloat64() * 0.8)
	burst := 0.7 + 0.9*r.Float64()
	temper := 0.6 + 0.8*r.Float64()
	w := &World{rand: r, sessions: rand.New(rand.NewPCG(seed, 0x5e55)), peak: 12 + 4*r.Float64(), at: begin.Unix() / paneSeconds}
	for _, s := range []Stream{
		{Kind: relaylens.KindRelayDenied, Cause: relaylens.CauseOpenRelayProbe, Rate: 0.8, Burst: 3, Day: 0.1, Weekend: 0.1, Wander: 0.35, Mood: 0.2},
		{Kind: relaylens.KindAuthFailed, Cause: relaylens.CauseCredentialGuessing, Rate: 2.5, Burst: 4, Day: 0.2, Weekend: 0.1, Wander: 0.3, Mood: 0.2},
		{Kind: relaylens.KindRejected, Cause: relaylens.CausePolicy, Rate: 4, Burst: 1.6, Day: 0.5, Weekend: 0.3, Wander: 0.2, Mood: 0.12},
		{Kind: relaylens.KindRejected, Cause: relaylens.CauseClientBlocklisted, Rate: 2, Burst: 1.4, Day: 0.4, Weekend: 0.2, Wander: 0.2, Mood: 0.12},
		{Kind: relaylens.KindSenderVerify, Cause: relaylens.CauseSenderDomainUnresolvable, Rate: 0.6, Burst: 1.5, Day: 0.6, Weekend: 0.4, Wander: 0.25, Mood: 0.15},
		{Kind: relaylens.KindSenderVerify, Cause: relaylens.CauseCalloutUnknownUser, Rate: 0.2, Burst: 1.5, Day: 0.5, Weekend: 0.3, Wander: 0.25, Mood: 0.15},
		{Kind: relaylens.KindAuthFailed, Cause: relaylens.CauseStalePassword, Rate: 0.3, Burst: 2, Day: 0.8, Weekend: 0.6, Wander: 0.25, Mood: 0.15},
		{Kind: relaylens.KindRelayDenied, Cause: relaylens.CauseClientNotAuthenticated, Rate: 0.1, Burst: 1.5, Day: 0.9, Weekend: 0.7, Wander: 0.25, Mood: 0.15},
		{Kind: relaylens.KindRejected, Cause: relaylens.CauseRemoteRelayDenied, Rate: 0.02, Burst: 2, Day: 0.8, Weekend: 0.6, Wander: 0.25, Mood: 0.15},
		{Kind: relaylens.KindRejected, Cause: relaylens.CauseUnknown, Rate: 0.2, Burst: 2, Day: 0.3, Weekend: 0.2, Wander: 0.3, Mood: 0.15},
	} {
		s.Rate *= size * math.Exp(r.NormFloat64()*0.4)
		s.Burst = 1 + (s.Burst-1)*burst
		s.Wander *= temper
		s.Mood *= temper
		s.wander, s.day = r.NormFloat64(), math.MinInt64
		w.Streams = append(w.Streams, s)
	}
	return w
}

// Season is what the rate of s usually is at a time, beside its mean.
func (w *World) Season(s *Stream, at time.Time) float64 {
	hour := float64(at.Hour()) + float64(at.Minute())/60
	day := 1 + s.Day*math.Cos((hour-w.peak)/12*math.Pi)
	if d := at.Weekday(); d == time.Saturday || d == time.Sunday {
		return day * (1 - s.Weekend)
	}
	return day * (1 + s.Weekend*0.4)
}

// Rate is the refusals a minute that are usual at a time: what an oracle knows.
func (w *World) Rate(s *Stream, at time.Time) float64 { return s.Rate * w.Season(s, at) }

// Total is the usual rate of all streams.
func (w *World) Total(at time.Time) (sum float64) {
	for i := range w.Streams {
		sum += w.Rate(&w.Streams[i], at)
	}
	return sum
}

// Next gives the refusals of the next pane, valid until the one after, and its
// begin. Down says that nobody reads the log.
func (w *World) Next() (at time.Time, groups []Group, down bool) {
	at = time.Unix(w.at*paneSeconds, 0).UTC()
	for i := range w.Streams {
		s := &w.Streams[i]
		w.bursts(s, w.Rate(s, at)*w.temper(s, at)/perMinute/s.Burst, at)
	}
	w.session()
	for i := range w.Incidents {
		in := &w.Incidents[i]
		down = down || in.Name == Gap && in.During(at)
		w.incident(in, at)
	}
	slot := w.at % int64(len(w.queue))
	groups = w.queue[slot]
	w.queue[slot] = groups[:0]
	w.at++
	return at, groups, down
}

// temper is what the rate of s is now beside what is usual.
func (w *World) temper(s *Stream, at time.Time) float64 {
	if day := at.Unix() / 86400; day != s.day {
		s.day, s.mood = day, s.Mood*w.rand.NormFloat64()-s.Mood*s.Mood/2
	}
	keep := math.Exp(-float64(Pane) / float64(wanderTime))
	s.wander = keep*s.wander + math.Sqrt(1-keep*keep)*w.rand.NormFloat64()
	return math.Exp(s.mood + s.Wander*s.wander - s.Wander*s.Wander/2)
}

// bursts begins as many bursts as chance has it where mean are usual.
func (w *World) bursts(s *Stream, mean float64, at time.Time) {
	for range w.poisson(mean) {
		w.spread(Group{Event: w.event(s.Kind, s.Cause, at), N: w.geometric(s.Burst)})
	}
}

// spread sends the refusals of a burst over the next panes.
func (w *World) spread(g Group) {
	pane, left := w.at, g.N
	for left > 0 {
		g.N = min(left, 1+w.rand.IntN(8))
		left -= g.N
		g.Event.Time = time.Unix(pane*paneSeconds, 0).UTC()
		slot := pane % int64(len(w.queue))
		w.queue[slot] = append(w.queue[slot], g)
		pane = min(pane+1, w.at+int64(len(w.queue))-1)
	}
}

// event is of a stranger, who may have been here before.
func (w *World) event(k relaylens.Kind, c relaylens.Cause, at time.Time) relaylens.Event {
	n := int(w.rand.ExpFloat64() * 3000)
	return relaylens.Event{Time: at, Kind: k, Cause: c, Direction: relaylens.Inbound, Action: relaylens.ActionRefuse,
		ClientIP: netip.AddrFrom4([4]byte{198, 18, byte(n >> 8), byte(n)})}
}

// geometric is 1 or more, mean on average.
func (w *World) geometric(mean float64) int {
	if mean <= 1 {
		return 1
	}
	return 1 + int(math.Log(1-w.rand.Float64())/math.Log(1-1/mean))
}

func (w *World) poisson(mean float64) int {
	if mean > 50 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*w.rand.NormFloat64())))
	}
	n, p, limit := 0, w.rand.Float64(), math.Exp(-mean)
	for p > limit {
		p *= w.rand.Float64()
		n++
	}
	return n
}
