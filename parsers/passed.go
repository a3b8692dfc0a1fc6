package parsers

import (
	"hash/maphash"
	"net/netip"

	"github.com/relaylens/relaylens"
)

const (
	maxPassed = 1 << 10
	// passedTTL is longer than any filter takes to hand on an answer.
	passedTTL = 60
	// maxFilters are the hosts of which it is remembered that they have a filter.
	maxFilters = 256
)

// noteFilter remembers that there is a filter: lines of the server before it show that,
// of its messages as of its answers, or of the one behind it, whom it tells the client.
func (c *correlator) noteFilter(r *scannedRecord, now int64) {
	if r.mta != relaylens.Postfix {
		return
	}
	rec := &r.rec
	if rec.PassedOn || rec.Fact == relaylens.FactMessage && r.keys.message == 0 || rec.Fact == relaylens.FactChild && rec.Event.ClientIP.IsValid() {
		c.filters.Put(r.writer.hostKey, now)
	}
}

// passedOn takes out of a refusal what the server behind a filter told of it, and
// reports whether that is all. It counts the refusals of those that may stand there:
// each is passed on once. One that names the filter for the client is to wait under
// key, if that is not 0, for the line that names the client.
func (p *Parser) passedOn(r *scannedRecord, f *found, now int64) (all bool, key uint64) {
	c, e := p.memory, &r.rec.Event
	if e.MTA == relaylens.Sendmail {
		return p.submitted(r, now), 0
	}
	if e.MTA != relaylens.Postfix {
		return false, 0
	}
	if e.Direction != relaylens.Inbound {
		return p.returned(r, now), 0
	}
	atEnd, times := e.Stage == relaylens.StageEOD, uint32(repeats(&r.env))
	if r.rec.PassedOn {
		told := p.takeTold(c.answerPassed(r, atEnd, e.ClientIP), times, e, now)
		if atEnd && told < times {
			told += p.takeTold(c.answerPassed(r, atEnd, netip.Addr{}), times-told, e, now)
		}
		r.env.Repeat = int(times - told)
		return told == times, 0
	}
	local := e.ClientIP.IsLoopback()
	if !(atEnd && e.QueueID != "" || local || f.behind) {
		return false, 0
	}
	client := e.ClientIP
	if local {
		client = netip.Addr{}
	}
	answer := c.answerPassed(r, atEnd, client)
	p.noteTold(answer, times, now)
	p.noteTold(c.answerAbout(r, aboutOf(e)), times, now)
	if local && c.filters.Get(r.writer.hostKey, now) != nil {
		key = answer
	}
	return false, key
}

// returned reports whether what a filter behind the queue answers was told by the server
// behind it, and tells those refusals whose client it is: the filter's message's.
func (p *Parser) returned(r *scannedRecord, now int64) bool {
	c, e := p.memory, &r.rec.Event
	if !e.RemoteIP.IsLoopback() {
		return false
	}
	n := c.passed.Get(c.answerAbout(r, aboutOf(e)), now)
	if n == nil || *n == 0 {
		return false
	}
	*n--
	if e.Stage == relaylens.StageRcpt {
		p.takeTold(c.answerPassed(r, false, netip.Addr{}), 1, e, now)
	}
	return true
}

// noteTold notes that an answer was told so many times more.
func (p *Parser) noteTold(answer uint64, times uint32, now int64) {
	n, isNew := p.memory.passed.Put(answer, now)
	if isNew {
		*n = 0
	}
	*n += times
}

// takeTold takes at most so many of what was told of one answer, and tells those that
// wait for their client that it is e's.
func (p *Parser) takeTold(answer uint64, most uint32, e *relaylens.Event, now int64) uint32 {
	n := p.memory.passed.Get(answer, now)
	if n == nil {
		return 0
	}
	told := min(*n, most)
	*n -= told
	p.memory.held.name(answer, int(told), e, p.out)
	return told
}

// answerPassed digests an answer the way both servers log it: that to the end of a
// message is without its code in one of the lines, and both may know the client; of
// another command the server behind the filter does not know it.
func (c *correlator) answerPassed(r *scannedRecord, atEnd bool, client netip.Addr) uint64 {
	e := &r.rec.Event
	var h maphash.Hash
	h.SetSeed(c.seed)
	maphash.WriteComparable(&h, r.writer.hostKey)
	if atEnd {
		maphash.WriteComparable(&h, client)
	} else {
		maphash.WriteComparable(&h, e.Code)
	}
	h.WriteString(e.Enhanced)
	h.WriteByte(0)
	h.WriteString(e.Text)
	return h.Sum64()
}

// submitted reports whether a refusal was told by the server of the same machine,
// to which Sendmail's programs hand what is submitted: both log it, as who refused
// and as who was refused.
func (p *Parser) submitted(r *scannedRecord, now int64) (all bool) {
	c, e := p.memory, &r.rec.Event
	times := uint32(repeats(&r.env))
	if e.Direction == relaylens.Inbound {
		if e.ClientIP.IsLoopback() || !e.ClientIP.IsValid() {
			p.noteTold(c.answerAbout(r, subjectOf(e)), times, now)
		}
		return false
	}
	if !e.RemoteIP.IsLoopback() {
		return false
	}
	told := uint32(0)
	for _, about := range [...]string{e.Recipient, e.Sender, ""} {
		if n := c.passed.Get(c.answerAbout(r, about), now); n != nil {
			taken := min(*n, times-told)
			*n -= taken
			told += taken
		}
	}
	r.env.Repeat = int(times - told)
	return told == times
}

// subjectOf is the address that a refusal is about.
func subjectOf(e *relaylens.Event) string {
	switch e.Stage {
	case relaylens.StageRcpt:
		return e.Recipient
	case relaylens.StageMail:
		return e.Sender
	}
	return ""
}

// aboutOf is the address by which both sides know what a refusal concerns.
func aboutOf(e *relaylens.Event) string {
	if e.Stage == relaylens.StageRcpt {
		return e.Recipient
	}
	return e.Sender
}

// answerAbout digests an answer about an address the way both sides log it: the
// server may leave out the codes.
func (c *correlator) answerAbout(r *scannedRecord, about string) uint64 {
	var h maphash.Hash
	h.SetSeed(c.seed)
	maphash.WriteComparable(&h, r.writer.hostKey+uint64(r.mta))
	h.WriteString(about)
	h.WriteByte(0)
	h.WriteString(r.rec.Event.Text)
	return h.Sum64()
}
