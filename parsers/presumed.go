package parsers

import (
	"strings"
	"time"

	"github.com/relaylens/relaylens"
)

// visit names what is presumed of a client: by its connection, or by its session.
func (c *correlator) visit(r *scannedRecord) uint64 {
	if r.rec.Event.ClientPort != 0 {
		return endpoint(r.writer, &r.rec.Event)
	}
	return r.keys.session
}

// presume keeps, replaces or withdraws what is presumed of a client. It returns
// the event that turned out to be one, now that the session is over.
func (p *Parser) presume(r *scannedRecord, now int64) *relaylens.Event {
	c, rec, e := p.memory, &r.rec, &r.rec.Event
	if c.presumed.Len() == 0 && !rec.Presumed || e.ClientPort == 0 && !r.keys.process {
		return nil
	}
	key := c.visit(r)
	switch {
	case rec.Presumed && e.Kind == relaylens.KindNone:
		c.presumed.Delete(key)
	case rec.Presumed:
		return p.suppose(r, key, now)
	case e.Refusal(), rec.Fact == relaylens.FactSession:
		return c.settle(rec, key, now)
	case rec.Fact == relaylens.FactSessionEnd:
		if told := c.withdraw(key, now); told.Kind != relaylens.KindNone && refusedBy(told.Stage, e.Text) {
			return &told
		}
	}
	return nil
}

// suppose keeps what is presumed now. It returns what was presumed of a command before.
func (p *Parser) suppose(r *scannedRecord, key uint64, now int64) *relaylens.Event {
	e := &r.rec.Event
	kept, isNew := p.memory.presumed.Put(key, now)
	if !isNew && !ofCommand(kept) {
		return nil
	}
	if !p.options.NoIDs {
		e.ID = relaylens.NewID(r.line, 0)
	}
	was := *kept
	*kept = e.Clone()
	if !isNew && was.Kind != relaylens.KindNone {
		return &was
	}
	return nil
}

// settle ends what is presumed with a refusal that is told, or another session. It
// returns what was one of its own, and gives the refusal the reason that was told before.
func (c *correlator) settle(rec *relaylens.Record, key uint64, now int64) *relaylens.Event {
	e, was := &rec.Event, c.withdraw(key, now)
	switch {
	case !ofCommand(&was):
	case !toldAtEnd(&was, rec):
		if was.Kind != relaylens.KindNone {
			return &was
		}
	case was.Kind == relaylens.KindNone:
		e.Kind = relaylens.KindNone // told by the server behind the filter
	}
	if was.RemoteHost != "" && (e.Text == "" || e.Reason == was.Reason) {
		e.Reason, e.Text, e.RemoteHost = was.Reason, was.Text, was.RemoteHost // why, and which filter
	}
	return nil
}

// withdraw returns what is presumed of a client, none if nothing is, and forgets it.
func (c *correlator) withdraw(key uint64, now int64) (was relaylens.Event) {
	if kept := c.presumed.Get(key, now); kept != nil {
		was = *kept
		c.presumed.Delete(key)
	}
	return was
}

// presumedBefore reports whether a server behind the filter told of what is presumed of
// a command. Of commands that follow each other without another line nothing is presumed.
func (p *Parser) presumedBefore(r *scannedRecord, f *found, now int64) bool {
	if repeats(&r.env) > 1 {
		r.rec.Presumed = false
		return false
	}
	if !r.rec.PassedOn {
		return false
	}
	all, _ := p.passedOn(r, f, now)
	if all {
		e := &r.rec.Event
		if kept, isNew := p.memory.presumed.Put(p.memory.visit(r), now); isNew || kept.Kind == relaylens.KindNone {
			*kept = relaylens.Event{Time: e.Time, Stage: e.Stage, Code: e.Code, Text: strings.Clone(e.Text)}
		}
	}
	return all
}

// ofCommand reports whether it is presumed that one command was refused, as another
// one is on its own.
func ofCommand(e *relaylens.Event) bool {
	return e.Stage == relaylens.StageRcpt || e.Stage == relaylens.StageData
}

// toldAtEnd reports whether a filter's answer to a command became that to the end of
// the message, which has a line of its own: smtpd may ask the filter only then.
func toldAtEnd(was *relaylens.Event, rec *relaylens.Record) bool {
	e := &rec.Event
	return rec.PassedOn && e.Stage == relaylens.StageEOD && e.Time.Sub(was.Time) <= time.Duration(sameAnswer)*time.Second && (was.Code == 0 || was.Code == e.Code && strings.HasSuffix(e.Text, was.Text))
}

// refusedBy reports whether what was presumed at a stage happened, by what the end of
// the session says. smtpd counts the commands that it read, "commands=0/0" of a client
// that was refused before any.
func refusedBy(stage relaylens.Stage, counts string) bool {
	switch stage {
	case relaylens.StageHelo:
		return helloRefused(counts)
	case relaylens.StageConnect:
		return !strings.Contains(counts, "commands=") || strings.HasSuffix(counts, "commands=0/0")
	}
	return true
}

// helloRefused reports whether the counts of a session, "ehlo=0/1 commands=0/1",
// say that HELO or EHLO was refused.
func helloRefused(counts string) bool {
	for _, verb := range [...]string{"helo=", "ehlo="} {
		if _, after, ok := strings.Cut(counts, verb); ok {
			count, _, _ := strings.Cut(after, " ")
			if strings.IndexByte(count, '/') >= 0 {
				return true
			}
		}
	}
	return false
}
