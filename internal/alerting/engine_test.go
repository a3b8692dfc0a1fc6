package alerting

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/spike"
)

var epoch = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func at(minutes float64) time.Time { return epoch.Add(time.Duration(minutes * float64(time.Minute))) }

// script is what an engine is shown, step by step of 15 seconds.
type script struct {
	engine   *Engine
	minute   float64
	told     []string
	before   map[string]bool
	findings func(minute float64) []relaylens.Finding
	spikes   func(minute float64) []spike.Spike
	refusals []relaylens.Event
	since    time.Time
}

func newScript() *script {
	return &script{engine: New(), before: map[string]bool{},
		findings: func(float64) []relaylens.Finding { return nil }, spikes: func(float64) []spike.Spike { return nil }}
}

// run goes on until a minute and notes what begins and ends.
func (s *script) run(until float64) {
	for ; s.minute <= until; s.minute += 0.25 {
		changed := s.engine.Step(&Input{Now: at(s.minute), Findings: s.findings(s.minute), Spikes: s.spikes(s.minute), Since: s.since,
			Refusals: func(yield func(*relaylens.Event) bool) {
				for i := range s.refusals {
					if !yield(&s.refusals[i]) {
						return
					}
				}
			}})
		told := len(s.told)
		now := map[string]bool{}
		for _, a := range s.engine.Alerts() {
			if name := name(&a); a.EndsAt.IsZero() {
				now[name] = true
				if !s.before[name] {
					s.told = append(s.told, fmt.Sprintf("%g %s", s.minute, name))
				}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(s.before)) {
			if !now[name] {
				s.told = append(s.told, fmt.Sprintf("%g end of %s", s.minute, name))
			}
		}
		s.before = now
		if changed != (len(s.told) > told) {
			s.told = append(s.told, fmt.Sprintf("%g: changed is %t", s.minute, changed))
		}
	}
}

func name(a *relaylens.Alert) string {
	cause := a.Cause.String()
	if cause == "" {
		cause = a.Kind.String()
	}
	return strings.TrimSpace(strings.Join([]string{strings.TrimPrefix(a.Name, "Relaylens"), a.Severity.String(), cause, a.Host, a.Entity.Value}, " "))
}

func (s *script) want(t *testing.T, told ...string) {
	t.Helper()
	if diff := cmp.Diff(told, s.told); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func lostDomain(domain string, from, to float64) relaylens.Finding {
	return relaylens.Finding{Cause: relaylens.CauseRecipientDomainNotConfigured, Fault: relaylens.FaultServer, Host: "mx1",
		Entity: relaylens.Entity{Kind: relaylens.EntityRecipientDomain, Value: domain},
		Events: int((to-from)*4) + 1, Clients: 5, First: at(from), Last: at(to), Confidence: 0.95}
}

func during(domain string, from, to float64) func(float64) []relaylens.Finding {
	return shows(lostDomain, domain, from, to)
}

// shows tells of a finding about a name from the minute from on; its refusals end
// at to, and it is forgotten an hour later.
func shows(of func(name string, from, to float64) relaylens.Finding, name string, from, to float64) func(float64) []relaylens.Finding {
	return func(minute float64) []relaylens.Finding {
		if minute < from || minute > to+60 {
			return nil
		}
		return []relaylens.Finding{of(name, from, min(minute, to))}
	}
}

func TestEvidencePagesOnceAndEnds(t *testing.T) {
	s := newScript()
	s.findings = during("lost.example", 10, 40)
	s.run(120)
	// Five refusals are there after a minute; then it has to hold for a step.
	s.want(t,
		"11.25 ServerFault critical recipient_domain_not_configured mx1 lost.example",
		"55 end of ServerFault critical recipient_domain_not_configured mx1 lost.example")
}

func TestComesBack(t *testing.T) {
	s := newScript()
	first, second, third := during("a.example", 10, 20), during("a.example", 100, 110), during("a.example", 200, 210)
	s.findings = func(m float64) []relaylens.Finding { return append(append(first(m), second(m)...), third(m)...) }
	s.run(400)
	const problem = "ServerFault critical recipient_domain_not_configured mx1 a.example"
	// Each time it has to be quiet for twice as long.
	s.want(t, "11.25 "+problem, "35 end of "+problem, "101.25 "+problem, "140 end of "+problem, "201.25 "+problem, "270 end of "+problem)
}

// A cron job that fails every ten minutes is one problem.
func TestQuietIsAsLongAsTheGapsAre(t *testing.T) {
	s := newScript()
	s.findings = func(m float64) []relaylens.Finding {
		var f relaylens.Finding
		for n := range int(min(m, 300)) / 10 {
			last := float64(n+1) * 10
			if m-last > 60 {
				continue
			}
			if f.Events == 0 {
				f = lostDomain("cron.example", last, last)
				f.Events = 0
			}
			f.Events++
			f.Last = at(last)
		}
		if f.Events == 0 {
			return nil
		}
		return []relaylens.Finding{f}
	}
	s.run(500)
	s.want(t, "50.25 ServerFault critical recipient_domain_not_configured mx1 cron.example",
		"360 end of ServerFault critical recipient_domain_not_configured mx1 cron.example")
}

func TestManyAtOnceAreOne(t *testing.T) {
	s := newScript()
	s.findings = func(m float64) (list []relaylens.Finding) {
		lost := 40
		if m > 20 {
			lost = 2 // the others are mended
		}
		for i := range lost {
			if m <= 30 {
				list = append(list, lostDomain(fmt.Sprintf("d%02d.example", i), 5, max(m, 5)))
			}
		}
		return list
	}
	s.run(60)
	s.want(t, "6.25 ServerFault critical recipient_domain_not_configured mx1 mx1", "45 end of ServerFault critical recipient_domain_not_configured mx1 mx1")
}

// The spike of several problems that were told one by one is none of its own.
func TestSpikeOfSeveralThatWereTold(t *testing.T) {
	s := newScript()
	one, two := during("a.example", 10, 40), during("b.example", 10, 40)
	s.findings = func(m float64) []relaylens.Finding { return append(one(m), two(m)...) }
	s.spikes = func(m float64) []spike.Spike {
		if m < 13 || m > 42 {
			return nil
		}
		return []spike.Spike{{Series: spike.Series{By: spike.PerCause, Cause: relaylens.CauseRecipientDomainNotConfigured}, Start: at(10), Last: at(m), Window: 5 * time.Minute, Value: 60, Expected: 2}}
	}
	for i := range 60 {
		s.refusals = append(s.refusals, relaylens.Event{Time: at(10), Host: "mx1", Kind: relaylens.KindRelayDenied, Cause: relaylens.CauseRecipientDomainNotConfigured, ClientIP: netip.AddrFrom4([4]byte{203, 0, 113, byte(i)})})
	}
	s.run(120)
	const a, b = "ServerFault critical recipient_domain_not_configured mx1 a.example", "ServerFault critical recipient_domain_not_configured mx1 b.example"
	s.want(t, "11.25 "+a, "11.25 "+b, "55 end of "+a, "55 end of "+b)
}

func TestTooLittleEvidence(t *testing.T) {
	for name, change := range map[string]func(*relaylens.Finding){
		"few":         func(f *relaylens.Finding) { f.Events = 4 },
		"one client":  func(f *relaylens.Finding) { f.Clients = 2 },
		"doubt":       func(f *relaylens.Finding) { f.Confidence = 0.7 },
		"other fault": func(f *relaylens.Finding) { f.Cause, f.Fault = relaylens.CauseStalePassword, relaylens.FaultClient },
		"attackers":   func(f *relaylens.Finding) { f.Cause, f.Fault = relaylens.CauseOpenRelayProbe, relaylens.FaultAttacker },
		"long ago":    func(f *relaylens.Finding) { f.First, f.Last = at(-80), at(-20) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript()
			s.findings = func(float64) []relaylens.Finding {
				f := lostDomain("x.example", 0, 10)
				change(&f)
				return []relaylens.Finding{f}
			}
			s.run(5)
			s.want(t)
		})
	}
}

// A cause that the next look takes back is no alert.
func TestHolds(t *testing.T) {
	s := newScript()
	s.findings = func(m float64) []relaylens.Finding {
		if m == 1 || m == 2 {
			return []relaylens.Finding{lostDomain("x.example", -5, m)}
		}
		return nil
	}
	s.run(30)
	for _, told := range s.told {
		t.Error(told)
	}
}

// spiking are spikes that are on from one minute to another.
func spiking(from, to float64, list ...spike.Spike) func(float64) []spike.Spike {
	return func(m float64) []spike.Spike {
		if m < from || m > to {
			return nil
		}
		for i := range list {
			list[i].Start, list[i].Last, list[i].Found, list[i].Peak = at(from-1), at(min(m, to-15)), at(from), at(from)
			list[i].Window = 5 * time.Minute
		}
		return list
	}
}

func total(value, expected float64) spike.Spike { return spike.Spike{Value: value, Expected: expected} }

func ofKind(k relaylens.Kind, value, expected float64) spike.Spike {
	return spike.Spike{Series: spike.Series{By: spike.PerKind, Kind: k}, Value: value, Expected: expected}
}

func ofCause(c relaylens.Cause, value, expected float64) spike.Spike {
	return spike.Spike{Series: spike.Series{By: spike.PerCause, Cause: c}, Value: value, Expected: expected}
}

func ofClient(k relaylens.Kind, client string, value float64) spike.Spike {
	return spike.Spike{Series: spike.Series{By: spike.PerClient, Kind: k, Key: client}, Value: value, Expected: 0.1}
}

// denials are relay denials of a cause, each of another client or all of one.
func denials(cause relaylens.Cause, n int, client string) (list []relaylens.Event) {
	for i := range n {
		ip := netip.AddrFrom4([4]byte{198, 51, byte(i / 250), byte(i%250 + 1)})
		if client != "" {
			ip = netip.MustParseAddr(client)
		}
		list = append(list, relaylens.Event{Time: at(10).Add(time.Duration(i) * time.Millisecond), Host: "mx1", MTA: relaylens.Postfix,
			Kind: relaylens.KindRelayDenied, Direction: relaylens.Inbound, Action: relaylens.ActionRefuse, Cause: cause, ClientIP: ip,
			Sender: fmt.Sprintf("s%d@example.org", i), Recipient: "r@example.net", Code: 554})
	}
	return list
}

func TestSpikesOfOneRootAreOne(t *testing.T) {
	for _, tt := range []struct {
		name     string
		refusals []relaylens.Event
		spikes   []spike.Spike
		findings []relaylens.Finding
		want     string
	}{
		{"botnet", denials(relaylens.CauseOpenRelayProbe, 500, ""),
			[]spike.Spike{total(520, 20), ofKind(relaylens.KindRelayDenied, 505, 15), ofCause(relaylens.CauseOpenRelayProbe, 500, 10)},
			nil, "Attack warning open_relay_probe mx1 mx1"},
		{"one attacker", denials(relaylens.CauseOpenRelayProbe, 500, "192.0.2.7"),
			[]spike.Spike{total(520, 20), ofCause(relaylens.CauseOpenRelayProbe, 500, 10), ofClient(relaylens.KindRelayDenied, "192.0.2.7", 500)},
			nil, "Attack warning open_relay_probe mx1 192.0.2.7"},
		{"one attacker among all", denials(relaylens.CauseOpenRelayProbe, 500, "192.0.2.7"),
			[]spike.Spike{ofCause(relaylens.CauseOpenRelayProbe, 500, 10)},
			[]relaylens.Finding{{Cause: relaylens.CauseOpenRelayProbe, Fault: relaylens.FaultAttacker, Host: "mx1", Events: 4000, Clients: 400,
				Entity: relaylens.Entity{Kind: relaylens.EntityServer, Value: "mx1"}, First: at(-50), Last: at(20), Confidence: 0.9}},
			"Attack warning open_relay_probe mx1 192.0.2.7"},
		{"more of the same noise", denials(relaylens.CauseOpenRelayProbe, 500, ""),
			[]spike.Spike{total(260, 100), ofCause(relaylens.CauseOpenRelayProbe, 240, 90)}, nil, ""},
		{"a threat, though usual", denials(relaylens.CauseOpenRelayProbe, 500, ""),
			[]spike.Spike{ofCause(relaylens.CauseOpenRelayProbe, 3600, 900)}, nil, "Attack critical open_relay_probe mx1 mx1"},
		{"nobody knows why", denials(relaylens.CauseUnknown, 200, ""),
			[]spike.Spike{total(220, 20), ofKind(relaylens.KindRelayDenied, 200, 5), ofCause(relaylens.CauseUnknown, 200, 9)},
			nil, "RefusalSpike critical unknown mx1 mx1"},
		{"only the cause differs", denials(relaylens.CauseUnknown, 200, ""),
			[]spike.Spike{ofCause(relaylens.CauseUnknown, 120, 60)}, nil, ""},
		{"more of a kind of which nobody knows why", denials(relaylens.CauseUnknown, 200, ""),
			[]spike.Spike{ofKind(relaylens.KindRelayDenied, 120, 60), ofCause(relaylens.CauseUnknown, 120, 60)},
			nil, "RefusalSpike critical unknown mx1 mx1"},
		{"a client nobody knows", denials(relaylens.CauseUnknown, 30, "192.0.2.7"),
			[]spike.Spike{ofClient(relaylens.KindRelayDenied, "192.0.2.7", 30)}, nil, ""},
		{"one of ours", denials(relaylens.CauseClientNotAuthenticated, 30, "192.0.2.7"),
			[]spike.Spike{ofClient(relaylens.KindRelayDenied, "192.0.2.7", 30)}, nil, "RefusalSpike warning client_not_authenticated mx1 192.0.2.7"},
		{"explained by a finding", denials(relaylens.CauseRecipientDomainNotConfigured, 300, ""),
			[]spike.Spike{total(320, 20), ofCause(relaylens.CauseRecipientDomainNotConfigured, 300, 0.1)},
			[]relaylens.Finding{lostDomain("lost.example", 9.5, 20)}, "ServerFault critical recipient_domain_not_configured mx1 lost.example"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript()
			s.refusals = tt.refusals
			s.spikes = spiking(11, 40, tt.spikes...)
			s.findings = func(m float64) []relaylens.Finding {
				if m < 11 {
					return nil
				}
				return tt.findings
			}
			s.run(30)
			if tt.want == "" {
				s.want(t)
				return
			}
			s.want(t, "11.25 "+tt.want)
			a := s.engine.Alerts()[0]
			if len(tt.findings) == 0 && len(a.Finding.Evidence) == 0 {
				t.Error("no evidence")
			}
			if a.Value == 0 || a.Window != 5*time.Minute {
				t.Errorf("value %g within %s", a.Value, a.Window)
			}
		})
	}
}

func TestTwoRootsAreTwo(t *testing.T) {
	s := newScript()
	s.refusals = append(denials(relaylens.CauseOpenRelayProbe, 500, ""), denials(relaylens.CauseUnknown, 400, "")...)
	s.spikes = spiking(11, 40, total(900, 20), ofKind(relaylens.KindRelayDenied, 900, 15),
		ofCause(relaylens.CauseOpenRelayProbe, 500, 10), ofCause(relaylens.CauseUnknown, 400, 9))
	s.run(45)
	s.want(t, "11.25 RefusalSpike critical unknown mx1 mx1", "11.25 Attack warning open_relay_probe mx1 mx1",
		"40.25 end of Attack warning open_relay_probe mx1 mx1", "40.25 end of RefusalSpike critical unknown mx1 mx1")
}

// What was told of before it had a cause takes in those that have one later, and
// those that have none yet go with the cause of most of their kind.
func TestCausesThatComeLater(t *testing.T) {
	unknown, guessed := denials(relaylens.CauseUnknown, 100, ""), denials(relaylens.CauseOpenRelayProbe, 300, "")
	for i := range guessed {
		guessed[i].Time = guessed[i].Time.Add(3 * time.Minute)
	}
	causes := []spike.Spike{ofCause(relaylens.CauseUnknown, 200, 9), ofCause(relaylens.CauseOpenRelayProbe, 300, 1)}
	for _, tt := range []struct {
		name     string
		refusals []relaylens.Event
		first    []spike.Spike
		later    []spike.Spike
		want     string
	}{
		{"told of before", append(denials(relaylens.CauseUnknown, 300, ""), guessed...), causes[:1:1], causes[1:], "11.25 RefusalSpike critical unknown mx1 mx1"},
		{"most have one", append(unknown, guessed...), append(causes, ofKind(relaylens.KindRelayDenied, 400, 15)), nil, "11.25 Attack warning open_relay_probe mx1 mx1"},
		{"all have one by now", guessed, causes, nil, "11.25 Attack warning open_relay_probe mx1 mx1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScript()
			s.refusals, s.since = tt.refusals, at(0)
			first, then := spiking(11, 40, tt.first...), spiking(13.25, 40, tt.later...)
			s.spikes = func(m float64) []spike.Spike { return append(first(m), then(m)...) }
			s.run(39)
			s.want(t, tt.want)
			if a := s.engine.Alerts()[0]; a.Finding == nil || a.Finding.Cause != relaylens.CauseOpenRelayProbe || a.Finding.Events < 300 {
				t.Errorf("finding %+v", a.Finding)
			}
		})
	}
}

// What it is about becomes plain only later, and another series tells first.
func TestNameStaysWhenMoreIsKnown(t *testing.T) {
	s := newScript()
	s.refusals = denials(relaylens.CauseUnknown, 300, "")
	early, late := spiking(11, 12, total(100, 20)), spiking(11, 60, total(300, 20), ofKind(relaylens.KindRelayDenied, 290, 10))
	s.spikes = func(m float64) []spike.Spike {
		if m <= 12 {
			return early(m)
		}
		return late(m)
	}
	s.run(50)
	s.want(t, "11.25 RefusalSpike critical unknown mx1 mx1")
	if a := s.engine.Alerts()[0]; a.Value != 300 {
		t.Errorf("value %g", a.Value)
	}
}

// A restart in the middle tells of nothing twice.
func TestStateSurvives(t *testing.T) {
	const problem = "ServerFault critical recipient_domain_not_configured mx1 lost.example"
	s := newScript()
	s.findings = during("lost.example", 10, 40)
	s.run(30)
	state, err := s.engine.State()
	if err != nil {
		t.Fatal(err)
	}
	s.engine = New()
	if err := s.engine.Restore(state); err != nil {
		t.Fatal(err)
	}
	s.run(120)
	s.want(t, "11.25 "+problem, "55 end of "+problem)
	if err := s.engine.Restore([]byte("{")); err == nil {
		t.Error("garbage is restored")
	}
}

func TestBoundedWhateverComes(t *testing.T) {
	s := newScript()
	n := 0
	s.findings = func(m float64) (list []relaylens.Finding) {
		for range 20 {
			f := lostDomain(fmt.Sprintf("d%d.example", n), m-3, m)
			f.Host = fmt.Sprintf("mx%d", n)
			list = append(list, f)
			n++
		}
		return list
	}
	s.run(30)
	if n := len(s.engine.problems); n > maxProblems {
		t.Errorf("%d problems are remembered", n)
	}
}
