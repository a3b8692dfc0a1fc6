package syslog

import (
	"strings"
	"time"

	"github.com/relaylens/relaylens"
)

// spaced reads a line whose stamp is "2025-01-02 03:04:05", without a zone
// attached: a record of Exim's own files, or of a syslog that writes such
// stamps. The first such line of a stream decides for all of it, because in a
// record of Exim's almost any text can be a client's.
func (d *Decoder) spaced(line *relaylens.Line, s string, st stamp, env *relaylens.Envelope, depth int) Status {
	m := &d.modes[min(depth, 1)]
	rest := strings.TrimPrefix(s[st.n:], " ")
	if *m == modeUnknown {
		switch {
		case tagged(rest):
			*m = modeSyslog
		case !pidless(rest):
			*m = modeNative
		}
	}
	if *m == modeSyslog {
		host := env.Host
		if header(rest, env); env.Program != "" || strings.HasPrefix(env.Text, lastRepeated) {
			env.Time, env.TimeDigits = d.clock.at(&st), st.digits
			return d.finish(line, env)
		}
		env.Host = host
	}
	env.Native = true
	env.Text = d.cutNative(s, &st, env)
	d.last = env.Time
	if depth == 0 && !st.zoned && st.n == len(isoLayout) {
		d.native = nativeStamp{keyOf(s), env.Time}
	}
	return Ready
}

// nativeStamp is the last stamp of Exim's that had neither fraction nor zone.
type nativeStamp struct {
	key  isoKey
	time time.Time
}

// begins reports whether s begins with the same stamp, and its text right behind.
func (n *nativeStamp) begins(s string) bool { return followed(s) && n.key == keyOf(s) }

// followed reports whether a text follows right behind the stamp that s may begin with:
// no zone and no pid.
func followed(s string) bool {
	const text = len(isoLayout) + 1
	return len(s) > text && s[text-1] == ' ' && s[text] != '+' && s[text] != '-' && s[text] != '['
}

// Native reports whether the stream was found to be one of Exim's own files.
func (d *Decoder) Native() bool { return d.modes[0] == modeNative }

// BeginNative reads a line of such a file, if it begins with a stamp that has neither
// fraction nor zone, and no pid follows. It then takes the place of Decode, as
// [Decoder.Begin] does.
func (d *Decoder) BeginNative(s string) (text string, ok bool) {
	const at = len(isoLayout) + 1
	if !d.Native() || len(s) < at+8 || s[len(s)-1] < ' ' || endsEscaped(s) || d.wide != narrow || len(d.export.entry) > 0 || d.Joined() {
		return "", false
	}
	if d.yearless = false; !d.native.begins(s) && !d.nextNative(s) {
		return "", false
	}
	d.last = d.native.time
	return s[at:], true
}

// nextNative takes in the stamp that s begins with, if it has the form of the last one.
func (d *Decoder) nextNative(s string) bool {
	if !followed(s) {
		return false
	}
	st, ok := d.clock.iso(s)
	if !ok || s[10] != ' ' {
		return false
	}
	d.native = nativeStamp{keyOf(s), d.clock.at(&st)}
	return true
}

// tagged reports whether s begins with "host tag[pid]: " and the host could be
// one. Exim's texts have = or ( before the first word of a client's choosing.
func tagged(s string) bool {
	i := 0
	for i < len(s) && hostByte(s[i]) {
		i++
	}
	if i == 0 || i == len(s) || s[i] != ' ' {
		return false
	}
	i++
	for i < len(s) && hostByte(s[i]) && s[i] != ':' {
		i++
	}
	if i == len(s) || s[i] != '[' {
		return false
	}
	_, _, told := cutPID(s, i)
	return told
}

// pidless reports whether s begins with "host tag: ", as a syslog line without a pid does,
// and some lines that Exim writes before any client comes.
func pidless(s string) bool {
	host, rest, _ := strings.Cut(s, " ")
	tag, _, ok := strings.Cut(rest, ": ")
	for _, name := range [...]string{host, tag} {
		for i := range len(name) {
			ok = ok && hostByte(name[i])
		}
	}
	return ok && host != "" && tag != "" && strings.IndexByte(tag, ':') < 0
}

func hostByte(c byte) bool {
	return alnum(c) || c == '.' || c == '-' || c == '_' || c == ':' || c == '/' || c == '%'
}

func alnum(c byte) bool { return digit(c) || c|0x20-'a' < 26 }

// cutNative reads "stamp[ zone] [[pid] ]text".
//
// Exim src/tod.c, tod_stamp; src/log.c, log_write
func (d *Decoder) cutNative(s string, st *stamp, env *relaylens.Envelope) (text string) {
	s = s[st.n:]
	if len(s) >= 6 && s[0] == ' ' && (s[1] == '+' || s[1] == '-') && (len(s) == 6 || s[6] == ' ') {
		if offset, n := readZone(s[1:6]); n == 5 {
			st.offset, st.zoned = offset, true
			s = s[6:]
		}
	}
	env.Time, env.TimeDigits = d.clock.at(st), st.digits
	if len(s) > 0 && s[0] == ' ' {
		s = s[1:]
	}
	if pid, rest, ok := cutNativePID(s); ok {
		env.PID, s = pid, rest
	}
	return s
}

// cutNativePID reads the "[pid] " of log_selector +pid.
func cutNativePID(s string) (pid int32, rest string, ok bool) {
	if s == "" || s[0] != '[' {
		return 0, s, false
	}
	i := 1
	for i < len(s) && i < 11 && digit(s[i]) {
		i++
	}
	if i == 1 || i+1 >= len(s) || s[i] != ']' || s[i+1] != ' ' {
		return 0, s, false
	}
	return parsePID(s[1:i]), s[i+2:], true
}

// second strips what Exim puts before its text although syslog said it already:
// its own stamp and pid.
//
// Exim src/log.c, write_syslog
func (d *Decoder) second(env *relaylens.Envelope) {
	outer := *env
	st, ok := d.clock.iso(env.Text)
	switch {
	case !ok:
		if pid, rest, ok := cutNativePID(env.Text); ok && (pid == env.PID || env.PID == 0) {
			env.PID, env.Text = pid, rest
		}
		return
	case st.zoned || env.Text[10] != ' ' || (st.n < len(env.Text) && env.Text[st.n] != ' '):
		return
	}
	env.Text = d.cutNative(env.Text, &st, env)
	if outer.PID != 0 {
		env.PID = outer.PID
	}
	if !d.yearless && env.TimeDigits <= outer.TimeDigits {
		env.Time, env.TimeDigits = outer.Time, outer.TimeDigits
		return
	}
	if st.zoned {
		return
	}
	env.Time = sameClock(env.Time, st, &outer, d.yearless)
}

// sameClock corrects inner, Exim's stamp without a zone, by the stamp that
// syslog put around it: Exim may write UTC (timezone = UTC) where syslog writes
// local time, and local is that of the machine that logs.
func sameClock(inner time.Time, st stamp, outer *relaylens.Envelope, yearless bool) time.Time {
	const near, farthestZone = time.Minute, 26 * time.Hour
	t := outer.Time
	if yearless && inner.Sub(t).Abs() > farthestZone {
		t = time.Date(inner.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, t.Location())
	}
	if inner.Sub(t).Abs() <= near {
		return inner.In(t.Location())
	}
	wall := time.Unix(st.sec, int64(st.nsec))
	if wall.Sub(t).Abs() <= near {
		return wall.In(t.Location())
	}
	_, offset := t.Zone()
	if there := wall.Add(-time.Duration(offset) * time.Second); there.Sub(t).Abs() <= near {
		return there.In(t.Location())
	}
	return inner
}

// shortFull reads the stamp of journalctl -o short-full and with-unit: "Thu
// 2025-01-02 03:04:05 CET host …".
func (d *Decoder) shortFull(s string, env *relaylens.Envelope) (rest string, ok bool) {
	if len(s) < 26 || s[3] != ' ' || s[14] != ' ' || !weekday(s[:3]) {
		return s, false
	}
	st, ok := d.clock.iso(s[4:])
	if !ok || st.zoned || 4+st.n >= len(s) || s[4+st.n] != ' ' {
		return s, false
	}
	name, rest, ok := strings.Cut(s[5+st.n:], " ")
	if !ok || name == "" {
		return s, false
	}
	if offset, n := readZone(name); n == len(name) {
		st.offset, st.zoned = offset, true
	} else if local, _ := d.clock.at(&st).Zone(); local != name {
		if hours, ok := zoneHours[name]; ok {
			st.offset, st.zoned = hours*3600, true
		}
	}
	env.Time, env.TimeDigits = d.clock.at(&st), st.digits
	return rest, true
}

// zoneHours has the abbreviations that mean one zone only, for journals that
// were printed on another machine.
var zoneHours = map[string]int32{
	"UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3,
	"EST": -5, "EDT": -4, "CDT": -5, "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8,
	"JST": 9, "KST": 9, "HKT": 8, "SAST": 2, "AWST": 8, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
}

func weekday(s string) bool {
	switch s {
	case "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun":
		return true
	}
	return false
}

// shortUnix reads the stamp of journalctl -o short-unix: "1735787045.123456 ".
func (d *Decoder) shortUnix(line *relaylens.Line, s string, dot int, env *relaylens.Envelope) (Status, bool) {
	nsec, digits, end := fraction(s, dot)
	if end == dot || end >= len(s) || s[end] != ' ' {
		return 0, false
	}
	sec := int64(0)
	for i := range dot {
		sec = sec*10 + int64(s[i]-'0')
	}
	env.Time, env.TimeDigits = time.Unix(sec, int64(nsec)).UTC(), digits
	header(s[end+1:], env)
	return d.finish(line, env), true
}
