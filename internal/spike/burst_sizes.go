package spike

import (
	"math"
	"slices"
)

// burstSizes are the largest bursts that single clients had in a series in the last
// weeks, for each window.
type burstSizes struct {
	since int64 // when the first of them could have been seen
	of    [numWindows]largest
}

// largest are some values, the smallest first, and how large one was at least that
// had no room any more.
type largest struct {
	values []sized
	least  float64
	left   int64 // when that was
}

type sized struct {
	n      float64
	at     int64
	client uint64
}

const (
	maxSizes   = 64
	sizeMemory = historyHours * 3600
)

// add takes a burst of size n. A client counts once, by its largest: who comes every
// night is one.
func (s *burstSizes) add(w int, client uint64, n float64, at int64) {
	l := &s.of[w]
	if at-l.left > sizeMemory {
		l.least = 0
	}
	now := at
	l.values = slices.DeleteFunc(l.values, func(v sized) bool {
		old := now-v.at > sizeMemory
		if v.client == client && v.n > n && !old {
			n, at = v.n, v.at
		}
		return v.client == client || old
	})
	if n <= fewOfOne || n < l.least {
		return
	}
	i, _ := slices.BinarySearchFunc(l.values, n, func(v sized, n float64) int {
		if v.n < n {
			return -1
		}
		return 1
	})
	l.values = slices.Insert(l.values, i, sized{n, at, client})
	if len(l.values) > maxSizes {
		l.least, l.left = l.values[0].n, now
		l.values = slices.Delete(l.values, 0, 1)
	}
}

// known is the most that a client is known for, 0 for none.
func (l *largest) known(client uint64, now int64) float64 {
	for _, v := range l.values {
		if v.client == client && now-v.at <= sizeMemory {
			return v.n
		}
	}
	return 0
}

// tailOf is how the sizes of bursts beyond a threshold are distributed: as
// generalized Pareto, which is what all distributions tend to far out, be they
// exponential there or heavier (Pickands, Annals of Statistics 3, 1975).
type tailOf struct {
	from         float64 // the threshold
	n            float64 // how many there are
	scale, shape float64
}

// fit takes the parameters from probability weighted moments (Hosking and Wallis,
// Technometrics 29, 1987).
func (l *largest) fit() tailOf {
	const (
		prior = 32  // sizes that the shape is taken of where nothing is known
		heavy = 0.3 // which is this
	)
	t := tailOf{from: max(l.least, fewOfOne), n: float64(len(l.values)), shape: heavy}
	mean, weighted := 0.0, 0.0
	most := l.plausible()
	for i, v := range l.values {
		x := min(v.n, most) - t.from
		mean += x / t.n
		weighted += x * (1 - (float64(i)+0.65)/t.n) / t.n
	}
	mean = max(mean, 1)
	shape := 0.0
	if mean > 2*weighted {
		shape = 2 - mean/(mean-2*weighted)
	}
	t.shape = min(max((prior*heavy+t.n*shape)/(prior+t.n), 0.01), 0.9)
	t.scale = mean * (1 - t.shape)
	return t
}

// plausible is the most that any counts for. Three may be attacks, so they tell of
// half as large ones again as there are without them.
func (l *largest) plausible() float64 {
	const few, plain = 3, 20
	if len(l.values) <= few {
		return plain
	}
	return 1.5 * l.values[len(l.values)-1-few].n
}

// beyond is the logarithm of the part of those beyond the threshold that are of
// size n at least.
func (t *tailOf) beyond(n float64) float64 {
	return -math.Log1p(t.shape*max(n-t.from, 0)/t.scale) / t.shape
}

// plainTail is what is taken of a server of which nothing is known: four a month.
var plainTail = tailOf{from: fewOfOne, n: 4, scale: 8, shape: 0.2}

func plainBursts(n float64) float64 { return plainTail.n * math.Exp(plainTail.beyond(n)) }

// burstsPerMonth is how many of size n or more a month there are in window w of track
// i. What few have told of it is weighed against what it would have as its part of all.
func (d *Detector) burstsPerMonth(s *bursts, i, w int, n float64) float64 {
	if i == 0 {
		return s.learnt[0].perMonth(w, n, d.head*pane, plainBursts)
	}
	const little = 0.01 // refusals an hour
	all, own := d.tracks[0].profile.mean(), d.tracks[i].profile.mean()
	share := min((own+little)/(all+little), 1)
	return s.learnt[i].perMonth(w, n, d.head*pane, func(n float64) float64 { return share * d.burstsPerMonth(s, 0, w, n) })
}

// perMonth is how many of size n or more there are in window w, as far as s tells;
// what it does not tell is plain, a function of their size.
func (s *burstSizes) perMonth(w int, n float64, now int64, plain func(n float64) float64) float64 {
	const half = 0.5 // of a burst is what the plain rate is worth
	months := min(max(float64(now-s.since), 3600), sizeMemory) / month
	l := &s.of[w]
	t := l.fit()
	rate := (t.n + half) / (months + half/plain(t.from))
	return rate * math.Exp(l.beyond(&t, n, plain))
}

// beyond is the logarithm of the part of those beyond the threshold of t that are of
// size n at least: what t has is weighed against what is plain. A few that are small
// tell little of how many are large, so where t has fewer than is plain it is worth no
// more than there are larger ones, or their square root.
func (l *largest) beyond(t *tailOf, n float64, plain func(n float64) float64) (sum float64) {
	const some = 8 // bursts are what the plain sizes are worth
	from, larger := t.from, t.n
	own, other := 0.0, math.Log(plain(from))
	for i := 0; from < n; i++ {
		to := n
		if i < len(l.values) {
			to = min(l.values[i].n, n)
		}
		if to > from {
			ownTo, otherTo, weight := t.beyond(to), math.Log(plain(to)), t.n
			if ownTo-own < otherTo-other {
				weight = max(larger, math.Sqrt(t.n))
			}
			sum += (weight*(ownTo-own) + some*(otherTo-other)) / (weight + some)
			own, other, from = ownTo, otherTo, to
		}
		larger--
	}
	return sum
}
