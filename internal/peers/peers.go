// Package peers asks the HTTP API of other relaylens daemons, one or several, and puts
// their answers together: that is what --server does. A host that several of them
// have is counted at one of them only. What no honest server would answer is refused.
package peers

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/summary"
)

// Question is what is asked of every server.
type Question struct {
	Since, Until time.Time // zero is open
	Match        []string  // FIELD=VALUE, +
	Grep         string
	Number       int // of events; negative is all
	Reverse      bool
	Top          int // of the lists of a summary; negative is all
	By           []string
	Location     *time.Location
}

// Servers are asked at once. All have to answer: a part of the truth is none.
type Servers struct {
	urls   []*url.URL
	client *http.Client
}

// maxAnswer bounds what one server may say in one answer.
const maxAnswer = 256 << 20

// page is how many events one request asks for.
const page = 1000

// maxTop is the most values a server tells of a list.
const maxTop = 1000

// New takes URLs such as https://user:password@reader1.example.com:9725.
func New(servers []string) (*Servers, error) {
	s := &Servers{client: &http.Client{Timeout: 5 * time.Minute}}
	for _, text := range servers {
		if !strings.Contains(text, "://") {
			text = "http://" + text
		}
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" {
			return nil, fmt.Errorf("%q is no address of a server: write https://reader1.example.com:9725", redacted(text))
		}
		s.urls = append(s.urls, u)
	}
	return s, nil
}

func redacted(text string) string {
	if u, err := url.Parse(text); err == nil {
		return u.Redacted()
	}
	return "the URL"
}

// Summary is the summary of all servers together.
func (s *Servers) Summary(ctx context.Context, q Question) (*summary.Report, error) {
	values := q.values()
	top := q.Top
	if len(s.urls) > 1 || top < 0 {
		values.Set("top", strconv.Itoa(maxTop)) // the more is told, the smaller the error
	} else {
		values.Set("top", strconv.Itoa(min(top, maxTop)))
	}
	if len(s.urls) > 1 {
		values.Set("sketches", "true")
	}
	p, err := s.plan(ctx, &q, values, true)
	if err != nil {
		return nil, err
	}
	reports := make([]*summary.Report, len(s.urls))
	err = s.planned(ctx, "summary", p, func(i int, body []byte) error {
		reports[i] = &summary.Report{}
		return errors.Join(json.Unmarshal(body, reports[i]), reports[i].Check())
	})
	if err != nil {
		return nil, err
	}
	reports = slices.DeleteFunc(reports, func(r *summary.Report) bool { return r == nil })
	merged := summary.MergeReports(reports, top, q.Location)
	merged.Shared = p.shared
	return merged, nil
}

// Table is what all servers count by the fields of q.By.
func (s *Servers) Table(ctx context.Context, q Question) (*summary.GroupTable, error) {
	values := q.values()
	values.Set("by", strings.Join(q.By, ","))
	values.Set("top", strconv.Itoa(maxTop))
	p, err := s.plan(ctx, &q, values, false)
	if err != nil {
		return nil, err
	}
	tables := make([]*summary.GroupTable, len(s.urls))
	err = s.planned(ctx, "summary", p, func(i int, body []byte) error {
		tables[i] = &summary.GroupTable{}
		return errors.Join(json.Unmarshal(body, tables[i]), tables[i].Check(q.By))
	})
	if err != nil {
		return nil, err
	}
	tables = slices.DeleteFunc(tables, func(t *summary.GroupTable) bool { return t == nil })
	merged := summary.MergeTables(tables, q.Top, q.Location)
	merged.Shared = p.shared
	return merged, nil
}

// Findings are those of all servers.
func (s *Servers) Findings(ctx context.Context, q Question) ([]*summary.Diagnosis, error) {
	p, err := s.plan(ctx, &q, q.values(), false)
	if err != nil {
		return nil, err
	}
	lists := make([][]*summary.Diagnosis, len(s.urls))
	err = s.planned(ctx, "findings", p, func(i int, body []byte) error {
		return eachLine(body, func(line []byte) error {
			d := &summary.Diagnosis{}
			if lists[i] = append(lists[i], d); len(lists[i]) > summary.MaxDiagnoses {
				return errors.New("it tells of too many findings")
			}
			return cmp.Or(json.Unmarshal(line, d), d.Check())
		})
	})
	if err != nil {
		return nil, err
	}
	return summary.MergeDiagnoses(lists), nil
}

// Events gives the events of all servers in the order of their times, what
// several servers have once.
func (s *Servers) Events(ctx context.Context, q Question, emit func(*relaylens.Event) error) error {
	lists := make([][]relaylens.Event, len(s.urls))
	err := s.each(func(i int) (err error) {
		lists[i], err = s.eventsOf(ctx, i, q)
		return err
	})
	if err != nil {
		return err
	}
	events := slices.Concat(lists...)
	slices.SortStableFunc(events, func(a, b relaylens.Event) int {
		return cmp.Or(a.Time.Compare(b.Time), bytes.Compare(a.ID[:], b.ID[:]))
	})
	events = slices.CompactFunc(events, func(a, b relaylens.Event) bool { return a.ID == b.ID })
	if q.Number >= 0 && len(events) > q.Number {
		events = events[len(events)-q.Number:]
	}
	if q.Reverse {
		slices.Reverse(events)
	}
	for i := range events {
		if err := emit(&events[i]); err != nil {
			return err
		}
	}
	return nil
}

// eventsOf asks one server for the latest events, page by page.
func (s *Servers) eventsOf(ctx context.Context, i int, q Question) (events []relaylens.Event, err error) {
	values := q.values()
	values.Set("reverse", "true")
	if q.Grep != "" {
		values.Set("grep", q.Grep)
	}
	for q.Number < 0 || len(events) < q.Number {
		n := page
		if q.Number >= 0 {
			n = min(n, q.Number-len(events))
		}
		values.Set("n", strconv.Itoa(n))
		body, err := s.get(ctx, i, "events", values)
		if err != nil {
			return nil, err
		}
		before := len(events)
		err = eachLine(body, func(line []byte) error {
			var e relaylens.Event
			events = append(events, e)
			return json.Unmarshal(line, &events[len(events)-1])
		})
		if err != nil {
			return nil, fmt.Errorf("read the answer of %s: %w", s.urls[i].Redacted(), err)
		}
		if len(events)-before < n {
			break
		}
		values.Set("after_cursor", relaylens.CursorOf(&events[len(events)-1]).String())
	}
	return events, nil
}

func eachLine(body []byte, use func([]byte) error) error {
	lines := bufio.NewScanner(bytes.NewReader(body))
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		if err := use(lines.Bytes()); err != nil {
			return err
		}
	}
	return lines.Err()
}

func (q *Question) values() url.Values {
	v := url.Values{}
	if !q.Since.IsZero() {
		v.Set("since", q.Since.Format(time.RFC3339Nano))
	}
	if !q.Until.IsZero() {
		v.Set("until", q.Until.Format(time.RFC3339Nano))
	}
	for _, m := range q.Match {
		v.Add("match", m)
	}
	return v
}

// all asks every server the same and hands each answer on.
func (s *Servers) all(ctx context.Context, path string, values url.Values, use func(i int, body []byte) error) error {
	p := &plan{}
	for range s.urls {
		p.ask = append(p.ask, &values)
	}
	return s.planned(ctx, path, p, use)
}

// planned asks the servers what a plan says, and hands each answer on.
func (s *Servers) planned(ctx context.Context, path string, p *plan, use func(i int, body []byte) error) error {
	return s.each(func(i int) error {
		if p.ask[i] == nil {
			return nil
		}
		body, err := s.get(ctx, i, path, *p.ask[i])
		if err != nil {
			return err
		}
		if err := use(i, body); err != nil {
			return fmt.Errorf("read the answer of %s: %w; is it of another version?", s.urls[i].Redacted(), err)
		}
		return nil
	})
}

func (s *Servers) each(ask func(i int) error) error {
	errs := make([]error, len(s.urls))
	var asked sync.WaitGroup
	for i := range s.urls {
		asked.Go(func() { errs[i] = ask(i) })
	}
	asked.Wait()
	return errors.Join(errs...)
}

func (s *Servers) get(ctx context.Context, i int, path string, values url.Values) ([]byte, error) {
	u := s.urls[i].JoinPath("api", "v1", path)
	u.RawQuery = values.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", s.urls[i].Redacted(), err)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return nil, s.away(i, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the answer of %s: %w", s.urls[i].Redacted(), err)
	case len(body) > maxAnswer:
		return nil, fmt.Errorf("the answer of %s is longer than %d bytes; ask for less", s.urls[i].Redacted(), maxAnswer)
	case response.StatusCode != http.StatusOK:
		return nil, s.refused(i, path, response, body)
	}
	return body, nil
}

// away is the error of a server that cannot be asked.
func (s *Servers) away(i int, err error) error {
	if asked := (*url.Error)(nil); errors.As(err, &asked) {
		err = asked.Err // the rest is the URL of the question
	}
	hint := ""
	if errors.Is(err, syscall.ECONNREFUSED) {
		hint = "; is relaylens running there, and does its listen name an address that this machine reaches?"
	}
	return fmt.Errorf("ask %s: %w%s", s.urls[i].Redacted(), err, hint)
}

// refused is the error of an answer that is none.
func (s *Servers) refused(i int, path string, response *http.Response, body []byte) error {
	u := s.urls[i]
	said, ours := problem(body)
	missing := response.StatusCode == http.StatusNotFound
	if missing && ours && path == "hosts" && strings.Trim(u.Path, "/") == "" {
		return fmt.Errorf("%s is an older relaylens that cannot tell which hosts it has, and what others have, too, would count twice; update it, or ask it by itself", u.Redacted())
	}
	if missing && !ours {
		said += "; is a relaylens at this address?"
	}
	return fmt.Errorf("%s answers %s: %s", u.Redacted(), response.Status, relaylens.Escaped(said, 500))
}

// problem is what an RFC 9457 answer says, as relaylens gives one; or how another
// answer begins.
func problem(body []byte) (said string, ours bool) {
	var p struct{ Title, Detail, Remedy string }
	switch {
	case bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")):
		return "a web page", false
	case json.Unmarshal(body, &p) != nil:
		return strings.TrimSpace(string(body[:min(len(body), 200)])), false
	}
	parts := []string{cmp.Or(p.Detail, p.Title), p.Remedy}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; "), true
}
