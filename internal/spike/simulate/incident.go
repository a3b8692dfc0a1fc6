package simulate

import (
	"math"
	"net/netip"
	"time"

	"github.com/relaylens/relaylens"
)

// The incidents that there are.
const (
	Flood      = "flood"       // one client probes
	Botnet     = "botnet"      // many clients guess passwords
	Ramp       = "ramp"        // guessing that grows for three hours
	LostDomain = "lost domain" // a domain of ours is not known any more
	AuthOutage = "auth outage" // no login succeeds
	AppServer  = "quiet app"   // an application server may not relay any more
	Scanner    = "scanner"     // comes every night
	Gap        = "gap"         // nobody reads the log
)

// Incident is what really happens.
type Incident struct {
	Name       string
	Kind       relaylens.Kind
	Cause      relaylens.Cause
	Start, End time.Time
	Rate       float64    // refusals a minute, at its height
	Night      int        // of a scanner, from 1 on
	Client     netip.Addr // zero: many
}

// During reports whether in goes on at a time.
func (in *Incident) During(at time.Time) bool { return !at.Before(in.Start) && at.Before(in.End) }

// At is the refusals a minute at a time.
func (in *Incident) At(at time.Time) float64 {
	if !in.During(at) {
		return 0
	}
	since := at.Sub(in.Start)
	switch in.Name {
	case Ramp:
		return in.Rate * math.Min(1, float64(since)/float64(3*time.Hour))
	case Botnet:
		return in.Rate * math.Min(1, float64(since+time.Minute)/float64(5*time.Minute))
	}
	return in.Rate
}

func (w *World) incident(in *Incident, at time.Time) {
	rate := in.At(at)
	if rate == 0 {
		return
	}
	n := w.poisson(rate / perMinute)
	if n == 0 {
		return
	}
	g := Group{Event: w.event(in.Kind, in.Cause, at), N: n}
	if in.Client.IsValid() {
		g.Event.ClientIP = in.Client
	}
	slot := w.at % int64(len(w.queue))
	w.queue[slot] = append(w.queue[slot], g)
}

// Plan draws a month's incidents, from begin on, two days apart and more: eight of
// the names that are given, or of all. A scanner comes every night of it, in the worlds
// that have one.
func (w *World) Plan(begin time.Time, names ...string) {
	if len(names) == 0 {
		names = []string{Flood, Flood, Botnet, Ramp, LostDomain, AuthOutage, AppServer, Gap}
	}
	at := begin.Add(w.hours(6, 30))
	for _, i := range w.rand.Perm(8) {
		in := w.draw(names[i%len(names)], at)
		w.Incidents = append(w.Incidents, in)
		at = in.End.Add(w.hours(48, 84))
	}
	if w.rand.IntN(2) == 0 {
		w.scan(begin.Add(w.hours(24, 30)))
	}
}

func (w *World) hours(from, to float64) time.Duration {
	return time.Duration((from + (to-from)*w.rand.Float64()) * float64(time.Hour))
}

// PlanShort draws what can go wrong with the server itself, a day apart.
func (w *World) PlanShort(begin time.Time) {
	at := begin.Add(w.hours(50, 60))
	for _, name := range []string{LostDomain, AuthOutage, AppServer, Gap} {
		in := w.draw(name, at)
		w.Incidents = append(w.Incidents, in)
		at = in.End.Add(w.hours(20, 30))
	}
}

// draw makes an incident. How large it is depends on what is usual: nobody can
// tell an incident that is lost in the noise.
func (w *World) draw(name string, at time.Time) Incident {
	in := Incident{Name: name, Start: at.Truncate(Pane)}
	total := w.Total(at)
	times := func(least, most float64) float64 { return least * math.Pow(most/least, w.rand.Float64()) }
	var last time.Duration
	switch name {
	case Flood:
		in.Kind, in.Cause, in.Rate = relaylens.KindRelayDenied, relaylens.CauseOpenRelayProbe, total*times(3, 30)
		in.Client, last = netip.AddrFrom4([4]byte{203, 0, 113, byte(w.rand.IntN(256))}), w.hours(0.17, 0.7)
	case Botnet:
		in.Kind, in.Cause, in.Rate, last = relaylens.KindAuthFailed, relaylens.CauseCredentialGuessing, total*times(2, 15), w.hours(1, 4)
	case Ramp:
		in.Kind, in.Cause, in.Rate, last = relaylens.KindAuthFailed, relaylens.CauseCredentialGuessing, total*times(2, 8), w.hours(3, 5)
	case LostDomain:
		in.Kind, in.Cause, in.Rate, last = relaylens.KindRelayDenied, relaylens.CauseRecipientDomainNotConfigured, total*times(0.1, 2), w.hours(2, 10)
	case AuthOutage:
		in.Kind, in.Cause, in.Rate, last = relaylens.KindAuthFailed, relaylens.CauseAuthBackendUnavailable, times(2, 20), w.hours(0.4, 2)
	case AppServer:
		in.Kind, in.Cause, in.Rate, last = relaylens.KindRelayDenied, relaylens.CauseClientNotInMynetworks, times(0.5, 3), w.hours(6, 24)
		in.Client = netip.AddrFrom4([4]byte{10, 0, 0, byte(w.rand.IntN(256))})
	case Gap:
		last = w.hours(2, 10)
	}
	in.End = in.Start.Add(last)
	return in
}

// scan adds the nights of a scanner.
func (w *World) scan(first time.Time) {
	first = first.Truncate(24 * time.Hour).Add(w.hours(0.5, 5))
	rate, client := w.Total(first)*(4+12*w.rand.Float64()), netip.AddrFrom4([4]byte{203, 0, 113, 77})
	for night := range 29 {
		start := first.Add(time.Duration(night)*24*time.Hour + w.hours(-0.1, 0.1)).Truncate(Pane)
		w.Incidents = append(w.Incidents, Incident{Name: Scanner, Kind: relaylens.KindRelayDenied, Cause: relaylens.CauseOpenRelayProbe,
			Start: start, End: start.Add(w.hours(0.15, 0.25)), Rate: rate * (0.8 + 0.4*w.rand.Float64()), Night: night + 1, Client: client})
	}
}
