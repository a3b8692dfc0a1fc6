package syslog

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/relaylens/relaylens"
)

const (
	maxGroups = 32       // unfinished records at a time
	maxJoined = 32 << 10 // bytes of a joined record; the rest is dropped

	// pieceTimeout is how long after a piece, by the log's own clock, the next
	// one may come: MTAs write them in one go.
	pieceTimeout = 2 * time.Second

	// toContinue ends every piece of Sendmail's but the last.
	toContinue = " ..."
)

// mark is what stands before a piece of a long record.
type mark struct {
	id      string // Sendmail's "id[k]: "
	k, n    int    // n is 0 in Sendmail's, which do not tell it
	newline bool   // Exim cut the piece at a newline: "[k\n] "
	text    string
}

// mayBePiece reports whether there may be a mark, for which cutMark looks.
func mayBePiece(env *relaylens.Envelope) bool {
	s := env.Text
	return s != "" && (s[0] == '[' || writesPieces(env.Program) && mayHaveMark(s))
}

// writesPieces reports whether a program may be one that marks pieces by an id.
func writesPieces(program string) bool { return !strings.HasPrefix(program, "postfix") }

func mayHaveMark(s string) bool { return strings.IndexByte(s[:min(len(s), maxMarkID+1)], '[') >= 7 }

// maxMarkID is how long the id before a mark may be.
const maxMarkID = 32

// cutMark reads the mark of a piece.
//
// Exim src/log.c, write_syslog; Sendmail sendmail/conf.c, sm_syslog
func cutMark(env *relaylens.Envelope) (m mark, ok bool) {
	s := env.Text
	if s == "" || env.Repeat > 0 {
		return m, false
	}
	i := 0
	if s[0] != '[' {
		if strings.HasPrefix(env.Program, "postfix") {
			return m, false
		}
		for i < len(s) && i < maxMarkID && alnum(s[i]) {
			i++
		}
		if i < 7 || i == len(s) || s[i] != '[' || !queueID(s[:i]) {
			return m, false
		}
	}
	m.id = s[:i]
	m.k, i = cutNumber(s, i+1)
	if i == len(s) || m.k == 0 {
		return m, false
	}
	if m.id == "" && (s[i] == '/' || s[i] == '\\') {
		m.newline = s[i] == '\\'
		if m.n, i = cutNumber(s, i+1); m.n < 2 || m.k > m.n {
			return m, false
		}
		m.text, ok = strings.CutPrefix(s[i:], "] ")
		return m, ok
	}
	m.text, ok = strings.CutPrefix(s[i:], "]: ")
	return m, ok
}

// queueID reports whether s may be what Sendmail calls a message by, or NOQUEUE.
func queueID(s string) bool {
	for i := len(s) - 5; i < len(s); i++ {
		if !digit(s[i]) {
			return s == "NOQUEUE"
		}
	}
	return true
}

// cutNumber reads up to three digits at s[i:].
func cutNumber(s string, i int) (n, next int) {
	for end := i + 3; i < len(s) && i < end && digit(s[i]); i++ {
		n = n*10 + int(s[i]-'0')
	}
	return n, i
}

// group is a record of which pieces are missing.
type group struct {
	env    relaylens.Envelope // of the last piece; its strings are copies
	line   relaylens.Line     // the last piece
	buf    []byte
	id     string
	k, n   int  // last piece, and how many there are where the mark tells
	marked bool // Sendmail: pieces that are not the last end in toContinue
	done   bool // Exim: the first line is complete, continuations follow
	year   bool // the stamp has one
}

func (g *group) continues(m *mark) bool {
	return m.k == g.k+1 && m.n == g.n && m.id == g.id
}

// record is a complete record that waits for Pop.
type record struct {
	env     relaylens.Envelope
	line    relaylens.Line
	wrapped bool // env.Text is a container's payload, not yet decoded
}

// settle completes the groups that the record in env ends, and returns the one
// that m continues.
func (d *Decoder) settle(env *relaylens.Envelope, m *mark, piece bool) (found *group) {
	for i := 0; i < len(d.groups); {
		g := d.groups[i]
		same := g.env.PID == env.PID && g.env.Program == env.Program
		switch {
		case g.env.Host != env.Host:
			i++
		case same && piece && g.continues(m):
			found = g
			i++
		case same || env.Time.Sub(g.env.Time) > pieceTimeout:
			d.complete(i)
		default:
			i++
		}
	}
	return found
}

// complete makes a group available to Pop with what there is of it.
func (d *Decoder) complete(i int) {
	g := d.groups[i]
	d.groups = slices.Delete(d.groups, i, i+1)
	if g.done {
		return
	}
	g.env.Text = string(g.buf)
	if g.n > 0 {
		yearless := d.yearless
		d.yearless = !g.year
		d.second(&g.env)
		d.yearless = yearless
	}
	d.ready = append(d.ready, record{env: g.env, line: g.line})
}

// join adds the piece in env to its record g, nil for a new one.
func (d *Decoder) join(line *relaylens.Line, env *relaylens.Envelope, g *group, m *mark) Status {
	if g == nil {
		if m.k != 1 { // its beginning is in no line we saw
			env.Continuation, env.Text = true, m.text
			return Ready
		}
		if len(d.groups) == maxGroups {
			d.complete(0)
		}
		g = &group{id: strings.Clone(m.id), n: m.n}
		if m.id != "" {
			g.buf = append(append(g.buf, m.id...), ": "...)
		}
		d.groups = append(d.groups, g)
	}
	if g.n == 0 {
		return d.joinSendmail(line, env, g, m)
	}
	return d.joinExim(line, env, g, m)
}

func (d *Decoder) joinSendmail(line *relaylens.Line, env *relaylens.Envelope, g *group, m *mark) Status {
	more := strings.HasSuffix(m.text, toContinue)
	if m.k == 1 {
		g.marked = more
	}
	if g.marked {
		g.buf = bytes.TrimSuffix(g.buf, []byte(toContinue))
	}
	g.add(m.text, m.k)
	if !g.marked || more {
		g.keep(line, env, !d.yearless)
		return Pending
	}
	d.drop(g)
	env.Text = string(g.buf)
	return Ready
}

func (d *Decoder) joinExim(line *relaylens.Line, env *relaylens.Envelope, g *group, m *mark) Status {
	g.k = m.k
	last := m.k == m.n
	if last {
		d.drop(g)
	}
	if g.done {
		env.Continuation, env.Text = true, m.text
		g.env.Time = env.Time
		return Ready
	}
	g.add(m.text, m.k)
	g.done = m.newline
	if !last {
		g.keep(line, env, !d.yearless)
	}
	if !last && !m.newline {
		return Pending
	}
	env.Text = string(g.buf)
	d.second(env)
	return Ready
}

func (g *group) add(text string, k int) {
	g.k = k
	g.buf = append(g.buf, text[:min(len(text), maxJoined-len(g.buf))]...)
}

// keep copies what a group needs to be handed out later.
func (g *group) keep(line *relaylens.Line, env *relaylens.Envelope, year bool) {
	g.line, g.year = cloneLine(line), year
	host, program := g.env.Host, g.env.Program
	g.env = *env
	if g.k == 1 {
		host, program = strings.Clone(env.Host), strings.Clone(env.Program)
	}
	g.env.Host, g.env.Program, g.env.Text = host, program, ""
}

func (d *Decoder) drop(g *group) {
	if i := slices.Index(d.groups, g); i >= 0 {
		d.groups = slices.Delete(d.groups, i, i+1)
	}
}

func cloneLine(line *relaylens.Line) relaylens.Line {
	c := *line
	c.Text, c.Cursor = strings.Clone(c.Text), strings.Clone(c.Cursor)
	return c
}

// Joined reports whether there may be something to Pop. It costs nothing, so that
// it can be asked at every line.
func (d *Decoder) Joined() bool { return len(d.ready) > 0 || d.flushed }

// Pop hands out a record that became complete because another line came, with
// the line of its last piece, and reports whether there was one. It is to be
// called until it returns false after each Decode, whatever its Status, before
// the envelope of that Decode is used, and after Flush.
func (d *Decoder) Pop(env *relaylens.Envelope, line *relaylens.Line) bool {
	for {
		if len(d.ready) == 0 && d.flushed {
			// A container's last payload may have begun a record of its own.
			d.completeAll()
			d.flushed = false
		}
		if len(d.ready) == 0 {
			return false
		}
		r := d.ready[0]
		if d.ready = slices.Delete(d.ready, 0, 1); len(d.ready) == 0 {
			d.ready = nil
		}
		*env, *line = r.env, r.line
		if !r.wrapped {
			return true
		}
		payload := env.Text
		env.Text = ""
		if !env.Time.IsZero() {
			d.reference = env.Time
		}
		if d.record(line, payload, env, 1) == Ready {
			return true
		}
	}
}

// Flush makes all unfinished records available to Pop: at the end of the
// input, or when the source was silent for a few seconds.
func (d *Decoder) Flush() {
	for i := range d.partials {
		d.partials[i].flush(d)
	}
	if d.export.form == formVerbose {
		d.endVerbose()
	}
	d.completeAll()
	d.flushed = true
}

func (d *Decoder) completeAll() {
	for len(d.groups) > 0 {
		d.complete(0)
	}
}
