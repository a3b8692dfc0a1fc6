package alerting

import (
	"strings"
	"testing"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/spike"
)

// A window of three hours shows what the log proved for longer than the refusals
// are known that prove it: nobody is told twice. What is larger than it was is news.
func TestEchoPagesNobody(t *testing.T) {
	for name, test := range map[string]struct {
		after float64 // how large the spike is later
		want  []string
	}{
		"it fades":     {90, nil},
		"it stands":    {112, nil},
		"it is larger": {900, []string{"75.25 RefusalSpike critical relay_denied"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript()
			s.refusals = denials(relaylens.CauseRecipientDomainNotConfigured, 100, "")
			s.findings = func(m float64) []relaylens.Finding {
				if m < 11 || m >= 70 {
					return nil
				}
				return []relaylens.Finding{lostDomain("lost.example", 9.5, min(m, 40))}
			}
			s.spikes = func(m float64) []spike.Spike {
				if m >= 70 {
					s.refusals = nil
				}
				value := 110.0
				if m >= 75 {
					value = test.after
				}
				return spiking(11, 180, ofKind(relaylens.KindRelayDenied, value, 10))(m)
			}
			s.run(120)
			for _, told := range test.want {
				if len(s.told) != 3 || s.told[2] != told {
					t.Errorf("told %q, want %q at last", s.told, told)
				}
			}
			if test.want == nil && len(s.told) > 2 {
				t.Errorf("told %q", s.told)
			}
		})
	}
}

// Noise of attackers that was not worth a page is not worth one either when its cause
// is not known any more; nor after a start.
func TestEchoOfNoisePagesNobody(t *testing.T) {
	s := newScript()
	s.refusals = denials(relaylens.CauseOpenRelayProbe, 100, "")
	s.spikes = func(m float64) []spike.Spike {
		if m < 70 {
			return spiking(11, 180, ofKind(relaylens.KindRelayDenied, 110, 90), ofCause(relaylens.CauseOpenRelayProbe, 100, 80))(m)
		}
		s.refusals = nil
		return spiking(11, 180, ofKind(relaylens.KindRelayDenied, 105, 90))(m)
	}
	s.run(120)
	s.want(t)
}

func TestEchoSurvivesStart(t *testing.T) {
	s := newScript()
	s.refusals = denials(relaylens.CauseRecipientDomainNotConfigured, 100, "")
	s.findings = func(m float64) []relaylens.Finding {
		if m < 11 || m >= 70 {
			return nil
		}
		return []relaylens.Finding{lostDomain("lost.example", 9.5, min(m, 40))}
	}
	s.spikes = func(m float64) []spike.Spike { return spiking(11, 180, ofKind(relaylens.KindRelayDenied, 110, 10))(m) }
	s.run(72)
	told := len(s.told)
	state, err := s.engine.State()
	if err != nil {
		t.Fatal(err)
	}
	s.engine, s.refusals = New(), nil
	if err := s.engine.Restore(state); err != nil {
		t.Fatal(err)
	}
	s.run(120)
	for _, what := range s.told[told:] {
		if !strings.Contains(what, "end of") {
			t.Errorf("told %q", what)
		}
	}
}
