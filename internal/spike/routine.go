package spike

import (
	"math"
	"slices"
	"time"
)

// custom is what comes at this time of day on most days, or on this day of every
// week: nothing where that is not out of the way.
type custom struct {
	excess float64 // refusals beyond what the baseline foresees
	alpha  float64 // variance of excess, relative to its square
}

// routine reports whether so many refusals are no surprise beside what is
// customary: what comes every night hides nothing that is beyond it.
func (d *Detector) routine(t *track, r *reading, now int64) bool {
	c := d.customary(t, r, now)
	if c.excess <= 0 {
		return false
	}
	usual := r.expected + c.excess
	plain := t.variance(r.window, max(r.expected, 1e-3)) * r.expected * r.expected
	alpha := (plain + c.alpha*c.excess*c.excess) / (usual * usual)
	return t.spread[r.window].surprise(float64(r.n), usual, alpha) < d.needed[r.window]
}

// customary is what comes at this time of a series. Among all refusals it may be
// no surprise by itself, so of the total it is what it is of all kinds.
func (d *Detector) customary(t *track, r *reading, now int64) custom {
	c := d.custom(t, r, now)
	if t.series.By != Total || c.excess > 0 {
		return c
	}
	variance := 0.0
	for _, kind := range d.tracks[1 : 1+numKinds] {
		if kind.ring.sums[r.window] == 0 || kind.profile.known == 0 {
			continue
		}
		own := kind.read(r.window, now, r.since)
		k := d.custom(kind, &own, now)
		c.excess += k.excess
		variance += k.alpha * k.excess * k.excess
	}
	if c.excess > 0 {
		c.alpha = variance / (c.excess * c.excess)
	}
	return c
}

// custom looks at the same time of the last days: at how many more refusals each of
// them had than it usually has, as a workday has more than a Sunday without any reason.
func (d *Detector) custom(t *track, r *reading, now int64) custom {
	const (
		days = 7
		some = 4 // days that have to be known
		// mostDays is the surprise that most of the days have to be: one in fifty. That
		// two weeks agree is less, so they have to be more.
		mostDays = 4.
		week     = days * 24 * 3600 / cell
	)
	length := (panesOf[r.window]*pane + cell - 1) / cell
	last := floorDiv(now-1, cell)
	var room [days]float64
	peaks := room[:0]
	for day := int64(1); day <= days; day++ {
		if n, ok := d.peakOfDay(t, last, day, now, length); ok {
			peaks = append(peaks, n)
		}
	}
	excess, least := 0.0, mostDays
	if len(peaks) >= some {
		excess = middle(peaks)
	}
	a, okA := d.peak(t, last-week, length)
	b, okB := d.peak(t, last-2*week+2, length)
	if okA && okB && min(a, b) > excess {
		excess, least = min(a, b), d.needed[r.window]/2
		peaks = append(peaks[:0], a, b)
	}
	// Cells are looked at that have room for the window. It may have had all of their
	// excess, but that they have any is for the window to tell that is as long.
	window := max(r.window, fromCell)
	expected := max(r.expected*float64(length*cell)/float64(now-r.since), 1e-3)
	if excess <= 0 || t.spread[window].surprise(expected+excess, expected, t.variance(window, expected)) < least {
		return custom{}
	}
	return custom{excess, unevenness(peaks, excess)}
}

// peakOfDay is the peak at this time of an earlier day: by the clock of the world, or by
// that of the settings' zone, where it was put forward or back since.
func (d *Detector) peakOfDay(t *track, last, day, now, length int64) (n float64, ok bool) {
	then := now - day*24*3600
	n, ok = d.peak(t, last-day*24*3600/cell, length)
	if shift := d.ahead(now) - d.ahead(then); shift != 0 {
		if local, known := d.peak(t, last-(day*24*3600-shift)/cell, length); known {
			n, ok = max(n, local), true
		}
	}
	return n, ok
}

// ahead is by how many seconds the clock of the settings' zone is ahead of UTC.
func (d *Detector) ahead(at int64) int64 {
	_, seconds := time.Unix(at, 0).In(d.settings.Location).Zone()
	return int64(seconds)
}

// unevenness is the variance of what some days had, relative to the square of the
// excess that is usual, by how far half of them are from the middle.
func unevenness(peaks []float64, excess float64) float64 {
	const (
		prior = 0.1 // variance that is taken where nothing is known
		days  = 4   // that it is worth
		half  = 1.4826
	)
	mid := middle(peaks)
	var room [8]float64
	far := room[:0]
	for _, n := range peaks {
		far = append(far, math.Abs(n-mid))
	}
	deviation := half * middle(far) / excess
	return (prior*days + deviation*deviation*float64(len(peaks))) / float64(days+len(peaks))
}

// peak is the most refusals beyond the usual in so many cells that end about the cell
// last.
func (d *Detector) peak(t *track, last, length int64) (most float64, ok bool) {
	most = math.Inf(-1)
	for end := last - 2; end <= last+2; end++ {
		sum, uneven := 0.0, 0.0
		for c := end - length + 1; c <= end; c++ {
			n := t.history.cell(c)
			if n == unknown {
				return 0, false
			}
			hour := floorDiv(c, 3600/cell)
			usual := d.usual(t, c, hour)
			sum += float64(n) - usual
			if d.coarse[mod(hour, historyHours)] {
				// The hour's excess may all have been in one cell.
				uneven = max(uneven, float64(t.history.hour(hour))-usual*3600/cell)
			}
		}
		most = max(most, sum, uneven)
	}
	return most, true
}

// usual is what the baseline foresees for a cell of the past.
func (d *Detector) usual(t *track, c, hour int64) float64 {
	p := &t.profile
	return inHour(c, p.rate[d.slot(hour-1)], p.rate[d.slot(hour)], p.rate[d.slot(hour+1)]) * p.level / (3600 / cell)
}

func middle(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
