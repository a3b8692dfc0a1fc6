package spike

// Unrest is how surprising the last minutes are of a series of which a spike is on,
// as the negative logarithm of a probability: by the windows from five minutes on
// that are shorter than the one that found it, or by the last five minutes. A spike
// is on for longer than that, as longer windows remember it. It is 0 where none is on.
func (d *Detector) Unrest(s Series) (surprise float64) {
	if s.By.Entity() {
		return d.entities.unrest(s)
	}
	for _, t := range d.tracks {
		if t.series != s || !t.episode.on {
			continue
		}
		for w := 1; w < max(t.episode.window, 2); w++ {
			r := t.read(w, d.head*pane, t.episode.end)
			surprise = max(surprise, r.surprise)
		}
	}
	return surprise
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
