package spike

import (
	"cmp"
	"slices"
)

// What most causes do together is one problem: a new customer, or a log that is written
// twice. The tide is by how much they are above what is usual, in the middle, each
// counting for as much as it can tell. What of a series is no more than that is no news
// where the tide was told of, by whichever series showed it first.
type tide struct {
	at    int64 // the minute that of is of
	of    [numWindows][]flow
	known [numWindows]bool // of is of that minute
	told  int64            // when a spike that is on was as high as the tide
}

// flow is what one cause has beside what is usual.
type flow struct {
	track  int
	ratio  float64
	weight float64 // of what it tells: 1 over the variance of ratio, relative to its square
}

const (
	tideLeast = 1.5
	// tideTime is for how long a tide that was told of is known.
	tideTime = 24 * 3600
)

// tideOf is the tide in window w without what t itself tells; 1 where nothing can be told.
func (d *Detector) tideOf(t *track, w int) float64 {
	const (
		causes = 3
		most   = 10. // that one cause counts for
		enough = 6.
	)
	flows := d.flows(w)
	sum, number := 0.0, 0
	for _, f := range flows {
		if f.track != t.index {
			sum += min(f.weight, most)
			number++
		}
	}
	if number < causes || sum < enough {
		return 1
	}
	half := sum / 2
	for _, f := range flows {
		if f.track == t.index {
			continue
		}
		if half -= min(f.weight, most); half <= 0 {
			return f.ratio
		}
	}
	return 1
}

// flows are those of window w that ended at most a minute ago, the least first.
func (d *Detector) flows(w int) []flow {
	s := &d.tide
	if minute := floorDiv(d.head, 60/pane); s.at != minute {
		s.at, s.known = minute, [numWindows]bool{}
	}
	if s.known[w] {
		return s.of[w]
	}
	const least = 0.5 // of a refusal or so nothing can be told
	s.known[w], s.of[w] = true, s.of[w][:0]
	now := d.head * pane
	for _, t := range d.tracks[1+numKinds:] {
		if t.profile.known == 0 || !t.profile.recent {
			continue
		}
		mean := t.expected(now-panesOf[w]*pane, now)
		if weight := 1 / (1/max(mean, 1e-3) + t.variance(w, max(mean, 1e-3))); weight >= least {
			s.of[w] = append(s.of[w], flow{t.index, float64(t.ring.sums[w]) / mean, weight})
		}
	}
	slices.SortFunc(s.of[w], func(a, b flow) int { return cmp.Or(cmp.Compare(a.ratio, b.ratio), cmp.Compare(a.track, b.track)) })
	return s.of[w]
}

// lifted is what the tide makes of what is expected of t in window w, as a factor: 1
// where nobody was told of it. Longer windows tell of it as well, where little comes in
// short ones.
func (d *Detector) lifted(t *track, w int, now int64) float64 {
	if !d.tideTold(now) {
		return 1
	}
	g := 1.0
	for i := w; i < numWindows; i++ {
		g = max(g, d.tideOf(t, i))
	}
	return g
}

// tideTold reports whether a spike told of the tide that there is.
func (d *Detector) tideTold(now int64) bool {
	for _, t := range d.tracks {
		e := &t.episode
		if !e.on || e.spike.Expected <= 0 {
			continue
		}
		ratio, g := e.spike.Value/e.spike.Expected, d.tideOf(t, e.window)
		if g >= tideLeast && ratio > g/2 && ratio < 2*g {
			d.tide.told = now
			return true
		}
	}
	return now-d.tide.told < tideTime
}

// tidal reports whether a reading with n refusals is no surprise beside what most
// causes have.
func (d *Detector) tidal(t *track, r *reading, n float64, now int64) bool {
	g := d.lifted(t, r.window, now)
	if g <= 1 {
		return false
	}
	high := *r
	high.expected *= g
	if t.surpriseOf(&high, n, now) >= d.needed[r.window] {
		return false
	}
	t.tidalAt = now
	return true
}
