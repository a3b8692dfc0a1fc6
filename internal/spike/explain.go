package spike

import "math"

// burstShare is the part of the false pages that bursts of single clients may take.
const burstShare = 0.3

// explained is how surprising n refusals in test w of a track are, some of which are
// bursts: the less of what single clients and what networks leave of it. size is what a
// burst has in the test, and left the rest.
func (d *Detector) explained(t *track, w int, n float64, size func(*burst) float64, surprise func(n float64) float64) (least, left float64) {
	least, left = surprise(n), n
	for _, s := range [...]*bursts{&d.bursts, &d.networks} {
		if sizes := s.in(t.index, size); len(sizes) > 0 {
			if got, rest := d.explainedBy(s, t, w, n, sizes, surprise); got < least {
				least, left = got, rest
			}
		}
	}
	return least, left
}

// explainedBy is explained by bursts of these sizes, the largest first. It is the least
// of what it is with none, one and more of them taken out: then the rest has to surprise
// by the baseline, or so many bursts of these sizes have to be rare.
func (d *Detector) explainedBy(s *bursts, t *track, w int, n float64, sizes []float64, surprise func(n float64) float64) (least, left float64) {
	least, left = surprise(n), n
	length := float64(panesOfTest[w] * pane)
	like, weight := w, 1.0
	if w == rise { // in which a new one counts for more
		like, weight = lastHour, riseWeight
	}
	// A burst is one thing in however many windows it is.
	alone := math.Log(month / length / (d.settings.FalsePagesPerMonth * burstShare / d.sources))
	rest, rare := n, 0.0
	for k, size := range sizes {
		rest -= size
		often := d.burstsPerMonth(s, t.index, like, size/weight) * length / month
		rare = max(rare, -logTail(float64(k+1), often, 0))
		own := surprise(max(rest, 0))
		if own += max(rare+d.needed[w]-alone-min(own, d.overlap[w]), 0); own < least {
			least, left = own, rest
		}
	}
	return least, left
}

// forgive leaves of the surprise of a reading what bursts do not explain, and returns
// how many refusals they leave.
func (d *Detector) forgive(t *track, r *reading, now int64) (left float64) {
	first := floorDiv(r.since, pane)
	r.surprise, left = d.explained(t, r.window, float64(r.n), func(b *burst) float64 { return float64(b.since(first, d.head)) },
		func(n float64) float64 { return t.surpriseOf(r, n, now) })
	return left
}
