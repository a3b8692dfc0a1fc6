package spike

import "math"

const octaves = 18 // of the expected count, from 1/8 on

// dispersion is how much more the counts of one window vary than chance alone
// would have it: variance = mean + α mean². Bursts of one client make α larger
// where means are small, so it is learned for each octave of the mean.
type dispersion struct {
	excess [octaves]float64 // Σ (n-mean)² - mean, of windows that do not overlap
	square [octaves]float64 // Σ mean²
	tail   float64          // Σ of -log p beyond tailFrom
	tails  float64          // of so many windows
}

func octaveOf(mean float64) int { return min(max(int(math.Log2(mean)+3), 0), octaves-1) }

// of is α for a mean. What few windows tell is weighed against prior.
func (d *dispersion) of(mean, prior float64) float64 {
	const (
		windows = 30 // that prior is worth
		least   = 0.0005
	)
	at := octaveOf(mean)
	excess, square := prior*windows*mean*mean, windows*mean*mean
	for o := max(at-2, 0); o <= min(at+2, octaves-1); o++ {
		weight := 1 / float64(1+2*abs(o-at))
		excess += weight * d.excess[o]
		square += weight * d.square[o]
	}
	return max(excess/square, least)
}

func abs(n int) int { return max(n, -n) }

// tailFrom is the surprise from which on the tail of what was seen is compared
// with the tail of the distribution: one window in twenty.
const tailFrom = 3

// stretch is by how much less surprising than the distribution says what is
// beyond tailFrom is, at most 1.
func (d *dispersion) stretch() float64 {
	const prior = 20 // windows beyond tailFrom
	return min((prior+d.tails)/(prior+d.tail), 1)
}

// surprise is -log of the probability of n or more refusals.
func (d *dispersion) surprise(n, mean, alpha float64) float64 {
	s := -logTail(n, mean, alpha)
	if s > tailFrom {
		s = tailFrom + (s-tailFrom)*d.stretch()
	}
	return s
}

// add learns from a window that was not part of a spike.
func (d *dispersion) add(n, mean, alpha float64) {
	if mean <= 0 {
		return
	}
	variance := mean + alpha*mean*mean
	o := octaveOf(mean)
	clipped := min(n, mean+6*math.Sqrt(variance)+3)
	d.excess[o] += (clipped-mean)*(clipped-mean) - mean
	d.square[o] += mean * mean
	if n < mean+math.Sqrt(variance) {
		return
	}
	if s := -logTail(n, mean, alpha); s > tailFrom {
		d.tail += min(s-tailFrom, 8)
		d.tails++
	}
}

// fade lets what was learned count for less, so that it is of the last weeks.
func (d *dispersion) fade(by float64) {
	for o := range d.excess {
		d.excess[o] *= by
		d.square[o] *= by
	}
	d.tail *= by
	d.tails *= by
}
