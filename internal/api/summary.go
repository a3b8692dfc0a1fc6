package api

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/relaylens/relaylens/internal/ask"
	"github.com/relaylens/relaylens/summary"
)

const (
	defaultTop = 5
	// maxTop bounds the values of a list.
	maxTop = 1000
)

// summary is the command of that name with -o json.
func (a *API) summary(c *call) {
	o, p := a.summaryOptions(c, time.Now().In(a.o.Location))
	if p != nil {
		c.refuse(*p)
		return
	}
	s, err := ask.NewSummary(o)
	if err != nil {
		c.refuse(*wrong("by", strings.Join(o.By, ","), "choose fields of events, or sender_domain, recipient_domain, client_net, fault, date, hour", "%s", err))
		return
	}
	ctx, end, ok := a.begin(c)
	if !ok {
		return
	}
	defer end()
	if err := errors.Join(s.CountStore(ctx, a.o.Store), ctx.Err()); err != nil {
		a.fail(ctx, c, err)
		return
	}
	var text []byte
	if len(o.By) > 0 {
		text, err = s.Table().AppendJSON(nil)
	} else {
		text, err = s.Report(summary.PageSteps).AppendJSON(nil)
	}
	if err != nil {
		a.fail(ctx, c, err)
		return
	}
	c.w.Header().Set("Content-Type", "application/json")
	c.write(text)
}

func (a *API) summaryOptions(c *call, now time.Time) (o ask.SummaryOptions, p *problem) {
	o = ask.SummaryOptions{Now: now, Location: a.o.Location}
	if o.Span, p = c.bounded(now, ask.DefaultSpan, a.o.Limits().Span); p != nil {
		return o, p
	}
	if o.Match, p = c.match(); p != nil {
		return o, p
	}
	for _, by := range c.values["by"] {
		o.By = append(o.By, strings.Split(by, ",")...)
	}
	absent := defaultTop
	if len(o.By) > 0 {
		absent = ask.DefaultGroups
	}
	if o.Sketches, p = c.flag("sketches"); p != nil {
		return o, p
	}
	o.Top, p = c.number("top", absent, 1, maxTop, "")
	return o, p
}

// hosts tells what the store has of each host, an object a line.
func (a *API) hosts(c *call) {
	o, p := a.summaryOptions(c, time.Now().In(a.o.Location))
	answerLines(a, c, p, func(ctx context.Context) ([]*summary.Holding, error) { return ask.Hosts(ctx, a.o.Store, o) })
}

// findings is diagnose -o json: an object a line. Of very many refusals the
// latest are looked at, which the findings tell.
func (a *API) findings(c *call) {
	now := time.Now().In(a.o.Location)
	limits := a.o.Limits()
	q := ask.Findings{Most: limits.Events}
	var p *problem
	if q.Span, p = c.bounded(now, ask.DefaultSpan, limits.Span); p == nil {
		q.Match, p = c.match()
	}
	answerLines(a, c, p, func(ctx context.Context) ([]*summary.Diagnosis, error) { return q.Store(ctx, a.o.Store) })
}

// answerLines answers with what there is, an object a line, unless the question
// has a problem.
func answerLines[T interface {
	AppendJSON(dst []byte) ([]byte, error)
}](a *API, c *call, p *problem, find func(context.Context) ([]T, error)) {
	if p != nil {
		c.refuse(*p)
		return
	}
	ctx, end, ok := a.begin(c)
	if !ok {
		return
	}
	defer end()
	list, err := find(ctx)
	var text []byte
	for _, x := range list {
		if err == nil {
			text, err = x.AppendJSON(text)
		}
	}
	if err = errors.Join(err, ctx.Err()); err != nil {
		a.fail(ctx, c, err)
		return
	}
	c.w.Header().Set("Content-Type", "application/x-ndjson")
	c.write(text)
}
