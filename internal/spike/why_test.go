package spike

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/relaylens/relaylens/internal/spike/simulate"
)

// why compares what the oracle sees with what the detector makes of the same
// window, when the oracle tells of an incident first and the detector does not.
type why struct {
	told  [2]map[int]bool // by incident: as a spike, and as a page
	lines map[int][]string
}

func newWhy() *why {
	return &why{told: [2]map[int]bool{{}, {}}, lines: map[int][]string{}}
}

// look is called at each step with what both say now.
func (y *why) look(d *Detector, o *oracle, incidents []simulate.Incident, now time.Time, says [2]bool) {
	for i := range incidents {
		in := &incidents[i]
		if in.Night > 0 || in.Name == simulate.Gap || now.Before(in.Start) || !now.Before(in.End) {
			continue
		}
		for r, told := range [2]bool{o.excess > o.offset, o.pages} {
			if told && !y.told[r][i] {
				y.told[r][i] = true
				if !says[r] {
					y.lines[i] = append(y.lines[i], y.at(d, o, in, now, r == 1))
				}
			}
		}
		for r := range says {
			if says[r] && y.told[r][i] && !y.told[r][i+1000] {
				y.told[r][i+1000] = true
				y.lines[i] = append(y.lines[i], "  ours:"+y.at(d, o, in, now, r == 1))
			}
		}
	}
}

func (y *why) at(d *Detector, o *oracle, in *simulate.Incident, now time.Time, page bool) string {
	type best struct {
		excess float64
		text   string
	}
	var all []best
	for i := range o.tracks {
		t, mine := &o.tracks[i], d.tracks[i]
		if page && t.series.By != PerCause {
			continue
		}
		for w := range windows {
			n := float64(t.ring.sums[w])
			if n < 20 {
				continue
			}
			s := o.surprise(t, w, n)
			mean, variance := o.moments(t, w)
			if page && t.series.Fault().String() == "attacker" && n < 10*mean {
				continue
			}
			r := mine.read(w, d.head*pane, mine.episode.end)
			usual := d.customary(mine, &r, d.head*pane).excess
			all = append(all, best{s - o.needed[w], fmt.Sprintf("%v %v%v %v n %.0f; true mean %.1f α %.3f surprise %.1f needs %.1f; ours n %d mean %.1f α %.3f doubt %.3f stretch %.2f surprise %.1f needs %.1f routine %.0f on %v height %.1f",
				t.series.By, t.series.Kind, t.series.Cause, windows[w], n, mean, (variance-mean)/(mean*mean), s, o.needed[w]+o.offset,
				r.n, r.expected, r.alpha, mine.doubt, mine.spread[w].stretch(), r.surprise, d.needed[w], usual, mine.episode.on, mine.episode.spike.Growth())})
		}
	}
	slices.SortFunc(all, func(a, b best) int { return int(math.Copysign(1, b.excess-a.excess)) })
	var b strings.Builder
	fmt.Fprintf(&b, "    page %v after %v:", page, now.Sub(in.Start))
	for _, x := range all[:min(2, len(all))] {
		b.WriteString("\n      " + x.text)
	}
	return b.String()
}
