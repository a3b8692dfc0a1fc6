package api

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/timespec"
	"github.com/relaylens/relaylens/store"
)

// call is one request on its way.
type call struct {
	w      http.ResponseWriter
	r      *http.Request
	values url.Values
}

// readQuery reads the parameters and checks that they are those of e.
func (c *call) readQuery(e *endpoint) *problem {
	if len(c.r.URL.RawQuery) > maxQuery {
		return &problem{Status: http.StatusRequestURITooLong, Detail: fmt.Sprintf("the parameters have more than %d bytes", maxQuery), Remedy: "ask with fewer matches"}
	}
	var err error
	if c.values, err = url.ParseQuery(c.r.URL.RawQuery); err != nil {
		return &problem{Status: http.StatusBadRequest, Detail: "the parameters cannot be read: " + err.Error(), Remedy: "percent-encode them, as curl --get --data-urlencode does"}
	}
	for name, values := range c.values {
		switch {
		case !slices.Contains(e.params, name):
			remedy := "this path has no parameters"
			if s := relaylens.Suggest(name, e.params); s != "" {
				remedy = "did you mean " + s + "?"
			} else if len(e.params) > 0 {
				remedy = "choose of " + strings.Join(e.params, ", ")
			}
			return wrong(relaylens.Escaped(name, maxQuoted), values[0], remedy, "there is no such parameter")
		case len(values) > 1 && !slices.Contains(e.many, name):
			return wrong(name, values[1], "give it once", "the parameter stands there %d times", len(values))
		}
	}
	return nil
}

// timeForms are what a time may look like.
const timeForms = `write it as 2006-01-02T15:04:05Z, "2006-01-02 15:04", 15:04, today, yesterday, -2h or @1700000000`

// span reads since and until, as the commands do: an event at the time of until
// itself belongs to the span.
func (c *call) span(now time.Time) (span store.Span, p *problem) {
	for _, bound := range []struct {
		name string
		to   *time.Time
	}{{"since", &span.Since}, {"until", &span.Until}} {
		text, given := c.values.Get(bound.name), c.values.Has(bound.name)
		if !given {
			continue
		}
		t, err := timespec.Parse(text, now)
		if err != nil {
			return span, wrong(bound.name, text, timeForms, "this is no time")
		}
		*bound.to = t
	}
	if !span.Until.IsZero() {
		if span.Since.After(span.Until) {
			return span, wrong("since", c.values.Get("since"), "give an earlier since or a later until", "it is after until, %s", relaylens.Escaped(c.values.Get("until"), maxQuoted))
		}
		span.Until = span.Until.Add(1)
	}
	return span, nil
}

// bounded is span with the last 24 hours in place of no since, and not longer
// than most.
func (c *call) bounded(now time.Time, whole, most time.Duration) (store.Span, *problem) {
	span, p := c.span(now)
	if p != nil {
		return span, p
	}
	until := span.Until
	if until.IsZero() {
		until = now
	}
	if span.Since.IsZero() {
		span.Since = until.Add(-min(whole, most))
	}
	if length := until.Sub(span.Since); length > most+time.Nanosecond {
		return span, wrong("since", c.values.Get("since"), "ask about less, or raise web.max_span in the configuration",
			"the span of %s is longer than the %s that web.max_span allows", stretch(length), stretch(most))
	}
	return span, nil
}

// stretch is a length of time as a person says it.
func stretch(d time.Duration) string {
	if d < 48*time.Hour {
		return d.Round(time.Second).String()
	}
	return fmt.Sprintf("%.0f days", d.Hours()/24)
}

// match reads the match parameters, each one FIELD=VALUE or a plus.
func (c *call) match() (relaylens.Match, *problem) {
	args := slices.Clone(c.values["match"])
	for i, arg := range args {
		if arg == " " { // what a plus means in a URL unless it is encoded
			args[i] = "+"
		}
	}
	m, err := relaylens.ParseMatch(args)
	if err != nil {
		at := ""
		for _, arg := range args {
			if _, e := relaylens.ParseMatch([]string{arg}); arg != "+" && e != nil {
				at = arg
				break
			}
		}
		return m, wrong("match", at, "write FIELD=VALUE, percent-encoded, as relaylens events takes it", "%s", err)
	}
	return m, nil
}

// number reads a whole number within bounds; more is what else can be done.
func (c *call) number(name string, absent, least, most int, more string) (int, *problem) {
	if !c.values.Has(name) {
		return absent, nil
	}
	text := c.values.Get(name)
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, wrong(name, text, fmt.Sprintf("write a number of %d to %d%s", least, most, more), "this is no such number")
	}
	return n, nil
}

// flag reads true or false; the bare name is true.
func (c *call) flag(name string) (bool, *problem) {
	switch text := c.values.Get(name); {
	case !c.values.Has(name), text == "false", text == "0":
		return false, nil
	case text == "true", text == "1", text == "":
		return true, nil
	default:
		return false, wrong(name, text, "write true or false", "this is neither true nor false")
	}
}

// write sends the whole answer, of which HEAD wants the header only.
func (c *call) write(text []byte) {
	c.w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	if c.r.Method != http.MethodHead {
		_, _ = c.w.Write(text) // a client that left is no concern of ours
	}
}
