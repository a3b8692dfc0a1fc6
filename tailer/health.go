package tailer

import (
	"io/fs"
	"time"

	"go.uber.org/zap"
)

// gone notes that the path names nothing. What it named last is read on: its
// writer knows of no other file either.
func (f *follower) gone(now time.Time) {
	f.ok = false
	if f.missing.IsZero() {
		f.missing = now
	}
	f.initial = false
	if !f.walked || f.heard || f.walkDue(now) {
		f.walk()
	}
	if len(f.streams) > 0 && now.Sub(f.missing) < f.Drain {
		return
	}
	f.m.up.Set(0)
	if err := openError(f.path, fs.ErrNotExist); f.fault != err.Error() {
		f.fault = err.Error()
		f.log.Warn("waiting for file to appear", zap.Error(err))
	}
}

// failed notes an error that may pass. It is logged once.
func (f *follower) failed(op string, err error) {
	f.ok = false
	f.m.up.Set(0)
	f.m.errors.Inc()
	f.backoff = min(max(2*f.backoff, f.timing.poll), maxBackoff)
	e := openError(f.path, err)
	e.Op = op
	if f.fault != e.Error() {
		f.fault = e.Error()
		f.log.Error("source cannot be read, trying again", zap.Error(e))
	}
}

func (f *follower) present() {
	f.m.up.Set(1)
	f.backoff = 0
	if f.fault != "" {
		f.fault = ""
		f.log.Info("file can be read now", zap.String("path", f.path))
	}
}

func (f *follower) measure(now time.Time) {
	unread := int64(0)
	for _, s := range f.streams {
		unread += s.unread()
	}
	f.m.lag(unread, now)
}

// manyFiles are looked at unasked within a beat; more take their time, so that a
// thousand idle files cost nothing that can be measured.
const manyFiles = 50

// schedule says when to look again, heard or not.
func (f *follower) schedule(now time.Time) {
	wait := f.timing.beat * time.Duration(1+len(f.followers)/manyFiles)
	switch {
	case f.fault != "" && f.backoff > 0:
		wait = f.backoff
	case f.deaf, len(f.cancels) == 0:
		wait = f.timing.poll
	case len(f.streams) > 0 && !f.missing.IsZero(), f.draining(now):
		// Nothing announces what is written to a file under its new name.
		wait = f.timing.poll
	}
	f.due = now.Add(wait)
	if !f.again.IsZero() && f.again.Before(f.due) {
		f.due = f.again
	}
}
