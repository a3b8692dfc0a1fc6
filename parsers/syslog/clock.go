package syslog

import (
	"time"

	"github.com/relaylens/relaylens/internal/swar"
)

const isoLayout = "2006-01-02T15:04:05"

// clock reads stamps. Most lines of a log have the stamp of the line before
// them, so the last of each form is kept.
type clock struct {
	loc *time.Location

	bsdKey  [2]uint64 // the first and the last eight bytes
	bsdRef  int64     // Unix time of the reference that gave the year
	bsdTime time.Time
	bsdDay  bsdDay

	isoKey  isoKey
	isoSec  int64
	isoDay  isoDay
	isoTime time.Time // of the last stamp that isoAgain read
	isoForm isoForm

	localSec, localUnix int64 // wall clock and instant of the last stamp without a zone
	last                int64 // instant of the last stamp of either form; 0 before the first

	zones [8]zone
	next  int // of zones, to be replaced
}

type zone struct {
	offset int
	loc    *time.Location
}

// stamp is a date and time of day, in some zone.
type stamp struct {
	sec    int64 // Unix time of the wall clock, were it UTC
	nsec   int32
	offset int32 // seconds east of UTC
	n      int   // bytes read
	digits uint8
	zoned  bool // offset is known
}

// bsd reads an RFC 3164 stamp that is followed by a space; n is its length, 0
// when s does not begin with one. journalctl's short-precise adds a fraction.
func (c *clock) bsd(s string, ref time.Time) (t time.Time, digits uint8, n int) {
	if len(s) < 16 || s[3] != ' ' {
		return t, 0, 0
	}
	if c.bsdAgain(s, ref) || c.bsdOfDay(s, ref.Unix()) {
		return c.bsdTime, 0, bsdLength
	}
	return c.readBSD(s, ref)
}

// bsdDay is the last day of a stamp of RFC 3164 during which no clock was changed.
type bsdDay struct {
	key   uint64 // of its stamps, as dayKey gives it
	start int64  // Unix time
}

// dated reports whether a reference gives all stamps of the day the year that they
// have: it is not before the day, and not so late that the next year's comes in question.
func (d *bsdDay) dated(ref int64) bool {
	const almostYear = 360 * 24 * 60 * 60
	return d.start <= ref && ref < d.start+almostYear
}

// dayKey is "Jan _2 ", with which s begins.
func dayKey(s string) uint64 { return swar.First(s) << 8 }

// bsdOfDay reads a stamp of the same day as the last one, of which bsdTime is the
// time then.
func (c *clock) bsdOfDay(s string, ref int64) bool {
	if len(s) <= bsdLength || s[bsdLength] != ' ' || dayKey(s) != c.bsdDay.key || !c.bsdDay.dated(ref) {
		return false
	}
	h, m, sec, ok := timeOfDay(s[len("Jan _2 "):])
	if !ok || sec == 60 {
		return false
	}
	c.last = c.bsdDay.start + int64(h*3600+m*60+sec)
	c.bsdKey = [2]uint64{swar.First(s), swar.First(s[bsdLength-8:])}
	c.bsdRef, c.bsdTime = ref, time.Unix(c.last, 0).In(c.loc)
	return true
}

// keepDay keeps the day of a stamp that was read, if the clock goes on without a break
// from before it to after it.
func (c *clock) keepDay(s string, t, ref time.Time) {
	const hour, length = time.Hour, 24 * time.Hour
	start := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, c.loc)
	day := bsdDay{dayKey(s), start.Unix()}
	_, offset := start.Zone()
	for _, at := range [...]time.Duration{-2 * hour, 3 * hour, length / 2, length, length + 2*hour} {
		if _, other := start.Add(at).Zone(); other != offset || !day.dated(ref.Unix()) {
			return
		}
	}
	c.bsdDay = day
}

const bsdLength = len("Jan _2 15:04:05")

// bsdAgain reports whether s begins with the last stamp of RFC 3164, of which bsdTime
// is the time.
func (c *clock) bsdAgain(s string, ref time.Time) bool {
	return len(s) > bsdLength && s[bsdLength] == ' ' && swar.First(s) == c.bsdKey[0] && swar.First(s[bsdLength-8:]) == c.bsdKey[1] && ref.Unix() == c.bsdRef
}

func (c *clock) readBSD(s string, ref time.Time) (t time.Time, digits uint8, n int) {
	month := monthOf(s)
	day, i := dayOf(s)
	if month == 0 || i == 0 || len(s) < i+9 || day > daysIn(month) {
		return t, 0, 0
	}
	h, m, sec, ok := timeOfDay(s[i:])
	if !ok {
		return t, 0, 0
	}
	n = i + 8
	nsec, decimals, end := fraction(s, n)
	if end >= len(s) || s[end] != ' ' {
		return t, 0, 0
	}
	t = c.inferYear(month, day, h, m, sec, ref)
	t = t.Add(time.Duration(c.repeated(t)) * time.Second)
	if end == 15 {
		c.bsdKey = [2]uint64{swar.First(s), swar.First(s[bsdLength-8:])}
		c.bsdRef, c.bsdTime = ref.Unix(), t
		c.keepDay(s, t, ref)
	}
	return t.Add(time.Duration(nsec)), decimals, end
}

// lastOf is a reference that gives every stamp the year that s is: inferYear has a day
// more.
func lastOf(s string, loc *time.Location) time.Time {
	year := two(s[0], s[1])*100 + two(s[2], s[3])
	return time.Date(year+1, time.January, 1, 0, 0, 0, 0, loc).Add(-24*time.Hour - time.Second)
}

// inferYear finds the latest year that puts the stamp not more than 24 hours
// after ref. 29 February exists at least every eighth year.
func (c *clock) inferYear(month time.Month, day, h, m, s int, ref time.Time) time.Time {
	limit := ref.Add(24 * time.Hour)
	year := limit.In(c.loc).Year()
	for range 9 {
		if t := time.Date(year, month, day, h, m, s, 0, c.loc); !t.After(limit) && (month != time.February || day < 29 || leap(year)) {
			return t
		}
		year--
	}
	return time.Date(year, month, day, h, m, s, 0, c.loc)
}

// iso reads "2006-01-02T15:04:05" with its fraction and the zone attached to it,
// where it has them. The T may be a space.
func (c *clock) iso(s string) (st stamp, ok bool) {
	if len(s) < 19 || s[4] != '-' || (s[10] != 'T' && s[10] != ' ' && s[10] != 't') {
		return st, false
	}
	if c.isoKey != keyOf(s) && !c.readISO(s) {
		return st, false
	}
	st.sec, st.n = c.isoSec, 19
	if len(s) == 19 || s[19] == ' ' {
		return st, true
	}
	st.nsec, st.digits, st.n = fraction(s, 19)
	if offset, n := readZone(s[st.n:]); n > 0 {
		st.offset, st.zoned = offset, true
		st.n += n
	}
	return st, true
}

func (c *clock) readISO(s string) bool {
	century, yy, month, day := two(s[0], s[1]), two(s[2], s[3]), two(s[5], s[6]), two(s[8], s[9])
	h, m, sec, ok := timeOfDay(s[11:])
	ofDay := int64(h*3600 + m*60 + sec)
	if date := [2]uint64{swar.First(s), swar.First(s[3:])}; ok && date == c.isoDay.date {
		c.isoKey, c.isoSec = keyOf(s), c.isoDay.start+ofDay
		return true
	}
	if !ok || century > 99 || yy > 99 || s[7] != '-' || month < 1 || month > 12 || day < 1 {
		return false
	}
	year, mon := century*100+yy, time.Month(month)
	if day > daysIn(mon) || (mon == time.February && day == 29 && !leap(year)) {
		return false
	}
	c.isoKey = keyOf(s)
	c.isoSec = time.Date(year, mon, day, h, m, sec, 0, time.UTC).Unix()
	c.isoDay = isoDay{[2]uint64{swar.First(s), swar.First(s[3:])}, c.isoSec - ofDay}
	return true
}

// at is the instant of st.
func (c *clock) at(st *stamp) time.Time {
	if !st.zoned {
		return time.Unix(c.local(st.sec), int64(st.nsec)).In(c.loc)
	}
	return time.Unix(st.sec-int64(st.offset), int64(st.nsec)).In(c.zone(int(st.offset)))
}

// local is the instant at which clocks of the decoder's location show sec.
func (c *clock) local(sec int64) int64 {
	if c.loc == time.UTC {
		return sec
	}
	if sec != c.localSec || c.localUnix == 0 {
		c.localSec, c.localUnix = sec, inLocation(sec, c.loc)
		c.localUnix += c.repeated(time.Unix(c.localUnix, 0).In(c.loc))
	}
	return c.localUnix
}

// repeated is how many seconds later or earlier than t a clock of the decoder's location
// shows the same once more, where that is nearer to the stamp before, which it takes t
// for: when summer time ends, an hour is there twice, and only the order of the lines
// tells which it is.
func (c *clock) repeated(t time.Time) (seconds int64) {
	const hour = 3600
	at, last := t.Unix(), c.last
	if c.loc != time.UTC {
		_, offset := t.Zone()
		_, later := t.Add(hour * time.Second).Zone()
		_, earlier := t.Add(-hour * time.Second).Zone()
		switch {
		case later == offset-hour:
			seconds = hour
		case earlier == offset+hour:
			seconds = -hour
		}
		if last == 0 || abs(at+seconds-last) >= abs(at-last) {
			seconds = 0
		}
	}
	c.last = at + seconds
	return seconds
}

func abs(n int64) int64 { return max(n, -n) }

func inLocation(sec int64, loc *time.Location) int64 {
	u := time.Unix(sec, 0).UTC()
	h, m, s := u.Clock()
	return time.Date(u.Year(), u.Month(), u.Day(), h, m, s, 0, loc).Unix()
}

func (c *clock) zone(offset int) *time.Location {
	if offset == 0 {
		return time.UTC
	}
	for i := range c.zones {
		if c.zones[i].offset == offset {
			return c.zones[i].loc
		}
	}
	z := zone{offset, time.FixedZone("", offset)}
	c.zones[c.next] = z
	c.next = (c.next + 1) % len(c.zones)
	return z.loc
}

// readZone reads Z, +01, +0100 or +01:00; n is 0 when s begins with none of them.
func readZone(s string) (offset int32, n int) {
	if s == "" {
		return 0, 0
	}
	if s[0] == 'Z' || s[0] == 'z' {
		return 0, 1
	}
	if (s[0] != '+' && s[0] != '-') || len(s) < 3 {
		return 0, 0
	}
	h, m := two(s[1], s[2]), 0
	n = 3
	if len(s) >= 6 && s[3] == ':' {
		m, n = two(s[4], s[5]), 6
	} else if len(s) >= 5 && digit(s[3]) {
		m, n = two(s[3], s[4]), 5
	}
	if h > 23 || m > 59 {
		return 0, 0
	}
	offset = int32(h*3600 + m*60)
	if s[0] == '-' {
		offset = -offset
	}
	return offset, n
}

// fraction reads the decimals of a second at s[i:]; next is i when there are
// none. digits is 0, 3, 6 or 9: a stamp whose trailing zeros were dropped counts
// as if it had them.
func fraction(s string, i int) (nsec int32, digits uint8, next int) {
	if i+1 >= len(s) || (s[i] != '.' && s[i] != ',') || !digit(s[i+1]) {
		return 0, 0, i
	}
	n := 0
	for i++; i < len(s) && digit(s[i]); i++ {
		if n < 9 {
			nsec = nsec*10 + int32(s[i]-'0')
			n++
		}
	}
	digits = uint8((n + 2) / 3 * 3)
	for ; n < 9; n++ {
		nsec *= 10
	}
	return nsec, digits, i
}

// timeOfDay reads 15:04:05. A leap second counts as the second after it.
func timeOfDay(s string) (h, m, sec int, ok bool) {
	if len(s) < 8 || s[2] != ':' || s[5] != ':' {
		return 0, 0, 0, false
	}
	h, m, sec = two(s[0], s[1]), two(s[3], s[4]), two(s[6], s[7])
	return h, m, sec, h < 24 && m < 60 && sec <= 60
}

// dayOf reads the day after the month: padded with a space, with a zero or not
// at all. next is the position of the time of day, 0 when there is no day.
func dayOf(s string) (day, next int) {
	switch {
	case s[4] == ' ' && s[6] == ' ':
		day, next = two('0', s[5]), 7
	case s[5] == ' ':
		day, next = two('0', s[4]), 6
	case s[6] == ' ':
		day, next = two(s[4], s[5]), 7
	}
	if day < 1 || day > 31 {
		return 0, 0
	}
	return day, next
}

func monthOf(s string) time.Month {
	switch s[:3] {
	case "Jan":
		return time.January
	case "Feb":
		return time.February
	case "Mar":
		return time.March
	case "Apr":
		return time.April
	case "May":
		return time.May
	case "Jun":
		return time.June
	case "Jul":
		return time.July
	case "Aug":
		return time.August
	case "Sep":
		return time.September
	case "Oct":
		return time.October
	case "Nov":
		return time.November
	case "Dec":
		return time.December
	}
	return 0
}

// daysIn is the length of a month in a leap year.
func daysIn(m time.Month) int {
	switch m {
	case time.February:
		return 29
	case time.April, time.June, time.September, time.November:
		return 30
	}
	return 31
}

func leap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

func digit(c byte) bool { return c-'0' <= 9 }

// two is the number of two digits, 100 or more when they are none.
func two(a, b byte) int {
	a, b = a-'0', b-'0'
	if a > 9 || b > 9 {
		return 100
	}
	return int(a)*10 + int(b)
}
