package spike

import "math"

// episode is the spike of a series that is on, or the end of the last one.
type episode struct {
	on     bool
	spike  Spike
	best   float64 // surprise at Spike.Peak, beyond what is needed
	window int     // the one that found it
	calm   int64   // since when nothing is unusual; 0 while something is
	end    int64   // of the last spike: no window reaches back beyond it
	tidal  bool    // it is beyond a tide, and compared with that
	gone   float64 // how much likelier the usual is than half of the spike, as a logarithm
}

const (
	calmTime     = 15 * 60 // nothing unusual for so long ends a spike
	calmSurprise = 4.6     // one in a hundred
	// sizeSurprise is what a window needs to tell how large a spike is that is on
	// anyway: few windows are asked, so one in ten thousand is enough.
	sizeSurprise = 9.2
	freshTime    = 12 * 3600 // for so long a spike does not move the level
)

// least is the surprise that a window tells anything from, of a spike that is on or not.
func (d *Detector) least(w int, on bool) float64 {
	if on {
		return min(d.needed[w], sizeSurprise)
	}
	return d.needed[w]
}

// judge looks at the windows of a series that end now. It reports whether a
// spike began or ended.
func (d *Detector) judge(t *track, now int64) bool {
	e := &t.episode
	best, hour, excess, height, usual := reading{}, reading{}, 0.0, 0.0, true
	for w := range windows {
		n := t.ring.sums[w]
		if n == 0 || !e.on && int(n) < d.settings.MinEvents {
			continue
		}
		r := t.read(w, now, e.end)
		if w == lastHour {
			hour = r
		}
		if r.surprise > calmSurprise && w <= max(e.window-1, 2) {
			usual = false
		}
		least := d.least(w, e.on)
		if int(r.n) < d.settings.MinEvents || r.surprise < least {
			continue
		}
		if !d.news(t, &r, least, now) {
			continue
		}
		height = max(height, factor(float64(r.n), r.expected*t.low()))
		if over := r.surprise - d.needed[w]; over >= 0 && (over > excess || best.n == 0) {
			best, excess = r, over
		}
	}
	if best.n == 0 && d.rises(t, &hour, now) {
		best, excess = hour, hour.surprise-d.needed[rise]
		height = max(height, factor(float64(hour.n), hour.expected*t.low()))
	}
	began := best.n > 0 && d.surprising(t, best, excess, now)
	if e.on {
		e.spike.Height = max(e.spike.Height, height)
	}
	d.recede(t, now)
	return began || e.on && d.calm(t, usual, now)
}

// news reports whether a window that surprises is neither what comes at this time of
// the day, nor what bursts or a tide explain.
func (d *Detector) news(t *track, r *reading, least float64, now int64) bool {
	e := &t.episode
	if d.routine(t, r, now) {
		t.customAt, d.customAt = now, now
		return false
	}
	if !e.on {
		left := d.forgive(t, r, now)
		if r.surprise < least || d.tidal(t, r, left, now) {
			return false
		}
	}
	if !e.on || e.tidal {
		r.expected *= d.lifted(t, r.window, now)
	}
	return true
}

func (d *Detector) surprising(t *track, r reading, excess float64, now int64) (began bool) {
	e := &t.episode
	if !e.on {
		began = true
		d.unlearn(t)
		*e = episode{on: true, window: r.window, end: e.end, best: math.Inf(-1), tidal: d.lifted(t, r.window, now) > 1}
		e.spike = Spike{Series: t.series, Start: unix(t.onset(now, e.end, r)), Found: unix(now), Last: unix(now)}
	}
	if excess > e.best {
		e.best = excess
		e.spike.Window, e.spike.Peak = unix(now).Sub(unix(r.since)), unix(now)
		e.spike.Value, e.spike.Expected = float64(r.n), r.expected
		e.spike.Probability = math.Exp(-r.surprise)
		e.spike.PerMonth = d.settings.FalsePagesPerMonth * math.Exp(-excess)
	}
	return began
}

// unlearn has the windows before a spike of t teach nothing: it may have been on
// its way.
func (d *Detector) unlearn(t *track) {
	t.lessons = t.lessons[:0]
	if t.series.By == PerCause {
		for _, wider := range d.tracks[:1+numKinds] {
			wider.lessons = wider.lessons[:0]
		}
	}
}

// calm ends a spike when the short windows have been usual for a while: the
// long ones remember it for hours.
func (d *Detector) calm(t *track, usual bool, now int64) (ended bool) {
	e := &t.episode
	switch {
	case !usual:
		e.calm, e.spike.Last = 0, unix(now)
		return false
	case e.calm == 0:
		e.calm = now
		return false
	case now-e.calm < calmTime || e.gone < goneFor:
		return false
	}
	e.on, e.end = false, e.calm
	e.spike.End = unix(e.calm)
	return true
}

// goneFor is how much likelier what came has to be as the usual than as half of a
// spike for that to be gone, as a logarithm: a hundred times.
const goneFor = 4.6

// recede weighs, every five minutes, whether the spike that is on is gone, or the same
// level stands and the minutes are too few to show it: the usual is one hypothesis,
// and half of what the spike was beyond it another (a sequential test, Page,
// Biometrika 41, 1954).
func (d *Detector) recede(t *track, now int64) {
	const fiveMinutes = 1
	e := &t.episode
	if !e.on || t.ring.head%panesOf[fiveMinutes] != 0 {
		return
	}
	r := t.read(fiveMinutes, now, 0)
	usual := max(r.expected, 1e-3)
	if e.tidal {
		usual *= d.lifted(t, fiveMinutes, now)
	}
	half := usual * (1 + e.spike.Value/max(e.spike.Expected, 1e-3)) / 2
	half = min(half, usual+(e.spike.Value-e.spike.Expected)/2*windows[fiveMinutes].Seconds()/e.spike.Window.Seconds())
	if half <= usual {
		e.gone = goneFor
		return
	}
	n := float64(r.n)
	e.gone += logMass(n, usual, t.variance(fiveMinutes, usual)) - logMass(n, half, t.variance(fiveMinutes, half))
	e.gone = min(max(e.gone, 0), 2*goneFor)
}

// frozen is the first hour that is not to move the level of a track, as a spike
// began in it: what stays is usual after a while, and not while it grows.
func (e *episode) frozen(now int64) int64 {
	began := e.spike.Start.Unix()
	if !e.on || now-began >= freshTime {
		return math.MaxInt64
	}
	return floorDiv(began, 3600)
}
