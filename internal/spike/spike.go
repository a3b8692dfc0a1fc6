package spike

import (
	"fmt"
	"time"

	"github.com/relaylens/relaylens"
)

// Dimension is what the refusals of a series have in common.
type Dimension uint8

const (
	Total    Dimension = iota // nothing: all refusals
	PerKind                   // Series.Kind
	PerCause                  // Series.Cause
	// The others are entities: Series.Kind and Series.Key.
	PerClient
	PerNetwork
	PerUser
	PerSenderDomain
	PerRecipientDomain
	numDimensions
)

var dimensionNames = [numDimensions]string{"total", "kind", "cause", "client", "network", "user", "sender_domain", "recipient_domain"}

func (d Dimension) String() string {
	if d < numDimensions {
		return dimensionNames[d]
	}
	return fmt.Sprintf("dimension(%d)", uint8(d))
}

// Entity reports whether the series of d are of one client, network, user or
// domain each.
func (d Dimension) Entity() bool { return d >= PerClient && d < numDimensions }

// Series names a stream of refusals that has a baseline of its own. It is
// comparable.
type Series struct {
	By    Dimension
	Kind  relaylens.Kind  // zero for Total and PerCause
	Cause relaylens.Cause // for PerCause alone
	Key   string          // of an entity; a client's text, at most aggregate.MaxKey bytes
}

// Spike is a time with more refusals than the baseline explains. The numbers are
// those of the moment at which it was most surprising so far.
type Spike struct {
	Series Series
	// Start is when the excess began, Last when it was surprising last. End is
	// when it was over, zero while it lasts.
	Start, Last, End time.Time
	// Found is when it was first told of.
	Found time.Time
	// Window is the time over which Value refusals were counted that ended at
	// Peak; Expected is what the baseline foresaw for it.
	Window   time.Duration
	Peak     time.Time
	Value    float64
	Expected float64
	// Height is the most that the refusals of a window may have been above what is
	// usual, as a factor, of those that are beyond chance: what changes by an order of
	// magnitude does so in a short window first. What is usual is known to some
	// standard deviation, and is taken to be lower by one.
	Height float64
	// Probability is that of so many refusals or more in one such window by
	// chance, had nothing happened.
	Probability float64
	// PerMonth is how often a month such a surprise comes by chance, over all
	// windows and series that are looked at: below Settings.FalsePagesPerMonth.
	PerMonth float64
}

// Ratio is by how much there are more refusals than expected, as a factor of at
// most 1000: Height, or Value over Expected where that is more.
func (s *Spike) Ratio() float64 { return max(s.Height, factor(s.Value, s.Expected)) }

// Growth is Ratio, or what there is more since the spike began where that is more:
// what its window holds from before is taken as usual.
func (s *Spike) Growth() float64 {
	since := min(s.Peak.Sub(s.Start).Seconds()/max(s.Window.Seconds(), 1), 1)
	if since <= 0 {
		return s.Ratio()
	}
	return max(s.Ratio(), factor(s.Value-s.Expected*(1-since), s.Expected*since))
}

func factor(value, expected float64) float64 {
	const most = 1000
	if expected*most <= value {
		return most
	}
	return value / expected
}

// Settings are what a [Detector] can be told. Zero values are the defaults.
type Settings struct {
	// FalsePagesPerMonth is how many spikes a month may be by chance, over all
	// series together. Default 1; it means the same on every server. Fewer than one
	// in ten thousand months is taken for that.
	FalsePagesPerMonth float64
	// MinEvents is below how many refusals in a window nothing is a spike. Default 20.
	MinEvents int
	// MaxEntities is how many clients, networks, users and domains have numbers of
	// their own at once. Default 8192.
	MaxEntities int
	// Location is whose days and weeks the baseline knows. Default UTC.
	Location *time.Location
}

func (s Settings) filled() Settings {
	if s.FalsePagesPerMonth <= 0 {
		s.FalsePagesPerMonth = 1
	}
	s.FalsePagesPerMonth = max(s.FalsePagesPerMonth, 1e-4)
	if s.MinEvents <= 0 {
		s.MinEvents = 20
	}
	if s.MaxEntities <= 0 {
		s.MaxEntities = 8192
	}
	if s.Location == nil {
		s.Location = time.UTC
	}
	return s
}

// Count is a number of refusals in a stretch of the past, from which a
// [Detector] learns: an hourly total of the store, or finer.
type Count struct {
	Start  time.Time
	Length time.Duration
	Kind   relaylens.Kind
	Cause  relaylens.Cause
	Events int64
}
