package spike

import (
	"cmp"
	"math"
	"slices"
)

// levelHours is the memory of a profile's level.
const levelHours = 36

// dayLevel is what a day had beside the profile.
type dayLevel struct {
	log  float64
	last int64 // its last hour
}

// levelOf is by how much what is to come differs from the profile. The last day
// and a half tells, in which attacks of less than half of that do not count. But
// busy days are followed by quiet ones, so a series follows only as much of it as
// it used to keep until the next day, and all of it where no day was like that.
func (l *learner) levelOf(h *history, p *profile) float64 {
	now := l.ratioOf(h, p, l.newest-levelHours+1, min(l.newest+1, l.frozen))
	l.days = l.days[:0]
	for last := l.newest - 24; last > l.newest-historyHours+24; last -= 24 {
		if level := l.ratioOf(h, p, last-23, last+1); len(l.ratios) >= 12 {
			l.days = append(l.days, dayLevel{math.Log(level), last})
		}
	}
	return math.Exp(follow(math.Log(now), l.days))
}

// follow is how much of x, the logarithm of the last level, is to be expected of
// the next after what days did. They are neighbours, the last first.
func follow(x float64, days []dayLevel) float64 {
	const (
		prior = 4   // days that is worth what is taken where nothing is known
		keeps = 0.5 // which is this share
		wide  = 2   // deviations
	)
	square, both, pairs := 0.0, 0.0, 0.0
	most := plainDay(days)
	for i, d := range days {
		level := max(-most, min(d.log, most))
		square += level * level
		if i > 0 && days[i-1].last-d.last == 24 {
			both += level * max(-most, min(days[i-1].log, most))
			pairs++
		}
	}
	if x == 0 || square == 0 {
		return x
	}
	square /= float64(len(days))
	kept := min(max((prior*keeps+both/square)/(prior+pairs), 0), 1)
	return x * (1 - (1-kept)*min(1, wide*wide*square/(x*x)))
}

// plainDay is by how much a day differs at most that is not out of the way: three
// times as much as half of them do.
func plainDay(days []dayLevel) float64 {
	if len(days) == 0 {
		return 0
	}
	var sizes [historyHours / 24]float64
	for i, d := range days {
		sizes[i] = math.Abs(d.log)
	}
	return 3 * middle(sizes[:len(days)])
}

// ratioOf is what the hours from first until before end had beside the profile,
// some of which may be of attacks.
func (l *learner) ratioOf(h *history, p *profile, first, end int64) float64 {
	l.ratios = l.ratios[:0]
	for i := first; i < end; i++ {
		n, mean := h.hour(i), p.rate[l.week[mod(i, historyHours)]]
		if n != unknown && mean > 0 {
			l.ratios = append(l.ratios, hourRatio{float64(n), mean})
		}
	}
	slices.SortFunc(l.ratios, func(a, b hourRatio) int { return cmp.Compare(a.n*b.mean, b.n*a.mean) })
	level := plainRatio(l.ratios[:(2*len(l.ratios)+2)/3], 1e9)
	for range 4 {
		level = plainRatio(l.ratios, level)
	}
	return level
}

// plainRatio takes no hour for more than what is plausible at a level.
func plainRatio(ratios []hourRatio, level float64) float64 {
	const prior = 10 // refusals at the usual level
	n, mean := float64(prior), float64(prior)
	for _, r := range ratios {
		n += min(r.n, plausible(r.mean*level))
		mean += r.mean
	}
	return n / mean
}
