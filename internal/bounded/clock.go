package bounded

import "math"

// leap is how many seconds a stamp may be ahead of what was seen and be believed
// at once. Between two lines of a server with little mail is more, hence Clock.
const leap = 600

// Clock is event time: the newest stamp that can be believed. A stamp far ahead
// is believed when the next one is not behind it by much, so that one line of a
// host with a wrong clock does not put an end to everybody's present. The zero
// value has not begun.
type Clock struct {
	now, ahead int64
	begun      bool
	doubt      bool // ahead waits for a second stamp
	limit      int64
}

// Observe takes the stamp of an event, in Unix seconds, and reports whether it is
// believed: false means that it is of a future that may not be one.
func (c *Clock) Observe(stamp int64) bool {
	switch {
	case c.limit != 0 && stamp > c.limit+leap:
		return false
	case !c.begun:
		c.now, c.begun = stamp, true
	case stamp <= c.now+leap:
		c.doubt = false
		c.now = max(c.now, stamp)
	case c.doubt && stamp >= c.ahead-leap:
		c.doubt = false
		c.now = max(c.ahead, stamp)
	default:
		c.ahead, c.doubt = stamp, true
		return false
	}
	return true
}

// Advance says that event time has come to now, in Unix seconds, whoever says so
// being sure of it.
func (c *Clock) Advance(now int64) {
	if !c.begun || now > c.now {
		c.now, c.begun = now, true
	}
}

// Limit sets the time that no stamp can be much ahead of, where there is one.
func (c *Clock) Limit(now int64) { c.limit = now }

// Now is event time in Unix seconds; before the first stamp it is before all time.
func (c *Clock) Now() int64 {
	if !c.begun {
		return math.MinInt64
	}
	return c.now
}
