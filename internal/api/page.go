package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed" // for the page
	"encoding/base64"
	"errors"
	"html/template"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/ask"
	"github.com/relaylens/relaylens/store"
)

var (
	//go:embed style.css
	style string
	//go:embed page.html
	pageText string

	pageTemplate = template.Must(template.New("page").Parse(pageText))
)

// policy lets a browser use the style of the page, and load, run and send
// nothing but the page's own form.
var policy = func() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
}()

// pageSpan is one that the page can be about.
type pageSpan struct {
	name   string
	length time.Duration
	text   string
}

var pageSpans = []pageSpan{{"1h", time.Hour, "last hour"}, {"24h", 24 * time.Hour, "last 24 hours"}, {"7d", 7 * 24 * time.Hour, "last 7 days"}}

// pageQuestion is what a request wants the page to be about.
type pageQuestion struct {
	span    pageSpan
	matches []string
	match   relaylens.Match
	live    bool
}

// statusPage shows what is going on.
func (a *API) statusPage(c *call) {
	q, p := a.pageQuestion(c)
	if p != nil {
		c.refuse(*p)
		return
	}
	facts, err := a.page.get(c.r.Context(), q.span.name+"\x00"+strings.Join(q.matches, "\x00"), func() (*pageFacts, error) { return a.pageFacts(c, q) })
	if errors.Is(err, errAnswered) || c.r.Context().Err() != nil {
		return
	}
	if err != nil {
		a.fail(c.r.Context(), c, err)
		return
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, a.view(q, facts)); err != nil {
		a.fail(c.r.Context(), c, err)
		return
	}
	c.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	c.w.Header().Set("Content-Security-Policy", policy)
	c.write(b.Bytes())
}

func (a *API) pageQuestion(c *call) (q pageQuestion, p *problem) {
	name := "24h"
	if c.values.Has("span") {
		name = c.values.Get("span")
	}
	i := slices.IndexFunc(pageSpans, func(s pageSpan) bool { return s.name == name })
	if i < 0 {
		return q, wrong("span", name, "choose 1h, 24h or 7d", "the page is about no such span")
	}
	q.span = pageSpans[i]
	if most := a.o.Limits().Span; q.span.length > most {
		return q, wrong("span", name, "choose a shorter one, or raise web.max_span in the configuration", "web.max_span allows %s", most)
	}
	switch live := c.values.Get("live"); live {
	case "", "on", "off":
		q.live = live != "off"
	default:
		return q, wrong("live", live, "choose on or off", "the page knows no such word")
	}
	c.values["match"] = tidy(c.values["match"])
	q.matches = c.values["match"]
	q.match, p = c.match()
	return q, p
}

// tidy leaves out what a form sends that was not filled in, and every plus that
// has nothing to stand between any more.
func tidy(matches []string) []string {
	var kept []string
	for _, m := range matches {
		switch {
		case m == "":
		case m == "+" || m == " ":
			if len(kept) > 0 && kept[len(kept)-1] != "+" {
				kept = append(kept, "+")
			}
		default:
			kept = append(kept, m)
		}
	}
	if n := len(kept); n > 0 && kept[n-1] == "+" {
		kept = kept[:n-1]
	}
	return kept
}

// errAnswered says that the request is answered already.
var errAnswered = errors.New("the request is answered")

// pageFacts are what a page shows, before it is put into words.
type pageFacts struct {
	now     time.Time
	summary *ask.Summary
	totals  []pageTotal
	stats   store.Stats
}

// pageTotal is how many refusals there were in a span until now, and in the
// span before.
type pageTotal struct {
	label       string
	now, before int64
}

func (a *API) pageFacts(c *call, q pageQuestion) (*pageFacts, error) {
	ctx, end, ok := a.begin(c)
	if !ok {
		return nil, errAnswered
	}
	defer end()
	f, err := a.gather(ctx, q)
	if err != nil {
		a.fail(ctx, c, err)
		return nil, errAnswered
	}
	return f, nil
}

func (a *API) gather(ctx context.Context, q pageQuestion) (*pageFacts, error) {
	now := time.Now().In(a.o.Location)
	f := &pageFacts{now: now}
	var err error
	f.summary, err = ask.NewSummary(ask.SummaryOptions{Span: store.Span{Since: now.Add(-q.span.length)}, Match: q.match, Top: pageTop, Now: now, Location: a.o.Location})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.summary.CountStore(ctx, a.o.Store), ctx.Err()); err != nil {
		return nil, err
	}
	for _, t := range []pageSpan{{text: "last 5 minutes", length: 5 * time.Minute}, pageSpans[0], pageSpans[1]} {
		if !q.match.IsZero() && t.length > time.Hour {
			continue // which would read every event of two days
		}
		total := pageTotal{label: t.text}
		if total.now, err = ask.Count(ctx, a.o.Store, store.Span{Since: now.Add(-t.length), Until: now}, q.match); err != nil {
			return nil, err
		}
		if total.before, err = ask.Count(ctx, a.o.Store, store.Span{Since: now.Add(-2 * t.length), Until: now.Add(-t.length)}, q.match); err != nil {
			return nil, err
		}
		f.totals = append(f.totals, total)
	}
	f.stats, err = a.o.Store.Stats(ctx)
	return f, err
}

// pageCache keeps what was found out for a while, so that many readers cost what
// one does.
type pageCache struct {
	mu      sync.Mutex
	entries map[string]*pageEntry
}

type pageEntry struct {
	done  chan struct{}
	facts *pageFacts // nil when it went wrong
	until time.Time
}

const (
	// maxPages are kept.
	maxPages = 32
	// fresh is how long a page is shown again at least; one that took long to make
	// is shown for costs times as long.
	fresh = 5 * time.Second
	costs = 5
)

// get gives what is known under a key, or finds it. Who asks for what is being
// made waits for it; when its maker gives up, the next one tries.
func (p *pageCache) get(ctx context.Context, key string, find func() (*pageFacts, error)) (*pageFacts, error) {
	for {
		e, mine := p.entry(key)
		if mine {
			return p.fill(key, e, find)
		}
		select {
		case <-e.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if e.facts != nil {
			return e.facts, nil
		}
	}
}

// fill has e hold what find finds, or nobody wait for it any more, be it for a panic.
func (p *pageCache) fill(key string, e *pageEntry, find func() (*pageFacts, error)) (facts *pageFacts, err error) {
	began := time.Now()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		e.facts, e.until = facts, time.Now().Add(max(fresh, costs*time.Since(began)))
		if facts == nil {
			delete(p.entries, key)
		}
		close(e.done)
	}()
	return find()
}

// entry is what is known under a key; it is mine to fill when nothing is.
func (p *pageCache) entry(key string) (e *pageEntry, mine bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.entries == nil {
		p.entries = map[string]*pageEntry{}
	}
	now := time.Now()
	for k, e := range p.entries {
		if !e.until.IsZero() && now.After(e.until) {
			delete(p.entries, k)
		}
	}
	if e := p.entries[key]; e != nil {
		return e, false
	}
	e = &pageEntry{done: make(chan struct{})}
	if len(p.entries) < maxPages {
		p.entries[key] = e
	}
	return e, true
}
