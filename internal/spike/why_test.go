package spike

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/spike/simulate"
)

// why compares what the oracle makes of its windows with what the detector makes of
// the same ones: when the oracle tells of an incident first, and when we follow.
type why struct {
	told, followed map[whyKey]bool
	lines          map[int][]string // of each incident
}

// whyKey is an incident as a spike, or as a page: attacks that are tenfold.
type whyKey struct {
	incident int
	page     bool
}

func newWhy() *why {
	return &why{told: map[whyKey]bool{}, followed: map[whyKey]bool{}, lines: map[int][]string{}}
}

// look is called at each step; spike and page are whether the detector told of any
// at this one.
func (y *why) look(d *Detector, o *oracle, incidents []simulate.Incident, now time.Time, spike, page bool) {
	for i := range incidents {
		in := &incidents[i]
		if in.Night > 0 || in.Name == simulate.Gap || !in.During(now) {
			continue
		}
		y.note(whyKey{i, false}, d, o, now.Sub(in.Start), o.excess > o.offset, spike)
		y.note(whyKey{i, true}, d, o, now.Sub(in.Start), o.pages, page)
	}
}

func (y *why) note(k whyKey, d *Detector, o *oracle, after time.Duration, oracle, ours bool) {
	who := ""
	switch {
	case !y.told[k] && oracle:
		y.told[k], y.followed[k] = true, ours
		who = "oracle"
	case y.told[k] && !y.followed[k] && ours:
		y.followed[k] = true
		who = "relaylens"
	}
	if who != "" && (who != "oracle" || !ours) {
		y.lines[k.incident] = append(y.lines[k.incident], fmt.Sprintf("  %s, page %v, after %v:%s", who, k.page, after, closest(d, o, k.page)))
	}
}

// closest tells of the two windows that surprise the oracle most.
func closest(d *Detector, o *oracle, page bool) string {
	type window struct {
		excess float64
		text   string
	}
	var all []window
	for i := range o.tracks {
		t, mine := &o.tracks[i], d.tracks[i]
		for w := range windows {
			n := float64(t.ring.sums[w])
			mean, variance := o.moments(t, w)
			if n < 20 || page && (t.series.By != PerCause || t.series.Cause.Fault() == relaylens.FaultAttacker && n < 10*mean) {
				continue
			}
			surprise := o.surprise(t, w, n)
			r := mine.read(w, d.head*pane, mine.episode.end)
			all = append(all, window{surprise - o.needed[w], fmt.Sprintf(
				"\n    %v %v%v %v: %.0f for %.1f, α %.3f, surprise %.1f of %.1f; relaylens: %d for %.1f, α %.3f, doubt %.3f, stretch %.2f, surprise %.1f of %.1f, custom %.0f",
				t.series.By, t.series.Kind, t.series.Cause, windows[w], n, mean, (variance-mean)/(mean*mean), surprise, o.needed[w]+o.offset,
				r.n, r.expected, mine.variance(w, max(r.expected, 1e-3)), mine.doubt, mine.spread[w].stretch(), r.surprise, d.needed[w], d.customary(mine, &r, d.head*pane).excess)})
			if see, ok := mine.rising(d.head*pane, max(mine.episode.end, d.known)); ok && w == lastHour {
				all[len(all)-1].text += fmt.Sprintf("; rise %.0f for %.1f, before %.2f, surprise %.1f of %.1f",
					see.n, see.mean, see.before, mine.surpriseOfRise(d.head*pane, max(mine.episode.end, d.known)), d.needed[rise])
			}
		}
	}
	slices.SortFunc(all, func(a, b window) int { return cmp.Compare(b.excess, a.excess) })
	var b strings.Builder
	for _, w := range all[:min(2, len(all))] {
		b.WriteString(w.text)
	}
	return b.String()
}
