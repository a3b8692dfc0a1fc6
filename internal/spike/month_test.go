package spike

import (
	"math"
	"slices"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/spike/simulate"
)

const (
	historyWeeks = 4
	slack        = 3*time.Hour + 15*time.Minute // for which windows remember an incident
	calmRule     = 30 * time.Minute             // between two pages of a rule
)

// rule is one way to tell when to page.
type rule struct {
	name string
	on   []span
	last time.Time
}

type span struct{ from, to time.Time }

// say notes that the rule would page at a time.
func (r *rule) say(at time.Time) {
	if n := len(r.on); n > 0 && at.Sub(r.last) < calmRule {
		r.on[n-1].to = at
	} else {
		r.on = append(r.on, span{at, at})
	}
	r.last = at
}

// delay is how long after its begin an incident was told of.
func (r *rule) delay(in *simulate.Incident) (time.Duration, bool) {
	for _, s := range r.on {
		if s.to.Before(in.Start) || !s.from.Before(in.End.Add(15*time.Minute)) {
			continue
		}
		if s.from.Before(in.Start) { // it told of something else
			return 0, r.name != "oracle"
		}
		return s.from.Sub(in.Start), true
	}
	return 0, false
}

// false lists the pages that no incident explains.
func (r *rule) falsePages(incidents []simulate.Incident) (list []time.Time) {
	nights := 7
	if r.name == "oracle" { // it has no memory
		nights = math.MaxInt
	}
	for _, s := range r.on {
		explained := slices.ContainsFunc(incidents, func(in simulate.Incident) bool {
			return in.Night <= nights && !s.from.Before(in.Start) && s.from.Before(in.End.Add(slack))
		})
		if !explained {
			list = append(list, s.from)
		}
	}
	return list
}

// static is `rate > N` and mean + 3 σ, over the refusals of five minutes.
type static struct {
	ring    ring
	day     []float64 // five-minute counts of the last day
	at      int
	limit   float64
	sum, sq float64
	filled  int
}

// outcome is one month.
type outcome struct {
	seed      uint64
	incidents []simulate.Incident
	rules     [6]rule // ours, oracle, rate > N, mean + 3 σ; ours and oracle where attacks have to be tenfold
	excess    []float64
	peaks     []float64
	spikes    []Spike
	why       *why
}

// begin of every simulated month: a Monday, and not too close to a change of the year.
var beginMonth = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

type plan struct {
	seed      uint64
	incidents bool
	names     []string // of the incidents, where not all
	cold      bool     // nothing is known at the begin
	offset    float64
	limit     float64
	ask       float64
	bare      bool // no other rules
	style     simulate.Style
	short     bool // two weeks, with the incidents of the server's own fault alone
}

func simulateMonth(p plan) *outcome {
	weeks := historyWeeks
	if p.short {
		weeks = 2
	}
	w := simulate.New(p.seed, beginMonth.AddDate(0, 0, -7*weeks))
	w.Style = p.style
	d := New(Settings{FalsePagesPerMonth: p.ask})
	counts := map[Count]int64{}
	for {
		at, groups, _ := w.Next()
		for i := range groups {
			counts[Count{Start: at.Truncate(time.Hour), Length: time.Hour, Kind: groups[i].Event.Kind, Cause: groups[i].Event.Cause}] += int64(groups[i].N)
		}
		if !at.Add(simulate.Pane).Before(beginMonth) {
			break
		}
	}
	if !p.cold {
		var list []Count
		for c, n := range counts {
			c.Events = n
			list = append(list, c)
		}
		d.Learn(list)
	}
	out := &outcome{seed: p.seed, rules: [6]rule{{name: "relaylens"}, {name: "oracle"}, {name: "rate > N"}, {name: "mean + 3 σ"}, {name: "relaylens"}, {name: "oracle"}}}
	last := 30 * 24 * time.Hour
	switch {
	case p.short:
		w.PlanShort(beginMonth)
		last = 7 * 24 * time.Hour
	case p.incidents:
		w.Plan(beginMonth, p.names...)
	}
	out.incidents = w.Incidents
	o := newOracle(w, beginMonth.Unix()/pane)
	o.offset = p.offset
	out.why = newWhy()
	s := &static{day: make([]float64, 24*60/5), limit: p.limit}
	s.ring.reset(beginMonth.Unix() / pane)
	for end := beginMonth.Add(last); ; {
		at, groups, down := w.Next()
		if !at.Before(end) {
			return out
		}
		if down {
			groups = nil
		}
		for i := range groups {
			d.AddN(&groups[i].Event, groups[i].N)
		}
		now := at.Add(simulate.Pane)
		if !down {
			out.spikes = append(out.spikes, d.Advance(now)...)
			if slices.ContainsFunc(d.Active(), func(s Spike) bool { return !s.Series.By.Entity() }) {
				out.rules[0].say(now)
			}
			if slices.ContainsFunc(d.Active(), func(s Spike) bool {
				return s.Series.By == PerCause && (s.Series.Cause.Fault() != relaylens.FaultAttacker || s.Growth() >= 10)
			}) {
				out.rules[4].say(now)
			}
		}
		if p.bare {
			continue
		}
		o.step(at, groups)
		out.note(o, s, groups, now)
		if p.incidents && !down {
			out.why.look(d, o, out.incidents, now, out.rules[0].last.Equal(now), out.rules[4].last.Equal(now))
		}
	}
}

func (out *outcome) note(o *oracle, s *static, groups []simulate.Group, now time.Time) {
	if o.excess > o.offset {
		out.rules[1].say(now)
	}
	if o.pages {
		out.rules[5].say(now)
	}
	if o.excess > -6 {
		out.peak(&out.excess, o.excess, now)
	}
	n := uint32(0)
	for i := range groups {
		n += uint32(groups[i].N)
	}
	s.ring.add(s.ring.head, n)
	s.ring.step()
	five := float64(s.ring.sums[1])
	out.peak(&out.peaks, five, now)
	if s.limit > 0 && five > s.limit {
		out.rules[2].say(now)
	}
	if s.filled == len(s.day) {
		mean := s.sum / float64(s.filled)
		if sigma := math.Sqrt(max(0, s.sq/float64(s.filled)-mean*mean)); five > mean+3*sigma && five >= 20 {
			out.rules[3].say(now)
		}
	}
	if s.ring.head%20 == 0 {
		s.sum += five - s.day[s.at]
		s.sq += five*five - s.day[s.at]*s.day[s.at]
		s.day[s.at] = five
		s.at, s.filled = (s.at+1)%len(s.day), min(s.filled+1, len(s.day))
	}
}

// peak keeps the largest value of each half hour.
func (out *outcome) peak(list *[]float64, v float64, now time.Time) {
	slot := int(now.Sub(beginMonth) / calmRule)
	for len(*list) <= slot {
		*list = append(*list, math.Inf(-1))
	}
	(*list)[slot] = max((*list)[slot], v)
}
