package spike

import (
	"cmp"
	"slices"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/bounded"
)

const (
	numKinds  = int(relaylens.KindRejected)
	numCauses = int(relaylens.CauseUnknown)
	numTracks = 1 + numKinds + numCauses
)

// Detector finds spikes. It is not safe for concurrent use. What it needs is
// bounded by its settings: some 2 MB, 6 more where many clients try for hours, and
// 0.3 kB for each of MaxEntities.
type Detector struct {
	settings Settings
	clock    bounded.Clock
	begun    bool
	head     int64 // the pane under way
	known    int64 // begin of the first cell that is known since the last gap
	gap      bool  // the panes that are stepped over are not known
	tracks   [numTracks]*track
	tails    [numTests]tail // of all tracks
	entities *entities
	bursts   bursts // of clients
	networks bursts
	sources  float64 // causes that there are refusals of
	learner  learner
	coarse   [historyHours]bool // hours whose cells are not known one by one
	slots    [64]slotCache
	needed   [numTests]float64 // surprise
	overlap  [numTests]float64 // the part of it that is for windows that overlap
	tide     tide
	causeOn  bool  // a spike of any cause is on
	causeEnd int64 // of the last one
	customAt int64 // when what comes every night was seen last, of any track
	pending  []Spike
	learned  int64 // the last hour that Learn was told of
}

type slotCache struct {
	hour int64
	slot int
}

// New makes a detector that knows nothing yet.
func New(s Settings) *Detector {
	d := &Detector{settings: s.filled()}
	d.tracks[0] = newTrack(Series{}, &d.tails)
	for k := range numKinds {
		d.tracks[1+k] = newTrack(Series{By: PerKind, Kind: relaylens.Kind(k + 1)}, &d.tails)
	}
	for c := range numCauses {
		d.tracks[1+numKinds+c] = newTrack(Series{By: PerCause, Cause: relaylens.Cause(c + 1)}, &d.tails)
	}
	for i, t := range d.tracks {
		t.index = i
	}
	d.bursts, d.networks = newBursts(false), newBursts(true)
	d.entities = newEntities(d.settings.MaxEntities, func(s Spike) { d.pending = append(d.pending, s) })
	d.setNeeded()
	return d
}

// Add counts an event. Only refusals count; the others tell that time goes on.
// Events may come out of order, and those of the last three hours count where
// they belong.
func (d *Detector) Add(e *relaylens.Event) { d.AddN(e, 1) }

// AddN is Add for n events that are alike.
func (d *Detector) AddN(e *relaylens.Event, n int) {
	at := e.Time.Unix()
	if !d.clock.Observe(at) {
		return
	}
	d.stepTo(d.clock.Now())
	if !e.Refusal() || n <= 0 {
		return
	}
	p := floorDiv(at, pane)
	for _, i := range indexes(e.Kind, e.Cause) {
		t := d.tracks[i]
		if !t.ring.add(p, uint32(n)) {
			return // too late: no window reaches so far back
		}
		t.count(floorDiv(at, cell), uint32(n), d.head)
	}
	d.entities.add(e, at, uint32(n), d.head)
	d.bursts.add(e, p, uint32(n))
	d.networks.add(e, p, uint32(n))
}

// indexes are the tracks of a refusal.
func indexes(k relaylens.Kind, c relaylens.Cause) [3]int {
	if c == relaylens.CauseNone || int(c) > numCauses {
		c = relaylens.CauseUnknown
	}
	return [3]int{0, int(k), numKinds + int(c)}
}

// count adds to the history.
func (t *track) count(c int64, n uint32, head int64) {
	h := t.history
	if now := h.cell(c); now != unknown {
		h.setCell(c, now+n)
	}
	hour := floorDiv(c, 3600/cell)
	if hour == floorDiv(head*pane, 3600) {
		return // not closed yet
	}
	if now := h.hour(hour); now != unknown {
		h.setHour(hour, now+n)
	}
}

// Advance says that event time has come to now and that what the log says of the
// time before has been added. It returns the spikes that began and those that
// ended since the last call, in this order of their times; a spike that did both
// is there twice.
func (d *Detector) Advance(now time.Time) []Spike {
	d.clock.Advance(now.Unix())
	d.stepTo(d.clock.Now())
	changes := d.pending
	d.pending = nil
	return changes
}

// Limit sets the time that no event can be of a later one than, by some minutes:
// the wall clock's, where the log is followed as it is written.
func (d *Detector) Limit(now time.Time) { d.clock.Limit(now.Unix()) }

// Active lists the spikes that are on, in a fixed order: the total first, then
// kinds, causes and entities.
func (d *Detector) Active() []Spike {
	var on []Spike
	for _, t := range d.tracks {
		if t.episode.on {
			on = append(on, t.episode.spike)
		}
	}
	on = append(on, d.entities.active()...)
	slices.SortFunc(on, bySeries)
	return on
}

// stepTo ends the panes that are over at now.
func (d *Detector) stepTo(now int64) {
	p := floorDiv(now, pane)
	if !d.begun {
		d.begin(p)
	}
	if p <= d.head {
		return
	}
	// Hours without any mail are known to be quiet where a quiet hour is no wonder.
	d.gap = (p-d.head)*pane > cell && d.implausible(p-d.head)
	for range min(p-d.head, 2*numPanes) {
		d.step()
	}
	if p > d.head {
		d.leap(p)
	}
	d.gap = false
}

// implausible reports whether so many panes without any refusal mean that the
// log was not read.
func (d *Detector) implausible(panes int64) bool {
	const wonder = 8 // refusals: one in 3000
	t := d.tracks[0]
	if t.profile.known == 0 {
		return true
	}
	hours, expected := min(panes*pane/3600+1, 24), 0.0
	for h := range hours {
		expected += t.profile.rate[d.slot(floorDiv(d.head*pane, 3600)+h)]
	}
	return expected*t.profile.level*min(1, float64(panes*pane)/3600) > wonder
}

func (d *Detector) begin(p int64) {
	d.begun, d.head = true, p
	now := p * pane
	d.known = (floorDiv(now, cell) + 1) * cell
	// Between what was learned and now nobody read the log.
	since := max(d.learned+1, floorDiv(now, 3600)-historyHours+1)
	for i, t := range d.tracks {
		t.ring.reset(p)
		for _, s := range [...]*burstSizes{&d.bursts.learnt[i], &d.networks.learnt[i]} {
			if s.since == 0 {
				s.since = now
			}
		}
		for h := since; h <= floorDiv(now, 3600); h++ {
			t.history.forget(h)
		}
	}
	d.relearn(floorDiv(now, 3600) - 1)
	d.foresee()
}

// step ends the pane under way.
func (d *Detector) step() {
	d.head++
	now, told := d.head*pane, len(d.pending)
	for _, t := range d.tracks {
		t.ring.step()
		if t.profile.known > 0 && (t.ring.sums[numWindows-1] > 0 || t.episode.on) && d.judge(t, now) {
			d.pending = append(d.pending, t.episode.spike)
		}
		d.learnWindows(t, now)
	}
	d.causeOn = false
	for _, t := range d.tracks[1+numKinds:] {
		d.causeOn = d.causeOn || t.episode.on
		d.causeEnd = max(d.causeEnd, t.episode.end)
	}
	d.bursts.step(d)
	d.networks.step(d)
	d.entities.step(d, now)
	slices.SortFunc(d.pending[told:], bySeries)
	if now%cell == 0 {
		d.newCell(now)
	}
}

// bySeries makes the order of spikes one of what they are about alone.
func bySeries(a, b Spike) int {
	return cmp.Or(cmp.Compare(a.Series.By, b.Series.By), cmp.Compare(a.Series.Kind, b.Series.Kind),
		cmp.Compare(a.Series.Cause, b.Series.Cause), cmp.Compare(a.Series.Key, b.Series.Key))
}

func (d *Detector) learnWindows(t *track, now int64) {
	const certain = 0.3
	t.learn(now)
	on, end := t.episode.on, t.episode.end
	if t.series.By != PerCause { // a spike of a cause is in its kind and in the total as well
		on, end = on || d.causeOn, max(end, d.causeEnd)
	}
	if d.gap || on || t.profile.known < 6 || t.doubt > certain && t.profile.total > 20 {
		return
	}
	for w, length := range panesOf {
		if d.head%length == 0 && now-length*pane >= max(d.known, end, t.tidalAt) {
			d.learnWindow(t, w, now)
		}
	}
	if d.head%risePanes == 0 {
		d.learnRise(t, now, max(d.known, end))
	}
}

// learnWindow has a window that has just ended taken for an ordinary one, unless
// it is of what comes every night.
func (d *Detector) learnWindow(t *track, w int, now int64) {
	r := t.read(w, now, 0)
	if r.expected <= 0 || r.surprise > tailFrom && d.customary(t, &r, now).excess > 0 {
		return
	}
	n := float64(r.n)
	if r.surprise >= d.needed[w] { // of what clients had now and then it is no news
		n = d.forgive(t, &r, now)
	}
	t.lessons = append(t.lessons, lesson{due: now + lessonDelay, window: w, n: float32(n), mean: float32(r.expected), doubt: float32(t.doubt)})
}

func (d *Detector) newCell(now int64) {
	c := floorDiv(now, cell)
	begin := uint32(0)
	if d.gap {
		begin, d.known = unknown, now+cell
	}
	for _, t := range d.tracks {
		t.history.setCell(c, begin)
	}
	if now%3600 == 0 {
		d.closeHour(now/3600 - 1)
	}
	d.foresee()
}

func (d *Detector) closeHour(hour int64) {
	d.coarse[mod(hour, historyHours)] = false
	for _, t := range d.tracks {
		t.history.closeHour(hour)
	}
	d.relearn(hour)
	if hour%24 == 0 {
		for _, t := range d.tracks {
			for w := range t.spread {
				t.spread[w].fade(0.97)
			}
			t.carry.fade(0.97)
		}
		for w := range d.tails {
			d.tails[w].fade(0.97)
		}
		d.entities.fade(0.97)
	}
}

// relearn makes the profiles anew from the hours until newest.
func (d *Detector) relearn(newest int64) {
	d.learner.newest = newest
	for i := newest - historyHours + 1; i <= newest; i++ {
		d.learner.week[mod(i, historyHours)] = uint8(d.slot(i))
	}
	for _, t := range d.tracks {
		d.learner.frozen = t.episode.frozen(d.head * pane)
		d.learner.learn(t.history, &t.profile)
	}
	d.setNeeded()
}

func (d *Detector) foresee() {
	for _, t := range d.tracks {
		t.foresee(floorDiv(d.head*pane, cell), d.slot)
	}
}

// leap goes to pane p, which is far ahead.
func (d *Detector) leap(p int64) {
	from, to := floorDiv(d.head*pane, cell), floorDiv(p*pane, cell)
	begin := uint32(0)
	if d.gap {
		begin = unknown
	}
	for _, t := range d.tracks {
		t.ring.reset(p)
		for c := max(from, to-historyCells) + 1; c <= to; c++ {
			t.history.setCell(c, begin)
		}
		first, last := floorDiv(from, 3600/cell), floorDiv(to, 3600/cell)
		for h := max(first, last-historyHours+1); h < last; h++ {
			t.history.setHour(h, begin)
		}
		t.history.setCell(to, unknown)
	}
	d.head, d.known = p, (to+1)*cell
	d.relearn(floorDiv(p*pane, 3600) - 1)
	d.foresee()
}

// slot is the hour of the week that an hour is, in the settings' zone.
func (d *Detector) slot(hour int64) int {
	s := &d.slots[mod(hour, int64(len(d.slots)))]
	if s.hour != hour {
		t := time.Unix(hour*3600, 0).In(d.settings.Location)
		s.hour, s.slot = hour, (int(t.Weekday())+6)%7*24+t.Hour()
	}
	return s.slot
}
