package spike

// Unrest is how surprising the last minutes and hours are of a series of which a
// spike is on, as negative logarithms of probabilities: the last five minutes, and
// the most of the windows beyond that are shorter than the one that found it. A
// spike is on for longer than either, as longer windows remember it. Both are 0
// where none is on.
func (d *Detector) Unrest(s Series) (minutes, hours float64) {
	if s.By.Entity() {
		return d.entities.unrest(s), 0
	}
	for _, t := range d.tracks {
		if t.series != s || !t.episode.on {
			continue
		}
		const fiveMinutes = 1
		now, end := d.head*pane, t.episode.end
		r := t.read(fiveMinutes, now, end)
		minutes = r.surprise
		for w := fiveMinutes + 1; w < t.episode.window; w++ {
			r = t.read(w, now, end)
			hours = max(hours, r.surprise)
		}
	}
	return minutes, hours
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
