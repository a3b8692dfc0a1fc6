package syslog

import (
	"math/bits"
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/swar"
)

// headings remembers how lines began. A log has a few hosts with a few programs
// each, so what stands before the pid has mostly been read before.
type headings struct {
	list    [maxHeadings]heading
	tags    uint32 // so many were given
	guesses guesses
}

// heading is what stood before the pid of a line: "mx1 postfix/smtpd[".
type heading struct {
	text, host, program string
	tag                 uint32 // no other heading of the source ever has it
	words               words  // of text, if it is not longer than longestGuess
	own                 int    // where the program's own name begins: behind that of its package
	numbered            bool   // a pid follows
	inPieces            bool   // the program may write a record in pieces that begin with an id
}

const (
	maxHeadings = 2 * 64
	// Shorter headings have too little to tell them apart by, longer ones are rare.
	minHeading, maxHeading = 8, 80
)

// find returns the heading that s begins with, nil when it is not remembered, or
// there is none.
func (h *headings) find(s string) *heading {
	bracket := strings.IndexByte(s[:min(len(s), maxHeading)], '[')
	if bracket < minHeading {
		return nil
	}
	return h.at(s[:bracket+1])
}

// at returns the heading that text is, nil when it is not remembered.
func (h *headings) at(text string) *heading {
	n := numberOf(text) & (maxHeadings - 1)
	if known := &h.list[n]; known.text == text {
		return known
	}
	if known := &h.list[n^1]; known.text == text {
		return known
	}
	return nil
}

// numberOf says where a heading has its place, there or one further, by both ends of
// it: what differs is the host in front and the program behind.
func numberOf(text string) int {
	x := swar.First(text) ^ bits.RotateLeft64(swar.First(text[len(text)-8:]), 29) ^ uint64(len(text))
	return int(x*0x9e3779b97f4a7c15>>(64-6)) * 2
}

// remember keeps what was read of the beginning of s, if all of it stands before
// the bracket of a pid, or the colon where there is no pid: then it says the same of
// every line that begins like that.
func (h *headings) remember(s string, env *relaylens.Envelope) {
	space := len(env.Host)
	end := space + 1 + len(env.Program)
	if space == 0 || end < minHeading || end >= min(len(s), maxHeading) || s[:space] != env.Host || s[space] != ' ' || s[space+1:end] != env.Program {
		return
	}
	numbered := env.PID != 0 && s[end] == '[' && strings.IndexByte(s[:end], '[') < 0
	plain := env.PID == 0 && s[end] == ':' && env.Program != "" && strings.IndexByte(s[:end], ':') < 0
	if !numbered && !plain {
		return
	}
	n := numberOf(s[:end+1])
	if h.list[n].text == s[:end+1] || h.list[n+1].text == s[:end+1] {
		return
	}
	text := strings.Clone(s[:end+1])
	h.tags++
	made := heading{text: text, host: text[:space], program: text[space+1 : end], tag: h.tags, numbered: numbered, inPieces: writesPieces(env.Program)}
	made.own = end - len(made.program) + strings.IndexByte(made.program, '/') + 1
	if len(text) <= longestGuess {
		made.words = wordsOf(text)
	}
	h.list[n], h.list[n+1] = made, h.list[n]
}

// headed reads "host tag[pid]: text", behind the stamp.
func (d *Decoder) headed(line *relaylens.Line, s string, env *relaylens.Envelope) Status {
	known := d.headings.find(s)
	if known == nil || !known.read(s, env) {
		s = d.uncolored(s)
		header(s, env)
		if env.Program == "" {
			if rest, ok := d.shown(s, env); ok {
				*env = relaylens.Envelope{Time: env.Time}
				return d.record(line, rest, env, maxWraps)
			}
		}
		if env.Host == "" && env.PID == 0 {
			if rest, ok := d.cutSocklog(s); ok {
				*env = relaylens.Envelope{Time: env.Time}
				return d.record(line, rest, env, maxWraps)
			}
		}
		d.headings.remember(s, env)
		return d.finish(line, env)
	}
	if len(d.groups) > 0 || known.program == "" || !ordinary(env.Text) || known.inPieces && mayHaveMark(env.Text) {
		return d.finish(line, env)
	}
	d.last = env.Time
	d.previous.remember(env, d.keeps)
	return Ready
}

// read reads the pid and the text of s, which begins with the heading; false when
// there is no pid.
func (h *heading) read(s string, env *relaylens.Envelope) bool {
	pid, rest, told := cutNumberedPID(s[len(h.text):])
	if !told {
		var end int
		if pid, end, told = cutPID(s, len(h.text)-1); !told {
			return false
		}
		rest = s[end:]
	}
	env.Host, env.Program, env.PID, env.Tag, env.Text = h.host, h.program, pid, h.tag, trimMessage(rest)
	return true
}

// cutNumberedPID is cutPID for what most are, "4711]: ", behind the bracket.
func cutNumberedPID(s string) (pid int32, rest string, told bool) {
	i, n := 0, int32(0)
	for i < len(s) && i < 9 && s[i]-'0' <= 9 {
		n = n*10 + int32(s[i]-'0')
		i++
	}
	if i == 0 || i+1 >= len(s) || s[i] != ']' || s[i+1] != ':' {
		return 0, s, false
	}
	return n, s[i+2:], true
}
