package spike

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

// theory is a server of which the distribution is known: independent causes,
// each with a gamma distributed rate that is drawn anew every so often; where
// shape is 0 the rate is steady and the counts are Poisson's.
type theory struct {
	name  string
	shape float64 // 1/α of the negative binomial counts of one interval
	every time.Duration
}

var theories = []theory{
	{"Poisson", 0, time.Hour},
	{"negative binomial, α = 0.5 in a minute", 2, time.Minute},
	{"negative binomial, α = 0.2 in ten minutes", 5, 10 * time.Minute},
	{"negative binomial, α = 0.1 in an hour", 10, time.Hour},
}

var theoryCauses = []struct {
	kind  relaylens.Kind
	cause relaylens.Cause
	rate  float64 // a minute
}{
	{relaylens.KindRelayDenied, relaylens.CauseOpenRelayProbe, 2},
	{relaylens.KindRelayDenied, relaylens.CauseClientNotAuthenticated, 0.2},
	{relaylens.KindSenderVerify, relaylens.CauseSenderDomainUnresolvable, 1},
	{relaylens.KindAuthFailed, relaylens.CauseCredentialGuessing, 4},
	{relaylens.KindAuthFailed, relaylens.CauseStalePassword, 0.05},
	{relaylens.KindRejected, relaylens.CausePolicy, 8},
}

// falsePages counts the pages of a span in which nothing happens, after half of
// it for learning.
func (th *theory) falsePages(seed uint64, span time.Duration, ask float64) (pages int) {
	r := rand.New(rand.NewPCG(seed, 99))
	d := New(Settings{FalsePagesPerMonth: ask})
	page := rule{}
	rates := make([]float64, len(theoryCauses))
	from := beginMonth.Add(span / 2)
	for at, end := beginMonth, from.Add(span); at.Before(end); at = at.Add(pane * time.Second) {
		for i, c := range theoryCauses {
			if at.Truncate(th.every).Equal(at) {
				rates[i] = c.rate
				if th.shape > 0 {
					rates[i] *= gamma(r, th.shape) / th.shape
				}
			}
			if n := poisson(r, rates[i]/4); n > 0 {
				d.AddN(&relaylens.Event{Time: at, Kind: c.kind, Cause: c.cause}, n)
			}
		}
		now := at.Add(pane * time.Second)
		d.Advance(now)
		if len(d.Active()) > 0 && at.After(from) {
			page.say(now)
		}
	}
	return len(page.on)
}

func poisson(r *rand.Rand, mean float64) (n int) {
	if mean > 200 { // as good as normal
		return int(math.Round(max(mean+math.Sqrt(mean)*r.NormFloat64(), 0)))
	}
	for p, limit := r.Float64(), math.Exp(-mean); p > limit; p *= r.Float64() {
		n++
	}
	return n
}

// gamma is Marsaglia's and Tsang's, for shapes from 1 on.
func gamma(r *rand.Rand, shape float64) float64 {
	d := shape - 1./3
	for {
		x := r.NormFloat64()
		v := math.Pow(1+x/math.Sqrt(9*d), 3)
		if v > 0 && math.Log(r.Float64()) < 0.5*x*x+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

// TestFalsePageRates prints the table of asked and measured false pages: make
// simulate. By itself it is a short look at the rate that is most often seen.
func TestFalsePageRates(t *testing.T) {
	t.Parallel()
	asks, span, which := []float64{100}, 6*24*time.Hour, theories[2:3]
	if *months > 0 {
		asks, span, which = []float64{1, 10, 100}, time.Duration(*months)*30*24*time.Hour, theories
	}
	inMonths := span.Hours() / (30 * 24)
	var b strings.Builder
	fmt.Fprint(&b, "\n| counts | ")
	for _, ask := range asks {
		fmt.Fprintf(&b, "asked %v | ", ask)
	}
	for _, th := range which {
		fmt.Fprintf(&b, "\n| %s | ", th.name)
		for i, ask := range asks {
			got := float64(th.falsePages(*firstSeed+uint64(i), span, ask)) / inMonths
			fmt.Fprintf(&b, "%.1f | ", got)
			if most := 1.5*ask + 4*math.Sqrt(ask/inMonths); got > most {
				t.Errorf("%s: %.1f false pages a month, %v were asked for", th.name, got, ask)
			}
		}
	}
	t.Log(b.String())
}
