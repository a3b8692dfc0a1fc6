package summary

import (
	"time"

	"github.com/relaylens/relaylens/internal/bounded"
)

// seen is what is remembered of one value of a list. There are many: it has no
// pointer, and is as small as can be.
type seen struct {
	first, last moment
	kinds       [numKinds]uint32 // as many as can be, of more; the remote servers' all first
	note        bounded.Text     // the name of a client, the answer of a remote server: the latest
}

// widen takes in events from first to last.
func (v *seen) widen(first, last moment) {
	if v.first.isZero() || first.before(v.first) {
		v.first = first
	}
	if v.last.before(last) {
		v.last = last
	}
}

// moment is a [time.Time] without its zone. The zero moment is the zero Time.
type moment struct {
	high, low   uint32 // seconds from year 1 on
	nanoseconds uint32
}

// yearOne is the Unix time of the zero Time.
const yearOne = -62135596800

func momentOf(t time.Time) moment {
	seconds := uint64(t.Unix() - yearOne)
	return moment{uint32(seconds >> 32), uint32(seconds), uint32(t.Nanosecond())}
}

func (m moment) isZero() bool { return m == moment{} }

func (m moment) seconds() int64 { return int64(uint64(m.high)<<32 | uint64(m.low)) }

// before compares times from year 1 on.
func (m moment) before(o moment) bool {
	a, b := m.seconds(), o.seconds()
	return a < b || a == b && m.nanoseconds < o.nanoseconds
}

// time is the moment in UTC.
func (m moment) time() time.Time {
	return time.Unix(m.seconds()+yearOne, int64(m.nanoseconds)).UTC()
}
