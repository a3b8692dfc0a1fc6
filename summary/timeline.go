package summary

import (
	"slices"
	"time"
)

// Timeline is how many refusals there were when.
type Timeline struct {
	Step    string   `json:"step"` // nominal: "15m", "1h", "1d"; a day of a DST change has another length
	Buckets []Bucket `json:"buckets"`
}

// Bucket is one step of a time line, which ends where the next one begins.
type Bucket struct {
	Time         time.Time `json:"time"`
	Events       int64     `json:"events"` // without those of remote servers
	RelayDenied  int64     `json:"relay_denied"`
	SenderVerify int64     `json:"sender_verify"`
	AuthFailed   int64     `json:"auth_failed"`
	Rejected     int64     `json:"rejected"`
	Remote       int64     `json:"remote"`
}

// step is a stretch of a time line: an absolute one, or days and months of the
// calendar.
type step struct {
	name     string
	duration time.Duration // at most an hour: absolute; above, hours of the local day
	days     int
	months   int
}

var steps = []step{
	{name: "1s", duration: time.Second}, {name: "5s", duration: 5 * time.Second}, {name: "15s", duration: 15 * time.Second},
	{name: "1m", duration: time.Minute}, {name: "5m", duration: 5 * time.Minute}, {name: "15m", duration: 15 * time.Minute},
	{name: "30m", duration: 30 * time.Minute}, {name: "1h", duration: time.Hour}, {name: "3h", duration: 3 * time.Hour},
	{name: "6h", duration: 6 * time.Hour}, {name: "12h", duration: 12 * time.Hour},
	{name: "1d", days: 1}, {name: "7d", days: 7}, {name: "1mo", months: 1}, {name: "3mo", months: 3}, {name: "1y", months: 12},
	{name: "10y", months: 120}, {name: "100y", months: 1200},
}

// floor is the beginning of the step that t is in, in t's zone.
func (s step) floor(t time.Time) time.Time {
	y, m, d := t.Date()
	switch {
	case s.months > 0:
		n := y*12 + int(m-1)
		return local(0, time.Month(n-n%s.months+1), 1, 0, t.Location())
	case s.days > 1:
		return local(y, m, d-(int(t.Weekday())+6)%7, 0, t.Location()) // Monday
	case s.days == 1:
		return local(y, m, d, 0, t.Location())
	case s.duration > time.Hour:
		h := int(s.duration / time.Hour)
		return local(y, m, d, t.Hour()/h*h, t.Location())
	default:
		_, offset := t.Zone()
		seconds := floor(t.Unix()+int64(offset), int64(s.duration/time.Second)) - int64(offset)
		return time.Unix(seconds, 0).In(t.Location())
	}
}

// next is the beginning of the step after the one that begins at t.
func (s step) next(t time.Time) time.Time {
	y, m, d := t.Date()
	switch {
	case s.months > 0:
		return local(y, m+time.Month(s.months), 1, 0, t.Location())
	case s.days > 0:
		return local(y, m, d+s.days, 0, t.Location())
	case s.duration > time.Hour:
		h := int(s.duration / time.Hour)
		return local(y, m, d, t.Hour()/h*h+h, t.Location())
	default:
		return t.Add(s.duration)
	}
}

// local is when the clocks of loc show an hour, or first show a later one where
// a clock change leaves it out.
func local(year int, month time.Month, day, hour int, loc *time.Location) time.Time {
	t := time.Date(year, month, day, hour, 0, 0, 0, loc)
	_, offset := t.Zone()
	shown := t.Unix() + int64(offset)
	if late := time.Date(year, month, day, hour, 0, 0, 0, time.UTC).Unix() - shown; late > 0 {
		t = t.Add(time.Duration(late) * time.Second)
	}
	return t
}

// edges are the beginnings of the steps from since to until, at most limit of
// them; nil when there would be more.
func (s step) edges(since, until time.Time, limit int) []time.Time {
	var edges []time.Time
	for t := s.floor(since); t.Before(until) || len(edges) == 0; t = s.next(t) {
		if len(edges) == limit {
			return nil
		}
		edges = append(edges, t)
	}
	return edges
}

// timeline puts h together in at most limit steps of the local time of loc.
func (h *histogram) timeline(span Span, loc *time.Location, limit int) Timeline {
	since, until := span.Since.In(loc), span.Until.In(loc)
	var line Timeline
	for i, s := range steps {
		if s.duration > 0 && s.duration < max(h.least, time.Duration(h.step)*time.Second) {
			continue
		}
		// An estimate saves counting the seconds of a decade.
		if s.duration > 0 && until.Sub(since)/s.duration > time.Duration(limit) {
			continue
		}
		edges := s.edges(since, until, limit)
		if i == len(steps)-1 {
			edges = s.edges(since, until, 1<<10) // however few were asked for
		}
		if edges == nil {
			continue
		}
		line.Step, line.Buckets = s.name, make([]Bucket, len(edges))
		for i, t := range edges {
			line.Buckets[i].Time = t
		}
		break
	}
	h.fill(line.Buckets)
	return line
}

func (h *histogram) fill(buckets []Bucket) {
	if len(buckets) == 0 {
		return
	}
	for start, counts := range h.buckets {
		i, found := slices.BinarySearchFunc(buckets, start, func(b Bucket, start int64) int {
			return int(min(max(b.Time.Unix()-start, -1), 1))
		})
		if !found {
			i = max(i-1, 0)
		}
		b := &buckets[i]
		b.RelayDenied += counts[0]
		b.SenderVerify += counts[1]
		b.AuthFailed += counts[2]
		b.Rejected += counts[3]
		b.Remote += counts[seriesRemote]
		b.Events += counts[0] + counts[1] + counts[2] + counts[3]
	}
}
