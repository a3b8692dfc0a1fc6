package spike

// The hours of the week borrow from each other: each from the same hour of all
// days of its class, those from the same hour of all days, and those from all
// hours. How much, the counts themselves tell.

// hoursOfDay learns what each hour of the day usually has.
func (l *learner) hoursOfDay(all float64) {
	v := newVariance(0.3)
	for hour := range 24 {
		v.add(l.ofBoth(hour), all)
	}
	weight := v.weight()
	for hour := range 24 {
		both := l.ofBoth(hour)
		l.ofDay[hour] = shrink(robustMean(both), float64(len(both)), all, weight)
	}
}

// ofBoth are the counts of an hour of workdays and weekends, until it is asked again.
func (l *learner) ofBoth(hour int) []float64 {
	l.values = append(append(l.values[:0], l.perHour[hour][0]...), l.perHour[hour][1]...)
	return l.values
}

// hoursOfClass learns what each hour of workdays and of weekends usually has.
func (l *learner) hoursOfClass(class [2]float64, all float64) {
	v := newVariance(2)
	for hour := range 24 {
		for k := range 2 {
			l.ofClass[hour][k] = l.ofDay[hour]
			if all > 0 {
				l.ofClass[hour][k] *= class[k] / l.mixed(hour, class, all)
			}
			v.add(l.perHour[hour][k], l.ofClass[hour][k])
		}
	}
	weight := v.weight()
	l.noise = v.noise()
	for hour := range 24 {
		for k := range 2 {
			values := l.perHour[hour][k]
			l.ofClass[hour][k] = shrink(robustMean(values), float64(len(values)), l.ofClass[hour][k], weight)
		}
	}
}

// hoursOfWeek learns what each hour of the week usually has.
func (l *learner) hoursOfWeek(p *profile) {
	v := newVariance(4)
	for slot := range l.perSlot {
		v.add(l.perSlot[slot], l.ofClass[slot%24][weekend(slot)])
	}
	weight := v.weight()
	for slot := range l.perSlot {
		hour, k := slot%24, weekend(slot)
		own := l.perSlot[slot]
		p.rate[slot] = shrink(robustMean(own), float64(len(own)), l.ofClass[hour][k], weight)
		nClass := float64(len(l.perHour[hour][k]))
		p.doubt[slot] = doubt(float64(len(l.perHour[hour][0])+len(l.perHour[hour][1])), nClass, l.noise)
	}
}

// variance tells how far groups of counts really differ from what is foreseen for
// them, beside how far the counts of one group differ from each other: the
// analysis of variance with random effects.
type variance struct {
	prior           float64 // weight that is taken where nothing is known, in counts
	within, squares float64 // of single counts
	between, means  float64 // of groups: Σ (sum - mean)² less what single counts explain, Σ mean²
	groups, free    float64
}

func newVariance(prior float64) *variance { return &variance{prior: prior} }

// add learns from a group of counts of which each should be mean.
func (v *variance) add(counts []float64, mean float64) {
	n := float64(len(counts))
	if n < 2 || mean <= 0 {
		return
	}
	most, sum, square := plausible(mean), 0.0, 0.0
	for _, c := range counts {
		c = min(c, most)
		sum += c
		square += c * c
	}
	own := max(square-sum*sum/n, 0) / (n - 1)
	v.within += own * n
	v.squares += n * mean * mean
	v.between += (sum-n*mean)*(sum-n*mean) - n*own
	v.means += n * n * mean * mean
	v.groups++
	v.free += n - 1
}

// weight is how many counts of a group what is foreseen for it is worth.
func (v *variance) weight() float64 {
	const groups = 12 // that prior is worth
	if v.free < groups || v.within <= 0 {
		return v.prior
	}
	within := v.within / v.squares
	each := v.means / v.groups
	between := (max(v.between, 0) + groups*each*within/v.prior) / (v.means + groups*each)
	return within / between
}

// plainNoise is taken for the variance of the counts of an hour, relative to the
// square of their mean, where little is known.
const plainNoise = 0.06

// noise is that variance.
func (v *variance) noise() float64 {
	const counts = 24 // that plainNoise is worth
	if v.squares <= 0 {
		return plainNoise
	}
	within := (v.free*v.within/v.squares + counts*plainNoise) / (v.free + counts)
	return max(within, 1e-4)
}
