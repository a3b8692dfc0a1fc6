package spike

// What grows for an hour or two is told best by a window in which the last minutes
// count for most, and beside what the hours before had: a busy day is no surprise
// in its tenth hour. So rise is a test beside those of the windows, of the refusals
// of the last hour and a half, each weighted by how new it is, and expects that as
// much as usual of what the two hours before the last one had beside the baseline
// goes on.
const (
	rise      = numWindows // its number among the tests
	risePanes = 5400 / pane
	// riseWeight makes as many counts of a weighted sum as those that vary as much
	// beside their mean: Σ weight / Σ weight².
	riseWeight = 1.5
)

// newer is the weighted sum of the last panes: the last one counts risePanes times,
// each before it once less.
type newer struct {
	plain    uint32
	weighted uint64
}

func (s *newer) add(ago int64, n uint32) {
	if ago >= 1 && ago <= risePanes {
		s.plain += n
		s.weighted += uint64(risePanes+1-ago) * uint64(n)
	}
}

// step goes on by a pane that had done refusals; the one that is left behind had gone.
func (s *newer) step(done, gone uint32) {
	s.weighted += risePanes*uint64(done) - uint64(s.plain)
	s.plain += done - gone
}

func (s *newer) counts() float64 { return riseWeight * float64(s.weighted) / risePanes }

// carry is how much of what two hours had beside the baseline the next has as well.
type carry struct {
	both   float64 // Σ of what an hour had beyond the baseline times what those before had
	square float64 // Σ of the square of that
}

// part is between 0, nothing, and 1, all of it.
func (c *carry) part() float64 {
	const prior, keeps = 1, 0.5
	return min(max((prior*keeps+c.both)/(prior+c.square), 0), 1)
}

// factor is by how much an hour differs from the baseline after others that
// differed by so much. However quiet they were, half of what is usual may come.
func (c *carry) factor(before float64) float64 { return max(1+c.part()*(before-1), 0.5) }

// add learns from n refusals where mean were usual, after hours that differed from
// the baseline by a factor.
func (c *carry) add(n, mean, before float64) {
	const enough = 20 // refusals tell whether more or fewer came than usual
	weight := min(mean/enough, 1)
	c.both += weight * (min(n, plausible(mean))/mean - 1) * (before - 1)
	c.square += weight * (before - 1) * (before - 1)
}

func (c *carry) fade(by float64) {
	c.both *= by
	c.square *= by
}

// beside is by how much n refusals differ from mean. They may be of an attack, of
// which nothing goes on.
func beside(n, mean float64) float64 {
	const prior = 10 // refusals as usual
	return (min(n, plausible(mean)) + prior) / (mean + prior)
}

// sight is what rise sees: as many refusals, and what is expected of them by the
// baseline and after the two hours before the last one.
type sight struct {
	n      float64
	usual  float64 // by the baseline alone
	before float64 // what those two hours had beside it
	mean   float64 // after them
}

// rising is what rise sees now; not ok where floor, a gap or the end of the last
// spike, lies in those three hours.
func (t *track) rising(now, floor int64) (r sight, ok bool) {
	const threeHours = numWindows - 1
	since := now - panesOf[threeHours]*pane
	if since < floor {
		return sight{}, false
	}
	two := float64(t.ring.sums[threeHours] - t.ring.sums[lastHour])
	r.n, r.usual = t.ring.newer.counts(), t.newerExpected(now)
	r.before = beside(two, t.expected(since, now-panesOf[lastHour]*pane))
	r.mean = r.usual * t.carry.factor(r.before)
	return r, r.mean > 0
}

// newerExpected is what newer is expected to count.
func (t *track) newerExpected(now int64) float64 {
	const length = risePanes * pane
	since, sum := now-length, 0.0
	for c := floorDiv(since, cell); c*cell < now; c++ {
		from, until := max(since, c*cell), min(now, (c+1)*cell)
		weight := float64(from+until-2*since) / (2 * length) // in the middle
		sum += weight * t.expected(from, until)
	}
	return riseWeight * sum
}

// surpriseOfRise is how surprising it is that refusals rise; 0 where nothing can be
// told.
func (t *track) surpriseOfRise(now, floor int64) float64 {
	r, ok := t.rising(now, floor)
	if !ok {
		return 0
	}
	return t.surpriseAbove(r.n, r.mean)
}

func (t *track) surpriseAbove(n, mean float64) float64 {
	if n <= mean {
		return 0
	}
	mean = max(mean, 0.5/float64(max(t.profile.known, 1)))
	return t.spread[rise].surprise(n, mean, t.variance(rise, mean))
}

// surpriseOfRise is that of t without what bursts explain.
func (d *Detector) surpriseOfRise(t *track, now, floor int64) float64 {
	surprise := t.surpriseOfRise(now, floor)
	if surprise < d.needed[rise] || t.episode.on {
		return surprise
	}
	r, _ := t.rising(now, floor)
	surprise, _ = d.explained(t, rise, r.n, func(b *burst) float64 { return b.newer(d.head) },
		func(n float64) float64 { return t.surpriseAbove(n, r.mean) })
	return surprise
}

// rises reports whether a rise of t pages, and takes its surprise for that of the last
// hour, under which it is told. What is not unusual by itself as well is none, and
// where it holds what comes every night windows alone tell.
func (d *Detector) rises(t *track, hour *reading, now int64) bool {
	if hour.surprise <= calmSurprise || int(hour.n) < d.settings.MinEvents || d.customSince(t, now-risePanes*pane) {
		return false
	}
	surprise := d.surpriseOfRise(t, now, max(t.episode.end, d.known))
	if surprise < d.needed[rise] || d.routine(t, hour, now) || d.tidalRise(t, now) {
		return false
	}
	hour.surprise = surprise
	return true
}

// tidalRise reports whether t rises no more than most causes have.
func (d *Detector) tidalRise(t *track, now int64) bool {
	g := d.lifted(t, lastHour, now)
	r, ok := t.rising(now, max(t.episode.end, d.known))
	if !ok || g <= 1 || t.surpriseAbove(r.n, max(r.mean, g*r.usual)) >= d.needed[rise] {
		return false
	}
	t.tidalAt = now
	return true
}

// customSince reports whether what comes every night was seen in t since a time: a
// scan of minutes is half a rise for an hour, when the hour is hardly unusual. Among
// all refusals it may go unseen.
func (d *Detector) customSince(t *track, since int64) bool {
	at := t.customAt
	if t.series.By != PerCause {
		at = d.customAt
	}
	return at > since
}

// doubtOfRise is what is not known of the mean that rise expects: the hours before
// tell how far off the baseline is, as far as they tell anything.
func (t *track) doubtOfRise(doubt float64) float64 { return doubt * (1 - t.carry.part()) }

// learnRise has what rise sees taken for ordinary, unless it is of what comes every
// night.
func (d *Detector) learnRise(t *track, now, floor int64) {
	r, ok := t.rising(now, floor)
	if !ok || now-t.tidalAt <= risePanes*pane || d.customSince(t, now-panesOf[numWindows-1]*pane) || t.surpriseAbove(r.n, r.mean) >= d.needed[rise] {
		return
	}
	t.lessons = append(t.lessons, lesson{due: now + lessonDelay, window: rise, n: float32(r.n), mean: float32(r.mean),
		doubt: float32(t.doubtOfRise(t.doubt)), usual: float32(r.usual), before: float32(r.before)})
}

// trainRise learns from an hour that is over, which had n refusals where usual were
// foreseen. It counts for an hour and a half that is weighted, which varies as much.
func (d *Detector) trainRise(t *track, hour int64, n, usual float64) {
	two, mean := 0.0, 0.0
	for h := hour - 2; h < hour; h++ {
		n := t.history.hour(h)
		if n == unknown {
			return
		}
		two += float64(n)
		mean += t.profile.rate[d.slot(h)] * t.profile.level
	}
	before := beside(two, mean)
	mean = usual * t.carry.factor(before)
	t.spread[rise].add(n, mean, t.alpha(rise, mean), t.doubtOfRise(t.profile.doubtOf(d.slot(hour))))
	t.carry.add(n, usual, before)
}
