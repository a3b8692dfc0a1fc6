package summary

import (
	"errors"
	"time"

	"github.com/relaylens/relaylens"
)

const (
	// MaxHoldings is how many hosts a server tells of.
	MaxHoldings = 10_000
	// MaxLatest is how many of a host's events are told.
	MaxLatest = 32
)

// Holding is what a store has of one host: how many refusals, in a span and in the
// one before, and the latest of them, by which copies are told from hosts that bear
// the same name.
type Holding struct {
	Host     string   `json:"host"`
	Refusals int64    `json:"refusals"`
	Before   int64    `json:"before,omitempty"`
	Latest   []Moment `json:"latest"` // the latest first
}

// Moment is an event and its time.
type Moment struct {
	ID   relaylens.ID `json:"id"`
	Time time.Time    `json:"time"`
}

// AppendJSON adds h as one JSON object and a newline. What is unsafe to show is
// escaped, as in the JSON of events.
func (h *Holding) AppendJSON(dst []byte) ([]byte, error) { return appendLine(dst, h) }

// CopyOf reports whether two stores have events of the same host, and not of two
// hosts of one name, nor different parts of one: of the times that both tell of
// they would have the same events. Where there is no such time, the name counts; a
// second in which both tell of some events may have had more, so it is none.
func (h *Holding) CopyOf(o *Holding) bool {
	if h.Host != o.Host {
		return false
	}
	ids := map[relaylens.ID]bool{}
	for i := range h.Latest {
		ids[h.Latest[i].ID] = true
	}
	for i := range o.Latest {
		if ids[o.Latest[i].ID] {
			return true
		}
	}
	if len(h.Latest) == 0 || len(o.Latest) == 0 {
		return h.Host != ""
	}
	apart := !o.newest().After(h.oldest()) || !h.newest().After(o.oldest())
	return apart && h.Host != ""
}

func (h *Holding) newest() time.Time { return h.Latest[0].Time }
func (h *Holding) oldest() time.Time { return h.Latest[len(h.Latest)-1].Time }

// maxNumber is more refusals than any server counts. The values of the longest
// list have 1<<54 together, so that the sums of hundreds of servers are numbers.
const maxNumber = 1 << 40

var errHolding = errors.New("read what a server has: it cannot be")

// Check refuses what no store has; it may come from anybody.
func (h *Holding) Check() error {
	if h.Refusals < 0 || h.Refusals > maxNumber || h.Before < 0 || h.Before > maxNumber || len(h.Latest) > MaxLatest || len(h.Host) > maxKept {
		return errHolding
	}
	return nil
}
