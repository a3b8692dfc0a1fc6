package spike

import (
	"math"
	"slices"
)

const (
	historyHours = 35 * 24
	historyCells = 15 * 24 * 3600 / cell // two weeks, and the longest window before them
	unknown      = math.MaxUint32        // a stretch that nothing is known of: no zero
)

// history is what one series had in the last weeks: by hour, and for two weeks
// by cell.
type history struct {
	hours [historyHours]uint32
	cells [historyCells]uint32
	some  bool // any refusals at all
}

func newHistory() *history {
	h := &history{}
	for i := range h.hours {
		h.hours[i] = unknown
	}
	for i := range h.cells {
		h.cells[i] = unknown
	}
	return h
}

func mod(a, n int64) int64 { return ((a % n) + n) % n }

func (h *history) hour(i int64) uint32       { return h.hours[mod(i, historyHours)] }
func (h *history) setHour(i int64, n uint32) { h.hours[mod(i, historyHours)] = n; h.note(n) }
func (h *history) cell(i int64) uint32       { return h.cells[mod(i, historyCells)] }
func (h *history) setCell(i int64, n uint32) { h.cells[mod(i, historyCells)] = n; h.note(n) }
func (h *history) note(n uint32)             { h.some = h.some || n != 0 && n != unknown }

// forget takes an hour for one that nothing is known of.
func (h *history) forget(hour int64) {
	h.setHour(hour, unknown)
	for c := hour * 6; c < hour*6+6; c++ {
		h.setCell(c, unknown)
	}
}

// closeHour adds up the cells of hour i, of which half have to be known.
func (h *history) closeHour(i int64) {
	const perHour = 3600 / cell
	var sum, known uint32
	for c := i * perHour; c < (i+1)*perHour; c++ {
		if n := h.cell(c); n != unknown {
			sum += n
			known++
		}
	}
	if 2*known < perHour {
		h.setHour(i, unknown)
		return
	}
	h.setHour(i, sum*perHour/known)
}

// robustMean is the mean of counts of which some may be of attacks: it begins
// with the lower two thirds and then takes no count for more than what is
// plausible beside the others. The order of values is lost.
func robustMean(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	mean := 0.0
	lower := values[:(2*len(values)+2)/3]
	for _, v := range lower {
		mean += v
	}
	mean /= float64(len(lower))
	for range 4 {
		most, sum := plausible(mean), 0.0
		for _, v := range values {
			sum += min(v, most)
		}
		mean = sum / float64(len(values))
	}
	return mean
}

// plausible is a count that is seldom exceeded where mean is usual, of a source
// that is as bursty as mail is.
func plausible(mean float64) float64 {
	const burst, dispersion = 3, 0.06
	return mean + 2.5*math.Sqrt(burst*mean+dispersion*mean*mean) + 2
}

// profile is the refusals that an hour of the week usually has.
type profile struct {
	rate   [168]float64 // per hour
	doubt  [168]float64 // variance of the rate relative to its square, as too little was seen
	level  float64      // the last day beside it
	known  int          // hours
	total  float64      // refusals in them
	recent bool         // there was anything in the last weeks
}

// mean is the rate over the week, per hour.
func (p *profile) mean() (sum float64) {
	for _, rate := range p.rate {
		sum += rate * p.level / float64(len(p.rate))
	}
	return sum
}

// doubtOf is how uncertain the rate of an hour is, the variance relative to the
// square.
func (p *profile) doubtOf(slot int) float64 { return p.doubt[slot] + 1/(p.total+0.5) }

// learner has the room that learning a profile needs.
type learner struct {
	values   []float64
	week     [historyHours]uint8 // hour of the week of each hour of the history
	newest   int64
	frozen   int64 // hours from this one on leave the level as it is
	perSlot  [168][]float64
	perHour  [24][2][]float64 // workday, weekend
	ratios   []hourRatio
	days     []dayLevel
	allHours []float64
	noise    float64 // of the counts of one hour of the week
	ofDay    [24]float64
	ofClass  [24][2]float64
}

// hourRatio is what an hour had beside what it usually has.
type hourRatio struct{ n, mean float64 }

// newHours are the last hours that the windows reach back into, and what is
// foreseen for them.
const newHours = 4

// Monday is day 0 of the week.
func weekend(slot int) int {
	if slot/24 >= 5 {
		return 1
	}
	return 0
}

// learn makes p anew from the hours until newest. Nothing of l is kept but room.
func (l *learner) learn(h *history, p *profile) {
	p.recent = h.some
	l.sortIn(h, p)
	if !h.some {
		for i := range p.doubt {
			p.doubt[i] = doubt(float64(p.known)/24, 0, plainNoise)
		}
		return
	}
	all := robustMean(l.allHours)
	var class [2]float64
	for k := range class {
		class[k] = l.classMean(k, all)
	}
	l.hoursOfDay(all)
	l.hoursOfClass(class, all)
	l.hoursOfWeek(p)
	p.level = l.levelOf(h, p)
}

// mixed is the mean rate of the days that the hours of the day were seen on.
func (l *learner) mixed(hour int, class [2]float64, all float64) float64 {
	a, b := float64(len(l.perHour[hour][0])), float64(len(l.perHour[hour][1]))
	if m := (a*class[0] + b*class[1]); m > 0 {
		return m / (a + b)
	}
	return all
}

// doubt is what is not known of an hour's rate after n such hours, nClass of them
// on the same kind of day, which differ by noise.
func doubt(n, nClass, noise float64) float64 {
	const unseen, unseenClass = 0.5, 0.1
	return unseen/(1+n*unseen/noise) + unseenClass/(1+nClass*unseenClass/noise)
}

// shrink is the mean of n values and a prior that is worth weight of them.
func shrink(mean, n, prior, weight float64) float64 { return (mean*n + prior*weight) / (n + weight) }

func (l *learner) sortIn(h *history, p *profile) {
	for i := range l.perSlot {
		l.perSlot[i] = l.perSlot[i][:0]
	}
	for i := range l.perHour {
		l.perHour[i][0], l.perHour[i][1] = l.perHour[i][0][:0], l.perHour[i][1][:0]
	}
	l.allHours = l.allHours[:0]
	// What a window is compared with must not be made of the same refusals, once
	// there are days enough to do without.
	tooNew := int64(min(newHours, p.known/24))
	p.known, p.total = 0, 0
	for i := l.newest - historyHours + 1; i <= l.newest; i++ {
		n := h.hour(i)
		if n == unknown {
			continue
		}
		p.known++
		p.total += float64(n)
		if i > l.newest-tooNew {
			continue
		}
		slot := int(l.week[mod(i, historyHours)])
		l.perSlot[slot] = append(l.perSlot[slot], float64(n))
		k := weekend(slot)
		l.perHour[slot%24][k] = append(l.perHour[slot%24][k], float64(n))
		l.allHours = append(l.allHours, float64(n))
	}
}

// classMean is the mean of the hours of workdays or weekends, each hour of the
// day counting the same.
func (l *learner) classMean(k int, all float64) float64 {
	sum, n := 0.0, 0.0
	for hour := range 24 {
		if values := l.perHour[hour][k]; len(values) > 0 {
			l.values = append(l.values[:0], values...)
			sum += robustMean(l.values)
			n++
		}
	}
	if n == 0 {
		return all
	}
	return shrink(sum/n, n, all, 3)
}
