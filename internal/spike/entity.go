package spike

import (
	"hash/maphash"
	"math"
	"slices"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/aggregate"
	"github.com/relaylens/relaylens/internal/bounded"
)

// The windows of entities.
const (
	fewMinutes = 0 // five minutes, by minute
	oneHour    = 1 // by five minutes
	numSpans   = 2
)

var spanLengths = [numSpans]int64{300, 3600}

// entity is one client, network, user or domain, and its refusals of one kind.
type entity struct {
	key     aggregate.Key
	hash    uint64
	by      aggregate.By
	kind    relaylens.Kind
	minutes [5]uint32
	fives   [12]uint32
	minute  int64 // the newest one counted
	// hours is what each hour of the day usually has, weight of how many days
	// that is the mean of.
	hours    [24]float32
	weight   uint8
	hour     uint32 // refusals in the hour under way
	level    [numSpans]int8
	touched  int64 // the step that it is to be looked at after
	spike    *Spike
	calm     int64
	strength float64
}

// entities are the series that come and go.
type entities struct {
	table   *bounded.Table[entity]
	most    int
	seed    maphash.Seed
	touched []uint64 // to be looked at when the step ends
	on      []uint64 // of which spikes are on
	crowds  [aggregate.NumBy][numKinds][numSpans]crowd
	seen    float64 // months that the crowds were watched for
	now     int64
	tell    func(Spike)
}

// entityMemory is how long an entity is remembered that does nothing.
const entityMemory = 15 * 24 * 3600

func newEntities(most int, tell func(Spike)) *entities {
	s := &entities{most: most, seed: maphash.MakeSeed(), tell: tell}
	s.table = bounded.NewTable(most, entityMemory, func(e *entity) {
		if e.spike != nil { // forgotten under a flood of others
			s.end(e)
		}
	})
	return s
}

// add counts n refusals under each entity that e tells.
func (s *entities) add(e *relaylens.Event, at int64, n uint32, step int64) {
	for by := range aggregate.NumBy {
		k := aggregate.KeyOf(e, by)
		if k.None() {
			continue
		}
		text := k.Bytes()
		hash := maphash.Bytes(s.seed, text) ^ uint64(by)<<3 ^ uint64(e.Kind)
		v, isNew := s.table.Put(hash, at)
		if isNew {
			*v = entity{key: k, hash: hash, by: by, kind: e.Kind, minute: floorDiv(at, 60), touched: -1}
		}
		v.roll(floorDiv(max(at, s.now), 60))
		v.count(floorDiv(at, 60), n)
		if v.touched != step {
			v.touched = step
			s.touch(hash)
		}
	}
}

// touch has an entity looked at. The list is bounded as the table is: who was
// forgotten since is not looked at.
func (s *entities) touch(hash uint64) {
	if len(s.touched) >= 4*s.most {
		s.touched = slices.DeleteFunc(s.touched, func(h uint64) bool { return s.table.Get(h, s.now) == nil })
	}
	s.touched = append(s.touched, hash)
}

// roll goes on to a minute.
func (e *entity) roll(minute int64) {
	if minute <= e.minute {
		return
	}
	for m := max(e.minute+1, minute-4); m <= minute; m++ {
		e.minutes[mod(m, 5)] = 0
	}
	from, to := floorDiv(e.minute, 5), floorDiv(minute, 5)
	for f := max(from+1, to-11); f <= to; f++ {
		e.fives[mod(f, 12)] = 0
	}
	first, last := floorDiv(e.minute, 60), floorDiv(minute, 60)
	for h := first; h < min(last, first+14*24); h++ {
		e.closeHour(h)
	}
	if last-first > 1 {
		e.level = [numSpans]int8{}
	}
	e.minute = minute
}

// closeHour learns from an hour. What paged teaches only so much: the next day
// is no routine yet.
func (e *entity) closeHour(hour int64) {
	const days = 7
	slot := &e.hours[mod(hour, 24)]
	n := float32(e.hour)
	if e.spike != nil {
		n = min(n, 4*max(*slot, 20))
	}
	*slot += (n - *slot) / float32(min(int(e.weight)/24+3, days))
	e.hour = 0
	e.weight = min(e.weight+1, 24*days)
}

func (e *entity) count(minute int64, n uint32) {
	if minute > e.minute-5 {
		e.minutes[mod(minute, 5)] += n
	}
	if f := floorDiv(minute, 5); f > floorDiv(e.minute, 5)-12 {
		e.fives[mod(f, 12)] += n
	}
	if floorDiv(minute, 60) == floorDiv(e.minute, 60) {
		e.hour += n
	}
}

func (e *entity) sum(span int) (n uint32) {
	if span == fewMinutes {
		for _, m := range e.minutes {
			n += m
		}
		return n
	}
	for _, f := range e.fives {
		n += f
	}
	return n
}

// usual is what the entity has in an hour about this time of day. A window that
// is shorter may have all of it.
func (e *entity) usual() float64 {
	h := floorDiv(e.minute, 60)
	return float64(max(e.hours[mod(h-1, 24)], e.hours[mod(h, 24)], e.hours[mod(h+1, 24)], 1))
}

// crowd is how large the bursts of all entities of a dimension and kind get:
// newcomers are judged by it.
type crowd struct {
	reached [numLevels]float64 // bursts that reached each level
}

const (
	numLevels  = 48 // half octaves
	fewBursts  = 5  // from which on the tail is extrapolated
	crowdPrior = 1.5
)

func levelOf(n uint32) int8 {
	return int8(min(max(int(2*math.Log2(float64(n))), 0), numLevels-1))
}

// perMonth is how many bursts of n or more there are, own of which are not to be
// counted, where the crowd was seen for so many months.
func (c *crowd) perMonth(n uint32, own int8, months float64, span int) float64 {
	at := func(level int) float64 {
		k := c.reached[level]
		if int8(level) <= own && own > 0 {
			k--
		}
		return max(k, 0)
	}
	top := numLevels - 1
	for top > 0 && at(top) < fewBursts {
		top--
	}
	// Nothing is known yet: one in a day gets to 64 in five minutes, 128 in an hour.
	rate, size, slope := 30.0, float64(int(64)<<span), crowdPrior
	if top > 0 {
		rate, size = at(top)/months, math.Exp2(float64(top)/2)
		low := top
		for low > 8 && at(low) < 8*at(top) {
			low--
		}
		if low < top {
			slope = math.Log(at(low)/at(top)) / (float64(top-low) / 2 * math.Ln2)
		}
		slope = min(max(slope, crowdPrior), 4)
	}
	return rate * math.Pow(max(float64(n)/size, 1), -slope)
}

// step looks at the entities that were counted since the last one.
func (s *entities) step(d *Detector, now int64) {
	s.seen += float64(pane) / month
	s.now = now
	for _, hash := range s.touched {
		if e := s.table.Get(hash, now); e != nil {
			s.judge(d, e, now)
		}
	}
	s.touched = s.touched[:0]
	on := s.on[:0]
	for _, hash := range s.on {
		e := s.table.Get(hash, now)
		if e == nil {
			continue
		}
		if s.calm(e, now) {
			s.end(e)
			continue
		}
		on = append(on, hash)
	}
	s.on = on
}

const (
	entityAlpha = 1.0 // dispersion: what one client does is not steady
	ownSurprise = 9.0 // one in 8000 of the windows of an entity alone
)

func (s *entities) judge(d *Detector, e *entity, now int64) {
	e.roll(floorDiv(now-1, 60))
	for span := range numSpans {
		n := e.sum(span)
		if int(n) < d.settings.MinEvents {
			continue
		}
		usual := e.usual()
		own := -logTail(float64(n), usual, entityAlpha)
		if own < ownSurprise {
			continue
		}
		c := &s.crowds[e.by][e.kind-1][span]
		perMonth := c.perMonth(n, e.level[span], max(s.seen, 1./30), span)
		for level := levelOf(n); e.level[span] < level; {
			e.level[span]++
			c.reached[e.level[span]]++
		}
		if allowed := d.settings.FalsePagesPerMonth * entityShare / float64(numSpans*aggregate.NumBy); perMonth < allowed {
			s.surprising(e, span, n, usual, own, perMonth, now)
		}
	}
}

// entityShare is the part of the false pages that entities may take. A page for
// each kind is rare in all dimensions but one or two.
const entityShare = 0.3

func (s *entities) surprising(e *entity, span int, n uint32, usual, own, perMonth float64, now int64) {
	length := spanLengths[span]
	if e.spike == nil {
		e.spike = &Spike{Series: Series{By: PerClient + Dimension(e.by), Kind: e.kind, Key: e.key.Text(e.by)},
			Start: unix(now - length), Found: unix(now)}
		e.strength = math.Inf(-1)
		s.on = append(s.on, e.hash)
		s.begins(e)
		defer func() { s.tell(*e.spike) }()
	}
	e.spike.Last, e.calm = unix(now), 0
	if -perMonth > e.strength {
		e.strength = -perMonth
		e.spike.Window, e.spike.Peak = unix(now).Sub(unix(now-length)), unix(now)
		e.spike.Value, e.spike.Expected = float64(n), usual*float64(length)/3600
		e.spike.PerMonth, e.spike.Probability = perMonth, max(math.Exp(-own), perMonth*float64(length)/month)
	}
}

// begins sets the time that the excess began to that of the first of the minutes
// that have any.
func (s *entities) begins(e *entity) {
	for m := e.minute - 4; m <= e.minute; m++ {
		if e.minutes[mod(m, 5)] > 0 {
			e.spike.Start = unix(m * 60)
			return
		}
	}
}

// calm reports whether the entity has been as usual for a while.
func (s *entities) calm(e *entity, now int64) bool {
	e.roll(floorDiv(now-1, 60))
	if -logTail(float64(e.sum(fewMinutes)), e.usual()/12+1, entityAlpha) > calmSurprise {
		e.calm = 0
		return false
	}
	if e.calm == 0 {
		e.calm = now
	}
	return now-e.calm >= calmTime
}

func (s *entities) end(e *entity) {
	ended := *e.spike
	ended.End = unix(s.now)
	if e.calm != 0 {
		ended.End = unix(e.calm)
	}
	e.spike = nil
	s.tell(ended)
}

// active lists the spikes that are on.
func (s *entities) active() (list []Spike) {
	for _, hash := range s.on {
		if e := s.table.Get(hash, s.now); e != nil && e.spike != nil {
			list = append(list, *e.spike)
		}
	}
	return list
}

// fade lets old bursts count for less.
func (s *entities) fade(by float64) {
	s.seen *= by
	for b := range s.crowds {
		for k := range s.crowds[b] {
			for span := range s.crowds[b][k] {
				for level := range s.crowds[b][k][span].reached {
					s.crowds[b][k][span].reached[level] *= by
				}
			}
		}
	}
}
