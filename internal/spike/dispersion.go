package spike

import "math"

const octaves = 18 // of the expected count, from 1/8 on

// dispersion is how much more the counts of one window vary than chance alone
// would have it: variance = mean + α mean². Bursts of one client make α larger
// where means are small, so it is learned for each octave of the mean.
type dispersion struct {
	excess [octaves]float64 // Σ (n-mean)²/mean - 1, of windows that do not overlap
	seen   [octaves]float64 // so many windows
	tail   float64          // Σ of -log p beyond tailFrom
	tails  float64          // of so many windows
}

// leastMean is where the first octave begins. What is less belongs to it, too.
const leastMean = 1. / 8

func octaveOf(mean float64) int { return min(max(math.Ilogb(mean)+3, 0), octaves-1) }

// of is α for a mean. What few windows tell is weighed against prior, by the
// logarithm of how much more than chance it is: a prior that is far off is worth
// no more than one that is near.
func (d *dispersion) of(mean, prior float64) float64 {
	const (
		windows = 10 // that prior is worth
		least   = 0.0001
	)
	at := octaveOf(mean)
	excess, seen := 0.0, 0.0
	for o := max(at-2, 0); o <= min(at+2, octaves-1); o++ {
		weight := 1 / float64(1+2*abs(o-at))
		excess += weight * d.excess[o] * scaleOf[o-at+2]
		seen += weight * d.seen[o]
	}
	more := 0.0
	if excess > 0 {
		more = math.Log(1 + excess/seen)
	}
	return max((math.Exp((windows*math.Log(1+prior*mean)+seen*more)/(windows+seen))-1)/mean, least)
}

// scaleOf is by how much the excess is taken to be larger than two octaves to no
// octave below and above: bursts have the same at any mean, and rates that wander
// one that grows with it, so it is half of each.
var scaleOf = [5]float64{2, math.Sqrt2, 1, 1 / math.Sqrt2, 0.5}

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
	// Where next to nothing is expected one refusal is a thousand times as much as
	// chance has it, and silence tells of nothing.
	weight := min(mean/leastMean, 1)
	d.excess[o] += weight * ((clipped-mean)*(clipped-mean)/mean - 1)
	d.seen[o] += weight
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
		d.seen[o] *= by
	}
	d.tail *= by
	d.tails *= by
}
