package spike

import (
	"flag"
	"math"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/spike/simulate"
)

var (
	months    = flag.Int("months", 0, "how many months to simulate")
	firstSeed = flag.Uint64("seed", 1000, "the seed of the first month")
	given     = flag.Float64("offset", 0, "the oracle's offset, where it is known; then no other rule is calibrated")
	chatty    = flag.Bool("chatty", false, "tell of each false page and each miss")
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
}

// begin of every simulated month: a Monday, and not too close to a change of the year.
var beginMonth = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

type plan struct {
	seed      uint64
	incidents bool
	cold      bool // nothing is known at the begin
	offset    float64
	limit     float64
	ask       float64
	bare      bool // no other rules
	short     bool // two weeks, with the incidents of the server's own fault alone
}

func simulateMonth(p plan) *outcome {
	weeks := historyWeeks
	if p.short {
		weeks = 2
	}
	w := simulate.New(p.seed, beginMonth.AddDate(0, 0, -7*weeks))
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
		w.Plan(beginMonth)
	}
	out.incidents = w.Incidents
	o := newOracle(w, beginMonth.Unix()/pane)
	o.offset = p.offset
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
				return s.Series.By == PerCause && (s.Series.Fault() != relaylens.FaultAttacker || s.Growth() >= 10)
			}) {
				out.rules[4].say(now)
			}
		}
		if p.bare {
			continue
		}
		o.step(at, groups)
		out.note(o, s, groups, now)
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

// parallel makes n months.
func parallel(n int, f func(int) *outcome) []*outcome {
	outs := make([]*outcome, n)
	var wait sync.WaitGroup
	for worker := range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for i := worker; i < n; i += runtime.GOMAXPROCS(0) {
				outs[i] = f(i)
			}
		})
	}
	wait.Wait()
	return outs
}

// calibrate finds the threshold with which the oracle has as many false pages in
// clean months as we have, and that with which a static rate has one in each.
func calibrate(first uint64, n int) (offset float64, limits map[uint64]float64, wrong int) {
	var all []float64
	limits = map[uint64]float64{}
	for i, out := range parallel(n, func(i int) *outcome { return simulateMonth(plan{seed: first + uint64(i), ask: 1, bare: *given != 0}) }) {
		wrong += len(out.rules[0].falsePages(nil))
		if *given != 0 {
			continue
		}
		all = append(all, episodes(out.excess)...)
		peaks := episodes(out.peaks)
		slices.Sort(peaks)
		limits[first+uint64(i)] = peaks[len(peaks)-2]
	}
	if *given != 0 {
		return *given, limits, wrong
	}
	slices.Sort(all)
	return all[max(len(all)-1-max(wrong, 1), 0)], limits, wrong
}

// episodes are the local maxima: neighbours are one page.
func episodes(v []float64) (list []float64) {
	for i := range v {
		if (i == 0 || v[i] > v[i-1]) && (i+1 == len(v) || v[i] >= v[i+1]) && !math.IsInf(v[i], -1) {
			list = append(list, v[i])
		}
	}
	return list
}

// TestIncidents: what is this server's fault is found as soon as who knows the
// true rates can tell, give or take five minutes, and nothing else is.
func TestIncidents(t *testing.T) {
	const offset = -1.5 // with which the oracle pages once a month for nothing; see TestMonths
	o := simulateMonth(plan{seed: 3, short: true, offset: offset, ask: 1})
	for i := range o.incidents {
		in := &o.incidents[i]
		ours, found := o.rules[0].delay(in)
		theirs, told := o.rules[1].delay(in)
		if in.Name == simulate.Gap {
			continue
		}
		if !found || told && ours-theirs > 5*time.Minute {
			t.Errorf("%s found %v, after %v; the oracle, %v, after %v", in.Name, found, ours, told, theirs)
		}
	}
	if got := o.rules[0].falsePages(o.incidents); len(got) != 0 {
		t.Errorf("false pages: %v", got)
	}
}

// TestMonths prints how spikes are found in simulated months: make simulate. By
// itself it does nothing.
func TestMonths(t *testing.T) {
	if *months == 0 {
		return
	}
	offset, limits, wrong := calibrate(*firstSeed, *months)
	t.Logf("oracle's offset %.1f, %d false pages in as many clean months", offset, wrong)
	outs := parallel(*months, func(i int) *outcome {
		seed := *firstSeed + uint64(i)
		return simulateMonth(plan{seed: seed, incidents: true, cold: i%6 == 5, offset: offset, limit: limits[seed], ask: 1})
	})
	t.Log("\n" + table(outs) + "\n" + byName(outs))
	if *chatty {
		t.Log("\n" + details(outs))
	}
}
