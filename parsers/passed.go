package parsers

import (
	"hash/maphash"

	"github.com/relaylens/relaylens"
)

const (
	maxPassed = 1 << 10
	// passedTTL is longer than any filter takes to hand on an answer.
	passedTTL = 60
)

// passedOn takes out of a refusal what the server behind a filter told of it, and
// reports whether that is all. It counts the refusals of those that may stand there:
// each is passed on once.
func (c *correlator) passedOn(r *scannedRecord, f *found, now int64) bool {
	e := &r.rec.Event
	if e.MTA != relaylens.Postfix || e.Direction != relaylens.Inbound {
		return false
	}
	atEnd, times := e.Stage == relaylens.StageEOD, uint32(repeats(&r.env))
	if r.rec.PassedOn {
		n := c.passed.Get(c.answerPassed(r, atEnd), now)
		if n == nil || *n == 0 {
			return false
		}
		told := min(*n, times)
		*n -= told
		r.env.Repeat = int(times - told)
		return told == times
	}
	if atEnd && e.QueueID != "" || e.ClientIP.IsLoopback() || f.behind {
		n, isNew := c.passed.Put(c.answerPassed(r, atEnd), now)
		if isNew {
			*n = 0
		}
		*n += times
	}
	return false
}

// answerPassed digests an answer the way both servers log it: that to the end of a
// message is without its code in one of the lines, and both know the client; of
// another command the server behind the filter may not know it.
func (c *correlator) answerPassed(r *scannedRecord, atEnd bool) uint64 {
	e := &r.rec.Event
	var h maphash.Hash
	h.SetSeed(c.seed)
	maphash.WriteComparable(&h, r.writer.hostKey)
	if atEnd {
		maphash.WriteComparable(&h, e.ClientIP)
	} else {
		maphash.WriteComparable(&h, e.Code)
	}
	h.WriteString(e.Enhanced)
	h.WriteByte(0)
	h.WriteString(e.Text)
	return h.Sum64()
}
