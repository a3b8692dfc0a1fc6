package spike

import (
	"slices"
	"time"
)

// Learn takes what the store knows of the past, in any order, hourly or finer.
// It is called once, before the first event. Hours from the first to the last
// that nothing is told of had none, unless that is implausible.
func (d *Detector) Learn(counts []Count) {
	if len(counts) == 0 || d.begun {
		return
	}
	oldest := slices.MinFunc(counts, func(a, b Count) int { return a.Start.Compare(b.Start) })
	newest := slices.MaxFunc(counts, func(a, b Count) int { return a.Start.Compare(b.Start) })
	last := floorDiv(newest.Start.Unix(), 3600)
	first := max(floorDiv(oldest.Start.Unix(), 3600), last-historyHours+1)
	d.place(counts, first, last)
	d.gaps(first, last)
	d.train(first, last)
	d.learned = last
}

// place puts counts where they belong.
func (d *Detector) place(counts []Count, first, last int64) {
	for _, t := range d.tracks {
		for h := first; h <= last; h++ {
			t.history.setHour(h, 0)
			for c := h * 6; c < h*6+6; c++ {
				t.history.setCell(c, 0)
			}
		}
	}
	for i := range counts {
		c := &counts[i]
		at := c.Start.Unix()
		hour := floorDiv(at, 3600)
		if hour < first || !c.Kind.Refusal() {
			continue
		}
		for _, i := range indexes(c.Kind, c.Cause) {
			h := d.tracks[i].history
			h.setHour(hour, h.hour(hour)+uint32(c.Events))
			if hour <= last-historyCells/6 {
				continue // older than any cell
			}
			if c.Length <= cell*time.Second {
				h.setCell(floorDiv(at, cell), h.cell(floorDiv(at, cell))+uint32(c.Events))
				continue
			}
			d.coarse[mod(hour, historyHours)] = true
			for part := range int64(6) { // what does not divide goes to the first
				n := (c.Events + 5 - part) / 6
				h.setCell(hour*6+part, h.cell(hour*6+part)+uint32(n))
			}
		}
	}
}

// gaps finds the hours in which the log was not read.
func (d *Detector) gaps(first, last int64) {
	total := d.tracks[0].history
	var hours []float64
	for h := first; h <= last; h++ {
		hours = append(hours, float64(total.hour(h)))
	}
	mean := robustMean(hours)
	for h := first; h <= last; h++ {
		run := int64(0)
		for h+run <= last && total.hour(h+run) == 0 {
			run++
		}
		if float64(run)*mean > 12 {
			for i := h; i < h+run; i++ {
				d.forget(i)
			}
		}
		h += run
	}
}

func (d *Detector) forget(hour int64) {
	for _, t := range d.tracks {
		t.history.forget(hour)
	}
}

// train learns from each day in turn how far off the profile of the days before
// would have been.
func (d *Detector) train(first, last int64) {
	for day := first + 24; day <= last; day += 24 {
		d.relearn(day - 1)
		for _, t := range d.tracks {
			d.trainDay(t, day, min(day+24, last+1))
		}
	}
}

func (d *Detector) trainDay(t *track, from, until int64) {
	const hour, threeHours = 3, 4 // windows
	sum, mean, doubts := 0.0, 0.0, 0.0
	for h := from; h < until; h++ {
		n, m := t.history.hour(h), t.profile.rate[d.slot(h)]*t.profile.level
		if n == unknown || m <= 0 {
			sum, mean, doubts = 0, 0, 0
			continue
		}
		clipped := min(float64(n), 2*plausible(m)) // no spike teaches
		d.trainRise(t, h, clipped, m)
		doubt := t.profile.doubtOf(d.slot(h))
		t.spread[hour].add(clipped, m, t.alpha(hour, m), doubt)
		sum, mean, doubts = sum+clipped, mean+m, max(doubts, doubt)
		if h%3 == 2 {
			t.spread[threeHours].add(sum, mean, t.alpha(threeHours, mean), doubts)
			sum, mean, doubts = 0, 0, 0
		}
	}
}
