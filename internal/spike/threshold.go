package spike

import "math"

const month = 30 * 24 * 3600 // seconds

// together is how many more false pages the tests and series may have as if they
// were independent: a burst surprises a cause, its kind and the total, and several
// windows of each. In six simulated clean months the windows paged 26 times where 42
// were allowed, and 167 times where 420 were. With rise, 1.4 made 45 false pages in
// 48 months where 48 were asked for, so this is on the safe side.
const together = 1.2

// setNeeded shares the false pages among the tests of the series that can have any:
// each test as many, and in a test each series that has refusals enough.
func (d *Detector) setNeeded() {
	d.sources = d.causes()
	each := d.settings.FalsePagesPerMonth * (1 - entityShare) * together / numTests
	for w, length := range panesOfTest {
		series := float64(numTracks)
		for range 3 { // the fewer, the less is needed of each
			d.needed[w] = thresholdOf(length, each/series)
			d.overlap[w] = d.needed[w] - math.Log(month/float64(length*pane)/(each/series))
			series = d.able(w, d.needed[w])
		}
	}
}

// causes is how many there are refusals of.
func (d *Detector) causes() float64 {
	const least = 3
	n := 0.0
	for _, t := range d.tracks[1+numKinds:] {
		if t.profile.recent {
			n++
		}
	}
	return max(n, least)
}

// able is how many series there are that can surprise in test w as seldom as
// chance has it. One that has so few refusals that MinEvents is a greater surprise
// counts for as much of one as it can.
func (d *Detector) able(w int, needed float64) float64 {
	const least = 3
	sum := 0.0
	for _, t := range d.tracks {
		if !t.profile.recent {
			continue
		}
		mean := t.profile.mean() * float64(panesOfTest[w]*pane) / 3600
		enough := logTail(float64(d.settings.MinEvents), mean, t.variance(w, max(mean, 1e-3)))
		sum += math.Exp(min(enough+needed, 0))
	}
	return max(sum, least)
}

// thresholdOf is the surprise that a window of so many panes, which is looked at
// at each of them, has by chance so often a month. Windows overlap, so it is more
// than that of windows side by side, and less than that of as many as there are
// looks: the scan statistic of a normal process whose increments are independent,
// seen in steps (Siegmund, Sequential Analysis, 1985, chapter IV: z² ν(z √(2/m))).
func thresholdOf(panes int64, perMonth float64) float64 {
	alone := math.Log(month / float64(panes*pane) / perMonth)
	surprise := alone
	for range 4 {
		z := math.Sqrt(max(2*surprise-6, 1)) // of a normal tail, near enough
		overlap := z * z * math.Exp(-0.583*z*math.Sqrt(2/float64(panes)))
		surprise = alone + math.Log(max(overlap, 1))
	}
	return surprise
}
