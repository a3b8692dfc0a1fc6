package summary

import (
	"cmp"
	"math"
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

// add takes in n events from first to last.
func (v *seen) add(s series, first, last moment, n int64) {
	v.widen(first, last)
	kind := &v.kinds[s%numKinds]
	*kind = uint32(min(int64(*kind)+n, math.MaxUint32))
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

// moment is a [time.Time] from 1677 to 2262 without its zone, in nanoseconds from 1970 on,
// of which the first of 1970 stands for its begin. The zero moment is the zero Time.
type moment int64

func momentOf(t time.Time) moment {
	const most = math.MaxInt64 / 1_000_000_000 // seconds
	switch s := t.Unix(); {
	case -most < s && s < most:
		return moment(cmp.Or(s*1_000_000_000+int64(t.Nanosecond()), 1))
	case t.IsZero():
		return 0
	case s < 0:
		return math.MinInt64
	}
	return math.MaxInt64
}

func (m moment) isZero() bool { return m == 0 }

func (m moment) before(o moment) bool { return m < o }

// time is the moment in UTC.
func (m moment) time() time.Time {
	if m.isZero() {
		return time.Time{}
	}
	return time.Unix(0, int64(m)).UTC()
}
