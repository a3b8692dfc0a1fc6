package syslog

import (
	"strings"
	"time"

	"github.com/relaylens/relaylens"
)

// Options of a [Decoder].
type Options struct {
	// Location is the zone of stamps that have none; nil means time.Local.
	Location *time.Location
}

// Status says what [Decoder.Decode] made of a line.
type Status uint8

const (
	Ready Status = iota // the envelope is filled
	// Pending is a piece of a record whose end has not come. The envelope is
	// not to be used.
	Pending
	Blank     // an empty line, or one of journalctl's "-- Boot" dividers
	Malformed // no framing fits
)

// mode tells what a stream means by "2025-01-02 03:04:05 " without a zone:
// Exim's own file, or a syslog file with a space in its stamp.
type mode uint8

const (
	modeUnknown mode = iota
	modeSyslog
	modeNative
)

// Decoder reads the framing of one source. It is not safe for concurrent use.
type Decoder struct {
	clock clock
	last  time.Time // of the record before, for lines without any time

	reference time.Time // of the line in hand
	yearless  bool      // the line in hand has an RFC 3164 stamp

	modes    [2]mode // of the stream, and of what containers write inside it
	scratch  []byte  // unescaped JSON of the line in hand, or since Keep
	keeps    bool
	partials [2]partial
	groups   []*group
	ready    []record
	flushed  bool // Flush was called, and Pop has not yet given everything
	previous history
	headings headings
	native   nativeStamp
	export   export
	inArray  bool // the line in hand is an array of objects
	table    table
	wide     wide
}

// NewDecoder returns a Decoder for one source.
func NewDecoder(o Options) *Decoder {
	loc := o.Location
	if loc == nil {
		loc = time.Local
	}
	return &Decoder{clock: clock{loc: loc}}
}

// Keep has the texts of every envelope from now on stay valid until the next Keep.
// What has to be unescaped for that is appended to memory.
func (d *Decoder) Keep(memory []byte) {
	d.previous.keep() // what Flush gave in between
	d.scratch, d.keeps = memory[:0], true
}

// Kept is the memory that was given to Keep, as far as it has grown. The lines since
// Keep may be changed from now on.
func (d *Decoder) Kept() []byte {
	d.previous.keep()
	return d.scratch
}

// Decode reads line into env. reference is [relaylens.Batch.Reference]; a stamp
// without a year gets the latest year that puts it not more than 24 hours after
// reference. A line without any time has the time of the line before it, or
// else reference.
//
// The strings of env alias line.Text or, for joined, repeated and JSON records,
// memory of the decoder that is valid until the next call of Decode or, after
// Keep, of Keep.
func (d *Decoder) Decode(line *relaylens.Line, reference time.Time, env *relaylens.Envelope) Status {
	if !d.keeps {
		d.scratch = d.scratch[:0]
	}
	d.reference = reference
	s := line.Text
	*env = relaylens.Envelope{}
	d.yearless = false
	if d.wide != narrow || len(s) > 1 && (s[0] == 0xff && s[1] == 0xfe || s[0] == 0xfe && s[1] == 0xff) {
		s = d.narrowed(s)
	}
	if len(d.export.entry) > 0 {
		if st, ok := d.exported(line, env); ok {
			return st
		}
	}
	if n := len(s); n > 0 && (s[n-1] == '\r' || s[n-1] == 0) {
		s = strings.TrimRight(s, "\r\x00")
	}
	if endsEscaped(s) {
		s = withoutEscapedEnd(s)
	}
	// A file that was truncated under its writer begins with a hole of NULs.
	if len(s) > 0 && (s[0] == 0 || s[0] == bom[0]) {
		s = strings.TrimPrefix(strings.TrimLeft(s, "\x00"), bom)
	}
	if d.modes[0] == modeNative && d.native.begins(s) {
		env.Native, env.Time, env.Text = true, d.native.time, s[len(isoLayout)+1:]
		d.last = env.Time
		return Ready
	}
	return d.record(line, s, env, 0)
}

const bom = "\xef\xbb\xbf"

// maxWraps is how deep container prefixes may nest: a compose prefix, then a
// stamp by --timestamps, then the payload.
const maxWraps = 2

// record reads one line, or the payload of a container line at depth 1 and 2.
// env then already has what the wrapping told.
func (d *Decoder) record(line *relaylens.Line, s string, env *relaylens.Envelope, depth int) Status {
	if s == "" {
		return Blank
	}
	if d.table.form != tableNone && depth == 0 {
		return d.row(line, s, env)
	}
	switch c := s[0]; {
	case 'A' <= c && c <= 'Z':
		if t, digits, n := d.clock.bsd(s, d.reference); n > 0 {
			if depth > 0 {
				t = inContainer(t, env.Time)
			}
			env.Time, env.TimeDigits, d.yearless = t, digits, true
			return d.headed(line, s[n+1:], env)
		}
		if rest, ok := d.shortFull(s, env); ok {
			return d.fullyDated(line, s, rest, env, depth)
		}
	case '0' <= c && c <= '9':
		if st, ok := d.numeric(line, s, env, depth); ok {
			return st
		}
	case c == ' ' || c == '\t':
		return d.continuation(s, env, depth)
	case c == '<':
		if rest, ok := cutPriority(s); ok {
			return d.prioritized(line, rest, env, depth)
		}
	case depth > 0 || d.modes[0] == modeNative: // no wrapping in a client's header
	case c == '{', c == '[', c == 'd', c == recordSeparator:
		if st, ok := d.document(line, s, env); ok {
			return st
		}
	case c == '-' && strings.HasPrefix(s, "-- "):
		return Blank
	case c == escape:
		if plain := d.uncolored(s); len(plain) < len(s) {
			return d.record(line, plain, env, depth)
		}
	}
	return d.unframed(line, s, env, depth)
}

// numeric reads lines that begin with a digit. ok is false when they only do by chance.
func (d *Decoder) numeric(line *relaylens.Line, s string, env *relaylens.Envelope, depth int) (st Status, ok bool) {
	if stamp, ok := d.clock.iso(s); ok {
		if stamp.n < len(s) && s[stamp.n] != ' ' {
			return d.fluentd(line, s, stamp, env)
		}
		if s[10] == ' ' && !stamp.zoned {
			return d.spaced(line, s, stamp, env, depth), true
		}
		return d.rfc3339(line, s, stamp, env, depth), true
	}
	i := 1
	for i < len(s) && i < 20 && digit(s[i]) {
		i++
	}
	if i+1 >= len(s) {
		return 0, false
	}
	switch {
	case i == 4 && s[i] == ' ' && 'A' <= s[i+1] && s[i+1] <= 'Z': // syslog-ng's FULLDATE
		if t, digits, n := d.clock.bsd(s[5:], lastOf(s[:4], d.clock.loc)); n > 0 {
			env.Time, env.TimeDigits = t, digits
			return d.headed(line, s[5+n+1:], env), true
		}
	case s[i] == ' ' && s[i+1] == '<': // RFC 6587 octet counting
		if rest, ok := cutPriority(s[i+1:]); ok {
			return d.prioritized(line, rest, env, depth), true
		}
	case s[:2] == "1 " && (digit(s[2:][0]) || s[2] == '-'):
		return d.rfc5424(line, s[2:], env), true
	case s[i] == '\t' && depth == 0 && d.modes[0] != modeNative:
		return d.papertrail(line, s[i+1:], env)
	case s[i] == '.' && i >= 9 && i < 12: // journalctl -o short-unix
		return d.shortUnix(line, s, i, env)
	}
	return 0, false
}

// prioritized reads what follows "<pri>".
func (d *Decoder) prioritized(line *relaylens.Line, s string, env *relaylens.Envelope, depth int) Status {
	if s == "" {
		return Malformed
	}
	if len(s) > 2 && s[0] == '1' && s[1] == ' ' {
		return d.rfc5424(line, s[2:], env)
	}
	if t, digits, n := d.clock.bsd(s, d.reference); n > 0 {
		env.Time, env.TimeDigits, d.yearless = t, digits, true
		s = s[n+1:]
	} else if stamp, ok := d.clock.iso(s); ok && stamp.n < len(s) && s[stamp.n] == ' ' {
		if s[10] == ' ' && !stamp.zoned {
			return d.spaced(line, s, stamp, env, depth)
		}
		env.Time, env.TimeDigits = d.clock.at(&stamp), stamp.digits
		s = s[stamp.n+1:]
	}
	return d.headed(line, s, env)
}

// rfc3339 reads a line with a complete stamp: a syslog record, CRI, or anything
// that a --timestamps flag stamped once more.
func (d *Decoder) rfc3339(line *relaylens.Line, s string, st stamp, env *relaylens.Envelope, depth int) Status {
	env.Time, env.TimeDigits = d.clock.at(&st), st.digits
	if st.n+1 >= len(s) {
		return Blank
	}
	if depth == 0 {
		d.clock.keepForm(s, &st)
	}
	rest := s[st.n+1:]
	d.reference = env.Time // of what may be wrapped
	if rest[0] == 's' {
		if stream, partial, payload, ok := cutCRI(rest); ok {
			return d.container(line, stream, payload, !partial, env)
		}
	}
	// One space ends the stamp. What is indented behind it was indented before
	// it was stamped: a header dump, whose text is a client's.
	if rest[0] == ' ' || rest[0] == '\t' {
		return d.continuation(rest, env, 1)
	}
	if depth < maxWraps && d.stamped(rest) {
		return d.record(line, rest, env, depth+1)
	}
	return d.headed(line, rest, env)
}

// stamped reports whether s begins with a stamp of its own.
func (d *Decoder) stamped(s string) bool {
	if len(s) < 16 {
		return false
	}
	if s[3] == ' ' && 'A' <= s[0] && s[0] <= 'Z' {
		_, _, n := d.clock.bsd(s, d.reference)
		return n > 0
	}
	if s[4] == '-' && digit(s[0]) {
		st, ok := d.clock.iso(s)
		return ok && st.n < len(s) && s[st.n] == ' '
	}
	return false
}

// unframed is a line that begins like no framing.
func (d *Decoder) unframed(line *relaylens.Line, s string, env *relaylens.Envelope, depth int) Status {
	if depth > 0 {
		native := d.modes[1] == modeNative
		if cutTag(s, env) && (env.PID != 0 || !native) {
			return d.finish(line, env)
		}
		if native {
			env.Program = ""
			return d.continuation(s, env, depth)
		}
		env.Text = s
		return d.finish(line, env)
	}
	// The header dump of a rejectlog is a client's text: no prefix in it counts.
	if d.modes[0] == modeNative {
		return d.continuation(s, env, depth)
	}
	if d.last.IsZero() && !d.table.looked {
		if d.table.looked = true; d.beginTable(s) {
			return Blank
		}
	}
	if rest, ok := strings.CutPrefix(s, "EVENTS\t"); ok {
		return d.awsText(line, rest, env)
	}
	if strings.HasPrefix(s, exportStart) {
		d.export.entry = append(d.export.entry[:0], '{')
		st, _ := d.exported(line, env)
		return st
	}
	if rest, ok := d.cutSocklog(s); ok {
		return d.record(line, rest, env, depth)
	}
	if service, payload, ok := cutService(s); ok {
		env.Host = service
		return d.record(line, payload, env, 1)
	}
	if rest, ok := d.cutSource(s); ok {
		return d.record(line, rest, env, 1)
	}
	return Malformed
}

func (d *Decoder) continuation(s string, env *relaylens.Envelope, depth int) Status {
	if strings.TrimLeft(s, " \t") == "" {
		return Blank
	}
	env.Continuation, env.Text = true, s
	env.Native = d.modes[min(depth, 1)] == modeNative
	d.stampless(env)
	return Ready
}

// stampless gives a record without a stamp the time of the one before it.
func (d *Decoder) stampless(env *relaylens.Envelope) {
	if !env.Time.IsZero() {
		return
	}
	env.Time = d.last
	if d.last.IsZero() {
		env.Time = d.reference
	}
}

// ordinary reports whether there is nothing in a text for finish to read, but for a mark
// of a piece.
func ordinary(s string) bool {
	return s != "" && s[0] != 'm' && s[0] != '[' && s[0] != escape && (len(s) <= len(isoLayout) || s[4] != '-' || !digit(s[0]))
}

// finish reads what is in the text of a record but not of it: repeat counts,
// piece marks and Exim's second stamp.
func (d *Decoder) finish(line *relaylens.Line, env *relaylens.Envelope) Status {
	d.stampless(env)
	d.last = env.Time
	if env.Text != "" && env.Text[0] == escape {
		env.Text = d.uncolored(env.Text)
	}
	if env.Program == "" && strings.HasPrefix(env.Text, lastRepeated) {
		if env.Host == "---" { // macOS
			env.Host = d.previous.lastHost()
			count := strings.TrimSuffix(env.Text[len(lastRepeated):], " ---")
			env.Text = env.Text[:len(lastRepeated)+len(count)]
		}
		d.repeatLast(env)
		return Ready
	}
	if env.Text != "" && env.Text[0] == 'm' && strings.HasPrefix(env.Text, repeated) {
		d.repeat(env)
	}
	if strings.HasPrefix(env.Text, messageID) {
		env.Text = withoutMessageID(env.Text)
	}
	if len(d.groups) > 0 || mayBePiece(env) {
		m, piece := cutMark(env)
		g := d.settle(env, &m, piece)
		if piece {
			d.previous.forget(env.Host)
			return d.join(line, env, g, &m)
		}
	}
	if len(env.Text) > len(isoLayout) && env.Text[4] == '-' || env.Text != "" && env.Text[0] == '[' {
		d.second(env)
	}
	if env.Repeat == 0 {
		d.previous.remember(env, d.keeps)
	}
	return Ready
}
