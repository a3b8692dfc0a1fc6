package alerting

import (
	"net/netip"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/spike"
)

// A spike by rule shows what there is more of, not what the server refuses all day.
func TestProfileShowsWhatHasGrown(t *testing.T) {
	refusal := func(minute float64, r relaylens.Reason) relaylens.Event {
		return relaylens.Event{Time: at(minute), Host: "mx1", Kind: relaylens.KindRejected, Reason: r, Cause: relaylens.CausePolicy,
			ClientIP: netip.AddrFrom4([4]byte{198, 51, 100, byte(minute)})}
	}
	var refusals []relaylens.Event
	for minute := -30.0; minute < 10; minute += 0.25 {
		refusals = append(refusals, refusal(minute, relaylens.ReasonUnknownRecipient))
		if minute >= 0 {
			refusals = append(refusals, refusal(minute, relaylens.ReasonMilter))
		}
	}
	in := &Input{Now: at(10), Since: at(-30), Refusals: func(yield func(*relaylens.Event) bool) {
		for i := range refusals {
			if !yield(&refusals[i]) {
				return
			}
		}
	}}
	open := []spike.Spike{{Series: spike.Series{By: spike.PerKind, Kind: relaylens.KindRejected}, Start: at(0), Last: at(10), Window: 15 * time.Minute, Value: 80, Expected: 40}}
	p := profiles(open, in)[0]
	if p.reason != relaylens.ReasonMilter || len(p.evidence) != 3 || p.evidence[0].Reason != relaylens.ReasonMilter {
		t.Errorf("reason %v, evidence %+v", p.reason, p.evidence)
	}
}

// What is known still of a spike that began long ago tells its cause only where it is
// much of it.
func TestProfileOfFewTellsNoCause(t *testing.T) {
	for value, want := range map[float64]relaylens.Cause{10: relaylens.CauseCredentialGuessing, 74: relaylens.CauseNone} {
		refusals := denials(relaylens.CauseCredentialGuessing, 8, "192.0.2.7")
		in := &Input{Now: at(30), Since: at(0), Refusals: func(yield func(*relaylens.Event) bool) {
			for i := range refusals {
				if !yield(&refusals[i]) {
					return
				}
			}
		}}
		open := []spike.Spike{{Series: spike.Series{By: spike.PerKind, Kind: relaylens.KindRelayDenied}, Start: at(-90), Last: at(30), Window: 3 * time.Hour, Value: value, Expected: 5}}
		if p := profiles(open, in)[0]; p.cause != want || p.client.IsValid() != (want != relaylens.CauseNone) {
			t.Errorf("of %v: %v, client %v; want %v", value, p.cause, p.client, want)
		}
	}
}
