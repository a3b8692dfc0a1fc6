package exim

import (
	"strings"

	"github.com/relaylens/relaylens"
)

// reading is one way to read a line.
type reading struct {
	host  host
	claim claim
}

// readings sums up all ways to read a line.
type readings struct {
	first   reading
	n       int  // how many there are; only the first is kept
	unread  bool // there may be one more, which could not be read
	differ  bool // they are not all refusals of one kind
	reasons bool // they give several reasons
	stages  bool // they refuse several commands
	classes bool // some are temporary, some are not
}

// hostsLine reads a line that has several host strings in it: a HELO that may be
// anything (helo_accept_junk_hosts) holds a line of its own, or something behind
// the host string does. Nobody is the client unless only one can be.
func (g *Grammar) hostsLine(text string, id bool, rec *relaylens.Record) relaylens.Verdict {
	var all readings
	g.readAll(text, id, &all)
	switch {
	case all.n == 0:
		return unread(text)
	case all.unread:
		return relaylens.Malformed
	case all.n == 1:
		r := &all.first
		return g.sole(&r.host, text, &r.claim, rec)
	case all.differ || all.first.claim.verb != rejected || !g.agreed(text, &all.first.claim):
		return relaylens.Malformed
	}
	return g.disputed(&all, rec)
}

func (g *Grammar) readAll(text string, id bool, all *readings) {
	strict := false
	for w := newHosts(text); ; {
		var r reading
		var rest string
		var ok bool
		if r.host, rest, ok = w.next(); !ok {
			return
		}
		if w.seen > maxHosts {
			all.unread = true
			return
		}
		if !readClaim(rest, id, r.host.greeted, &r.claim) || r.claim.odd {
			// What looks like a host string of the usual form may be one.
			all.unread = all.unread || w.strict && (r.claim.odd || followsHost(rest))
			continue
		}
		if !r.claim.possible(id, r.host.greeted) || strict && refuted(text, &all.first.claim, &r) {
			continue
		}
		strict = strict || w.strict
		g.add(all, &r)
	}
}

func (g *Grammar) add(all *readings, r *reading) {
	r.claim.greeting = r.host.helo
	all.differ = all.differ || r.claim.twice && !g.alikeWhole(&r.claim)
	if all.n++; all.n == 1 {
		all.first = *r
		return
	}
	a, b := &all.first.claim, &r.claim
	ka, ra := g.judge(a)
	kb, rb := g.judge(b)
	all.differ = all.differ || a.mixed || b.mixed || a.verb != b.verb || ka != kb
	all.reasons = all.reasons || ra != rb
	all.stages = all.stages || a.stage != b.stage
	all.classes = all.classes || a.temporary != b.temporary
}

// followsHost reports what can follow a host string, whether the claim behind it
// can be read or not.
func followsHost(s string) bool {
	t, rest := cutTokens(s, true)
	return t.ident || len(rest) < len(s) || claimBegins(s)
}

// refuted reports that r, behind the first reading's host string, is no reading
// of the line: what would be the server's own text has the end of something that
// began before it. That end may be the server's only where it repeats the client.
func refuted(text string, first *claim, r *reading) bool {
	c := &r.claim
	switch {
	case c.cut, c.verb == unrelated, strings.Contains(c.msg, "] : "), c.verb != warned && c.stage >= relaylens.StageData:
		// Headers, and other servers, say what they like.
		return false
	}
	repeated := func(s string) bool {
		return strings.Contains(r.host.helo, s) || strings.Contains(c.sender, s) || strings.Contains(c.argument, s)
	}
	for msg, tries := c.msg, 0; ; tries++ {
		i := strings.Index(msg, " rejected ")
		if i < 0 {
			break
		}
		if tries > maxClaims {
			return false
		}
		var probe claim
		if readWhat(msg[i+len(" rejected "):], &probe) && !repeated(msg[i:min(len(msg), i+len(" rejected RCPT <"))]) {
			return true
		}
		msg = msg[i+1:]
	}
	return endsBehind(text, first, len(text)-len(c.msg), repeated)
}

// endsBehind reports that the quoted string in the claim's argument ends at or
// behind from, and that its end is nothing that the server repeats.
func endsBehind(text string, c *claim, from int, repeated func(string) bool) bool {
	end := len(text) - len(c.msg)
	arg := end
	if c.msg != "" {
		arg -= len(": ")
	}
	quote := strings.LastIndexByte(c.argument, '"')
	if quote < 0 || c.cut || !strings.HasSuffix(text[:arg], c.argument) {
		return false
	}
	start := arg - len(c.argument) + quote
	return start >= from && !repeated(text[start:end])
}

// disputed reports a refusal of somebody unknown, with what all readings agree on.
func (g *Grammar) disputed(all *readings, rec *relaylens.Record) relaylens.Verdict {
	c := &all.first.claim
	e := &rec.Event
	rec.Tainted, rec.Copied = true, true
	e.Direction = relaylens.Inbound
	e.Kind, e.Reason = g.judge(c)
	if all.reasons {
		e.Reason = relaylens.ReasonOther
		if e.Kind == relaylens.KindSenderVerify {
			e.Reason = relaylens.ReasonUnverified
		}
	}
	if !all.stages {
		e.Stage = c.stage
	}
	if !all.classes {
		e.Class = relaylens.Class5xx
		if c.temporary {
			e.Class = relaylens.Class4xx
		}
	}
	return relaylens.Parsed
}
