package spike

import (
	"flag"
	"math"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/relaylens/relaylens/internal/spike/simulate"
)

var (
	months    = flag.Int("months", 0, "how many months to simulate")
	firstSeed = flag.Uint64("seed", 1000, "the seed of the first month")
	given     = flag.Float64("offset", 0, "the oracle's offset, where it is known; then no other rule is calibrated")
	only      = flag.String("only", "", "the name of the only incident that there is")
	style     = flag.String("style", "", "of the background: sessions or nets; plain by default")
	chatty    = flag.Bool("chatty", false, "tell of each false page and each miss")
)

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
	for i, out := range parallel(n, func(i int) *outcome {
		return simulateMonth(plan{seed: first + uint64(i), ask: 1, bare: *given != 0, style: simulate.Style(*style)})
	}) {
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
	t.Parallel()
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

// TestStyles: where clients or networks have bursts out of a heavy tail, hardly any of
// them pages once some were seen.
func TestStyles(t *testing.T) {
	t.Parallel()
	var pages [3]int
	var wait sync.WaitGroup
	styles := [3]simulate.Style{simulate.Plain, simulate.Sessions, simulate.Nets}
	for i, style := range styles {
		wait.Go(func() { pages[i] = pagesOf(style) })
	}
	wait.Wait()
	for i, n := range pages[1:] {
		if n > pages[0]+2 {
			t.Errorf("%s: %d false pages in two weeks, without such bursts %d", styles[1+i], n, pages[0])
		}
	}
}

// pagesOf are the pages of two weeks without incidents, after one of learning.
func pagesOf(style simulate.Style) int {
	w, d, page := simulate.New(40, monday), New(Settings{}), rule{}
	w.Style = style
	for at, groups, _ := w.Next(); at.Before(monday.AddDate(0, 0, 21)); at, groups, _ = w.Next() {
		for i := range groups {
			d.AddN(&groups[i].Event, groups[i].N)
		}
		now := at.Add(simulate.Pane)
		if d.Advance(now); len(d.Active()) > 0 && at.After(monday.AddDate(0, 0, 7)) {
			page.say(now)
		}
	}
	return len(page.on)
}

// TestMonths prints how spikes are found in simulated months: make simulate. By
// itself it does nothing.
func TestMonths(t *testing.T) {
	if *months == 0 {
		return
	}
	offset, limits, wrong := calibrate(*firstSeed, *months)
	t.Logf("oracle's offset %.1f, %d false pages in as many clean months", offset, wrong)
	var names []string
	if *only != "" {
		names = []string{*only}
	}
	outs := parallel(*months, func(i int) *outcome {
		seed := *firstSeed + uint64(i)
		return simulateMonth(plan{seed: seed, incidents: true, names: names, cold: i%6 == 5, offset: offset, limit: limits[seed], ask: 1, style: simulate.Style(*style)})
	})
	t.Log("\n" + table(outs) + "\n" + byName(outs))
	if *chatty {
		t.Log("\n" + details(outs))
	}
}
