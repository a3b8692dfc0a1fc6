package spike

import "math"

const octaves = 18 // of the expected count, from 1/8 on

// dispersion is how much more the counts of one window vary than chance alone
// would have it: variance = mean + α mean². Bursts of one client make α larger
// where means are small, so it is learned for each octave of the mean.
type dispersion struct {
	excess [octaves]float64 // Σ (n-mean)²/mean - 1, of windows that do not overlap
	seen   [octaves]float64 // so many windows
	doubts [octaves]float64 // Σ of the variance that their means had
	tail   tail
	all    *tail // of the same window of all series
}

// tail is how surprising the windows were that surprised by more than tailFrom.
type tail struct {
	beyond float64 // Σ of -log p beyond it
	seen   float64 // so many windows
}

// mean is by how much they surprised, which is 1 where the distribution is right,
// weighed against a prior that is worth so many windows.
func (t *tail) mean(prior, windows float64) float64 {
	return (prior*windows + t.beyond) / (windows + t.seen)
}

// leastMean is where the first octave begins. What is less belongs to it, too.
const leastMean = 1. / 8

func octaveOf(mean float64) int { return min(max(math.Ilogb(mean)+3, 0), octaves-1) }

// of is α for a mean. What few windows tell is weighed against prior, by the
// logarithm of how much more than chance it is: a prior that is far off is worth
// no more than one that is near.
func (d *dispersion) of(mean, prior float64) float64 {
	const least = 0.0001
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
	return max((math.Exp((priorWindows*math.Log(1+prior*mean)+seen*more)/(priorWindows+seen))-1)/mean, least)
}

// known is how uncertain the means were of the windows that α was learned of: it
// holds as much of that already.
func (d *dispersion) known(mean float64) float64 {
	at := octaveOf(mean)
	doubts, seen := 0.0, float64(priorWindows)
	for o := max(at-2, 0); o <= min(at+2, octaves-1); o++ {
		weight := 1 / float64(1+2*abs(o-at))
		doubts += weight * d.doubts[o]
		seen += weight * d.seen[o]
	}
	return doubts / seen
}

// priorWindows is how many windows what is taken before any was seen is worth.
const priorWindows = 10

// scaleOf is by how much the excess is taken to be larger than two octaves to no
// octave below and above: bursts have the same at any mean, and rates that wander
// one that grows with it, so it is half of each.
var scaleOf = [5]float64{2, math.Sqrt2, 1, 1 / math.Sqrt2, 0.5}

func abs(n int) int { return max(n, -n) }

// tailFrom is the surprise from which on the tail of what was seen is compared
// with the tail of the distribution: one window in twenty.
const tailFrom = 3

// stretch is by how much less surprising than the distribution says what is
// beyond tailFrom is, at most 1. A month of hours has some thirty windows like
// that, which alone would leave it a fifth uncertain, so a series is taken to be
// like all others until it has shown to differ.
func (d *dispersion) stretch() float64 {
	const few, alike = 20, 200 // windows beyond tailFrom
	prior := 1.0
	if d.all != nil {
		prior = d.all.mean(1, few)
	}
	return min(1/d.tail.mean(prior, alike), 1)
}

// surprise is -log of the probability of n or more refusals.
func (d *dispersion) surprise(n, mean, alpha float64) float64 {
	s := -logTail(n, mean, alpha)
	if s > tailFrom {
		s = tailFrom + (s-tailFrom)*d.stretch()
	}
	return s
}

// add learns from a window that was not part of a spike, of which the dispersion
// was taken to be alpha, and the rate known but for doubt.
func (d *dispersion) add(n, mean, alpha, doubt float64) {
	if mean <= 0 {
		return
	}
	alpha += max(doubt-d.known(mean), 0)
	variance := mean + alpha*mean*mean
	o := octaveOf(mean)
	clipped := min(n, mean+6*math.Sqrt(variance)+3)
	// Where next to nothing is expected one refusal is a thousand times as much as
	// chance has it, and silence tells of nothing.
	weight := min(mean/leastMean, 1)
	d.excess[o] += weight * ((clipped-mean)*(clipped-mean)/mean - 1)
	d.doubts[o] += weight * doubt
	d.seen[o] += weight
	if n < mean+math.Sqrt(variance) {
		return
	}
	if s := -logTail(n, mean, alpha); s > tailFrom {
		for _, t := range []*tail{&d.tail, d.all} {
			if t != nil {
				t.beyond += min(s-tailFrom, 8)
				t.seen++
			}
		}
	}
}

// fade lets what was learned count for less, so that it is of the last weeks.
func (d *dispersion) fade(by float64) {
	for o := range d.excess {
		d.excess[o] *= by
		d.seen[o] *= by
		d.doubts[o] *= by
	}
	d.tail.fade(by)
}

func (t *tail) fade(by float64) {
	t.beyond *= by
	t.seen *= by
}
