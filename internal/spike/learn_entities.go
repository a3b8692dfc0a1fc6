package spike

import (
	"cmp"
	"hash/maphash"
	"net/netip"
	"slices"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/aggregate"
)

// Past is what one client, network, user or domain was refused in some stretch of
// the past, an hour or a day.
type Past struct {
	Series      Series    // of an entity
	First, Last time.Time // of its refusals
	Events      int64
}

// LearnEntities takes what the store knows of clients, networks, users and
// domains, in any order. It is called once, before the first event. Those that
// were seen last stay where there are more than the detector remembers. What would
// have paged teaches as little as it does when it pages.
func (d *Detector) LearnEntities(past []Past) {
	if d.begun {
		return
	}
	past = slices.SortedFunc(slices.Values(past), func(a, b Past) int {
		return cmp.Or(a.First.Compare(b.First), bySeries(Spike{Series: a.Series}, Spike{Series: b.Series}))
	})
	const day = 24 * 3600
	for i := range past {
		if i > 0 {
			since, until := past[i-1].First.Unix(), past[i].First.Unix()
			d.entities.seen += float64(until-since) / month
			for range min(floorDiv(until, day)-floorDiv(since, day), 60) {
				d.entities.fade(0.97)
			}
		}
		d.learnPast(&past[i])
	}
}

// learnPast spreads what p counts evenly over the time that it took.
func (d *Detector) learnPast(p *Past) {
	if !p.Series.By.Entity() || !p.Series.Kind.Refusal() || p.Events <= 0 {
		return
	}
	by := aggregate.By(p.Series.By - PerClient)
	key := aggregate.KeyOfText(p.Series.Key, by)
	if key.None() {
		return
	}
	first, last := p.First.Unix(), max(p.Last.Unix(), p.First.Unix())
	switch by {
	case aggregate.ByClient:
		address, _ := netip.ParseAddr(p.Series.Key)
		d.bursts.learnPast(address, p, d.settings.FalsePagesPerMonth)
	case aggregate.ByNetwork:
		network, _ := netip.ParsePrefix(p.Series.Key)
		d.networks.learnPast(network.Addr(), p, d.settings.FalsePagesPerMonth)
	}
	for h := floorDiv(first, 3600); h <= floorDiv(last, 3600); h++ {
		part := min(last+1, (h+1)*3600) - max(first, h*3600)
		n := float64(p.Events) * float64(part) / float64(last+1-first)
		d.entities.learnHour(d, key, p, h, uint32(n+0.5), part)
	}
}

// uneven is by how much a window may have more than its share of an hour or a day.
const uneven = 3

// learnHour takes an hour in which n refusals came within so many seconds.
func (s *entities) learnHour(d *Detector, key aggregate.Key, p *Past, hour int64, n uint32, seconds int64) {
	by, kind := aggregate.By(p.Series.By-PerClient), p.Series.Kind
	hash := maphash.Bytes(s.seed, key.Bytes()) ^ uint64(by)<<3 ^ uint64(kind)
	e, isNew := s.table.Put(hash, hour*3600)
	if isNew {
		*e = entity{key: key, hash: hash, by: by, kind: kind, minute: hour * 60, touched: -1}
	}
	e.roll(hour * 60)
	slot := e.hours[mod(hour, 24)]
	pages := false
	for span := range numSpans {
		in := n
		if length := uneven * spanLengths[span]; length < seconds {
			in = uint32(int64(n) * length / seconds)
		}
		pages = s.learnBurst(d, e, span, in) || pages
	}
	if pages {
		n = uint32(min(float32(n), 4*max(slot, 20)))
	}
	e.hour += n
}

// learnBurst counts a window of n refusals among those of the others, and reports
// whether it would have paged.
func (s *entities) learnBurst(d *Detector, e *entity, span int, n uint32) (pages bool) {
	if int(n) < d.settings.MinEvents || -logTail(float64(n), e.usual(), entityAlpha) < ownSurprise {
		return false
	}
	c := &s.crowds[e.by][e.kind-1][span]
	perMonth := c.perMonth(n, e.level[span], max(s.seen, 1./30), span)
	for level := levelOf(n); e.level[span] < level; {
		e.level[span]++
		c.reached[e.level[span]]++
	}
	return perMonth < d.settings.FalsePagesPerMonth*entityShare/float64(numSpans*aggregate.NumBy)
}

// learnPast takes what a client or a network had for a burst of its kind. Of which cause
// it was is not known.
func (s *bursts) learnPast(address netip.Addr, p *Past, falsePages float64) {
	const few = 10 // causes
	client, ok := s.who(&relaylens.Event{ClientIP: address, Kind: p.Series.Kind})
	if !ok {
		return
	}
	first, last := p.First.Unix(), max(p.Last.Unix(), p.First.Unix())
	for _, i := range [2]int{0, int(p.Series.Kind)} {
		sizes := &s.learnt[i]
		if sizes.since == 0 {
			sizes.since = first
		}
		for w, length := range panesOf {
			n := float64(p.Events) * min(uneven*float64(length*pane)/float64(last+1-first), 1)
			for n > fewOfOne && sizes.perMonth(w, n, last, plainBursts) < falsePages*burstShare/few {
				n /= 2 // it would have paged
			}
			sizes.add(w, client, n, last)
		}
	}
}
