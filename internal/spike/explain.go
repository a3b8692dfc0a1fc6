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

// explainedBy is explained by these bursts, the largest first. As much as a client is
// known for is no news of it. Of the others it is the least of what it is with none, one
// and more of them taken out: then the rest has to surprise by the baseline, or so many
// bursts of these sizes have to be rare.
func (d *Detector) explainedBy(s *bursts, t *track, w int, n float64, sizes []sized, surprise func(n float64) float64) (least, left float64) {
	length := float64(panesOfTest[w] * pane)
	like, weight := w, 1.0
	if w == rise { // in which a new one counts for more
		like, weight = lastHour, riseWeight
	}
	// A burst is one thing in however many windows it is.
	alone := math.Log(month / length / (d.settings.FalsePagesPerMonth * burstShare / d.sources))
	rest, rare, number := n, 0.0, 0.0
	known := func(b sized) float64 {
		if s.network { // of which others may come
			return 0
		}
		return weight * s.learnt[t.index].of[like].known(b.client, d.head*pane)
	}
	for _, b := range sizes {
		rest -= min(b.n, known(b))
	}
	least, left = surprise(max(rest, 0)), rest
	for _, b := range sizes {
		beyond := b.n - known(b)
		if beyond <= 0 {
			continue
		}
		rest, number = rest-beyond, number+1
		often := d.burstsPerMonth(s, t.index, like, b.n/weight) * length / month
		rare = max(rare, -logTail(number, often, 0))
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
