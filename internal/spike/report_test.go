package spike

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/relaylens/relaylens/internal/spike/simulate"
)

// details tells of each false page, and of what came late or not at all.
func details(outs []*outcome) string {
	var b strings.Builder
	for _, o := range outs {
		for _, at := range o.rules[0].falsePages(o.incidents) {
			fmt.Fprintf(&b, "seed %d: false at %s (day %.1f):", o.seed, at.Format("Mon 15:04"), at.Sub(beginMonth).Hours()/24)
			for _, s := range o.spikes {
				if s.End.IsZero() && s.Found.Sub(at).Abs() < calmRule {
					fmt.Fprintf(&b, " [%v %v%v %v: %v for %.1f]", s.Series.By, s.Series.Kind, s.Series.Cause, s.Window, s.Value, s.Expected)
				}
			}
			b.WriteByte('\n')
		}
		o.misses(&b, 0, "found")
		o.misses(&b, 4, "paged")
	}
	return b.String()
}

// misses tells of the incidents that a rule is late for, or blind to; the oracle's
// is the next one.
func (out *outcome) misses(b *strings.Builder, r int, what string) {
	for i := range out.incidents {
		in := &out.incidents[i]
		ours, ok := out.rules[r].delay(in)
		theirs, must := out.rules[r+1].delay(in)
		if in.Night == 0 && must && (!ok || ours-theirs > 5*time.Minute) {
			fmt.Fprintf(b, "seed %d: %s at %s rate %.1f %s %v, after %v; oracle %v\n", out.seed, in.Name, in.Start.Format("2 Mon 15:04"), in.Rate, what, ok, ours, theirs)
			for _, l := range out.why.lines[i] {
				b.WriteString(l + "\n")
			}
		}
	}
}

// table compares the rules.
func table(outs []*outcome) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| rule | false pages a month | found of what the oracle finds | within 5 min of the oracle | median delay behind it |\n|---|---|---|---|---|\n")
	for r := range 4 {
		wrong, must, found, soon := 0, 0, 0, 0
		var behind []float64
		for _, o := range outs {
			wrong += len(o.rules[r].falsePages(o.incidents))
			for i := range o.incidents {
				in := &o.incidents[i]
				theirs, ok := o.rules[1].delay(in)
				if !ok || in.Night > 0 || in.Name == simulate.Gap {
					continue
				}
				must++
				if ours, ok := o.rules[r].delay(in); ok {
					found++
					late := ours - theirs
					behind = append(behind, late.Minutes())
					if late <= 5*time.Minute {
						soon++
					}
				}
			}
		}
		slices.Sort(behind)
		median := math.NaN()
		if len(behind) > 0 {
			median = behind[len(behind)/2]
		}
		fmt.Fprintf(&b, "| %s | %.2f | %d of %d | %d | %.1f min |\n", outs[0].rules[r].name, float64(wrong)/float64(len(outs)), found, must, soon, median)
	}
	return b.String()
}

// byName compares us with the oracle for each kind of incident, in what pages: of
// attacks, what is ten times as much as usual.
func byName(outs []*outcome) string {
	var b strings.Builder
	fmt.Fprint(&b, "| incident | the oracle can tell | found | within 5 min of it | median after the begin, oracle | relaylens |\n|---|---|---|---|---|---|\n")
	for _, name := range []string{simulate.Flood, simulate.Botnet, simulate.Ramp, simulate.LostDomain, simulate.AuthOutage, simulate.AppServer} {
		found, soon := 0, 0
		var theirs, ours []float64
		for _, o := range outs {
			for i := range o.incidents {
				in := &o.incidents[i]
				oracle, ok := o.rules[5].delay(in)
				if !ok || in.Name != name {
					continue
				}
				theirs = append(theirs, oracle.Minutes())
				if d, ok := o.rules[4].delay(in); ok {
					found++
					ours = append(ours, d.Minutes())
					if d-oracle <= 5*time.Minute {
						soon++
					}
				}
			}
		}
		if len(ours) > 0 {
			fmt.Fprintf(&b, "| %s | %d | %d | %d | %.1f min | %.1f min |\n", name, len(theirs), found, soon, middle(theirs), middle(ours))
		}
	}
	return b.String()
}
