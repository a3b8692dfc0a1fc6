package spike

// Unrest is how surprising the last minutes and hours are of a series of which a
// spike is on, as negative logarithms of probabilities.
type Unrest struct {
	Minutes float64 // the last five
	Beyond  float64 // those beside what most causes have, where somebody was told of that
	// Hours is the most of the windows beyond that are shorter than the one that
	// found the spike: it is on for longer, as longer windows remember it.
	Hours float64
	Gone  bool // what came last is likelier the usual than half of the spike
}

// Unrest is that of a series; zero where no spike of it is on.
func (d *Detector) Unrest(s Series) (u Unrest) {
	if s.By.Entity() {
		minutes := d.entities.unrest(s)
		return Unrest{Minutes: minutes, Beyond: minutes, Gone: true}
	}
	for _, t := range d.tracks {
		if t.series != s || !t.episode.on {
			continue
		}
		const fiveMinutes = 1
		now, end := d.head*pane, t.episode.end
		r := t.read(fiveMinutes, now, end)
		u.Minutes, u.Gone = r.surprise, t.episode.gone >= goneFor
		for w := fiveMinutes + 1; w < t.episode.window; w++ {
			hour := t.read(w, now, end)
			u.Hours = max(u.Hours, hour.surprise)
		}
		r.expected *= d.lifted(t, fiveMinutes, now)
		u.Beyond = t.surpriseOf(&r, float64(r.n), now)
	}
	return u
}

func (s *entities) unrest(of Series) float64 {
	for _, hash := range s.on {
		if e := s.table.Get(hash, s.now); e != nil && e.spike != nil && e.spike.Series == of {
			e.roll(floorDiv(s.now-1, 60))
			return -logTail(float64(e.sum(fewMinutes)), e.usual()/12+1, entityAlpha)
		}
	}
	return 0
}
