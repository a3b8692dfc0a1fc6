package api

import (
	"context"
	"net/http"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/ask"
)

const (
	// defaultEvents are listed when no number is given, defaultFollowed when they
	// are followed.
	defaultEvents   = 1000
	defaultFollowed = 10
	// maxPattern is the longest pattern; how long one takes to match grows with it.
	maxPattern = 1000
	// slowest is how long a client may take to accept a portion of the answer.
	slowest = 30 * time.Second
	portion = 32 << 10
)

// events is the command of that name with -o json, as it streams by.
func (a *API) events(c *call) {
	q, follow, p := a.eventsQuestion(c, time.Now().In(a.o.Location))
	if p != nil {
		c.refuse(*p)
		return
	}
	s := &stream{c: c, control: http.NewResponseController(c.w)}
	if c.r.Method == http.MethodHead {
		s.header()
		return
	}
	if follow {
		a.follow(c, q, s)
		return
	}
	ctx, end, ok := a.begin(c)
	if !ok {
		return
	}
	defer end()
	err := q.Store(ctx, a.o.Store, s.event)
	if err == nil {
		err = s.flush()
	}
	s.end(ctx, a, err)
}

func (a *API) follow(c *call, q *ask.Events, s *stream) {
	select {
	case a.followers <- struct{}{}:
		defer func() { <-a.followers }()
	default:
		c.busy("%d clients follow", maxFollowers)
		return
	}
	ctx, cancel := context.WithCancel(c.r.Context())
	defer cancel()
	defer context.AfterFunc(a.closed, cancel)()
	s.end(ctx, a, q.Follow(ctx, a.o.Store, s.event, s.flush))
}

func (a *API) eventsQuestion(c *call, now time.Time) (q *ask.Events, follow bool, p *problem) {
	q = &ask.Events{}
	if q.Span, p = c.span(now); p != nil {
		return nil, false, p
	}
	if q.Match, p = c.match(); p != nil {
		return nil, false, p
	}
	if q.Keep, p = c.pattern(); p != nil {
		return nil, false, p
	}
	if q.Reverse, p = c.flag("reverse"); p != nil {
		return nil, false, p
	}
	if follow, p = c.flag("follow"); p != nil {
		return nil, false, p
	}
	if follow && q.Reverse {
		return nil, false, wrong("reverse", c.values.Get("reverse"), "choose one of follow and reverse", "what is followed comes in its order")
	}
	if text := c.values.Get("after_cursor"); c.values.Has("after_cursor") {
		cursor, err := relaylens.ParseCursor(text)
		if err != nil {
			return nil, false, wrong("after_cursor", text, "give the cursor that relaylens events --show-cursor or the trailer Relaylens-Cursor told", "this is no cursor")
		}
		q.From, q.After = &cursor, true
	}
	most := a.o.Limits().Events
	absent := min(defaultEvents, most)
	if follow && !c.values.Has("since") && q.From == nil {
		absent = min(defaultFollowed, most)
	}
	q.Number, p = c.number("n", absent, 0, most, "; ask for the next ones with after_cursor, or raise web.max_events in the configuration")
	return q, follow, p
}

// pattern reads grep, with the case rule of journalctl(1).
func (c *call) pattern() (func(*relaylens.Event) bool, *problem) {
	text := c.values.Get("grep")
	switch {
	case text == "":
		return nil, nil
	case len(text) > maxPattern:
		return nil, wrong("grep", text, "write a shorter one, or use match", "the pattern has more than %d bytes", maxPattern)
	}
	keep, err := ask.Pattern(text, ask.SmallLetters(text))
	if err != nil {
		return nil, wrong("grep", text, "write RE2, as https://github.com/google/re2/wiki/Syntax tells", "%s", err)
	}
	return keep, nil
}

// cursorTrailer tells, behind the last event, where to go on.
const cursorTrailer = "Relaylens-Cursor"

// stream sends events in portions. The first one is sent at once.
type stream struct {
	c       *call
	control *http.ResponseController
	buf     []byte
	began   bool
	last    relaylens.Cursor
}

func (s *stream) header() {
	s.began = true
	s.c.w.Header().Set("Content-Type", "application/x-ndjson")
	s.c.w.Header().Set("Trailer", cursorTrailer)
}

func (s *stream) event(e *relaylens.Event) error {
	s.buf = append(e.AppendJSON(s.buf), '\n')
	s.last = relaylens.CursorOf(e)
	if s.began && len(s.buf) < portion {
		return nil
	}
	return s.flush()
}

func (s *stream) flush() error {
	if !s.began {
		s.header()
	}
	// Servers without deadlines, as in tests, have slow clients of their own.
	_ = s.control.SetWriteDeadline(time.Now().Add(slowest))
	if _, err := s.c.w.Write(s.buf); err != nil {
		return err
	}
	s.buf = s.buf[:0]
	return s.control.Flush()
}

// end closes the answer. One that is not whole is broken off, so that nobody
// takes it for the whole.
func (s *stream) end(ctx context.Context, a *API, err error) {
	switch {
	case err == nil:
		if s.last != (relaylens.Cursor{}) {
			s.c.w.Header().Set(cursorTrailer, s.last.String())
		}
	case !s.began:
		a.fail(ctx, s.c, err)
	default:
		if a.o.Failed != nil && ctx.Err() == nil && s.c.r.Context().Err() == nil {
			a.o.Failed(err)
		}
		panic(http.ErrAbortHandler)
	}
}
