package summary

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// setFormer adds the values of the span before, of which a merged list has to tell
// how many events they had, and which of its own are new.
func (l *List) setFormer(t *tally, field int) {
	top := t.lists[field]
	l.FormerBound = top.Bound() + t.rest[field].bound
	for _, e := range top.List(maxValues) {
		if l.Former == nil {
			l.Former = make(map[string]int64, top.Len())
		}
		l.Former[e.Key] = e.Count - e.Error
	}
}

// former is how many events the span before had of a value in all lists together,
// and how many more there can have been.
func former(lists []List, value string) (events, bound int64) {
	for i := range lists {
		events += lists[i].Former[value]
		bound += lists[i].FormerBound
	}
	return events, bound
}

// setBefore says how many events each value had in the span before, where that is
// known to a tenth.
func (l *List) setBefore(lists []List) {
	for i := range l.Values {
		v := &l.Values[i]
		events, bound := former(lists, v.Value)
		if v.Before = nil; bound*10 <= events {
			v.Before = &events
		}
	}
}

// setNews tells what no server had in the span before: the causes, and the top
// largest values. One that is new at a server is not when another one had it, or may
// have had so much of it that it would not stand out.
func (r *Report) setNews(reports []*Report, top int, location *time.Location) {
	if r.New = []New{}; r.Before == nil {
		return
	}
	lists, candidates := map[string][]List{}, map[string]map[string]*New{}
	for _, report := range reports {
		for _, l := range append(slices.Clone(report.Lists), report.Remote.Servers) {
			lists[l.Field] = append(lists[l.Field], l)
		}
		for _, n := range report.New {
			if candidates[n.Field] == nil {
				candidates[n.Field] = map[string]*New{}
			}
			candidates[n.Field][n.Value] = &n
		}
	}
	var news []New
	for field, same := range lists {
		values, _, _ := sumItems(same)
		for value, n := range candidates[field] {
			if x := values[value]; x != nil {
				n.Events, n.First, n.Name = x.Events, x.First, x.Name
			}
			events, bound := former(same, value)
			if events == 0 && n.Events >= 10*bound {
				n.First, n.Before = within(n.First, location), bound
				news = append(news, *n)
			}
		}
	}
	r.New = append(newCauses(r.New, r.Causes), largestNews(news, top)...)
}

// largestNews are the top with the most events, all when top is negative.
func largestNews(news []New, top int) []New {
	slices.SortFunc(news, func(a, b New) int {
		return cmp.Or(cmp.Compare(b.Events, a.Events), strings.Compare(a.Value, b.Value), strings.Compare(a.Field, b.Field))
	})
	if top >= 0 {
		news = news[:min(top, len(news))]
	}
	return news
}
