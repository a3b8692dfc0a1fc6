package alerting

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/spike"
)

// record is a problem as it outlives the process: names in place of numbers, so
// that another version reads it. Of its finding the numbers are kept; the
// refusals that prove it are in the store.
type record struct {
	Name     string             `json:"alert"`
	Severity relaylens.Severity `json:"severity"`
	Kind     string             `json:"kind"`
	Cause    string             `json:"cause"`
	Fault    string             `json:"fault"`
	Host     string             `json:"host"`
	Entity   string             `json:"entity"`
	Value    string             `json:"entity_value"`
	StartsAt time.Time          `json:"starts_at"`
	EndsAt   time.Time          `json:"ends_at"`
	Counted  float64            `json:"counted"`
	Expected float64            `json:"expected"`
	Window   time.Duration      `json:"window"`

	State  state         `json:"state"`
	Volume bool          `json:"volume"`
	Series []series      `json:"series"`
	Seen   time.Time     `json:"seen"`
	Shown  time.Time     `json:"shown"`
	Spiked time.Time     `json:"spiked"`
	Last   time.Time     `json:"last"`
	Over   time.Time     `json:"over"`
	Gap    time.Duration `json:"gap"`
	Again  int           `json:"again"`
	Peak   float64       `json:"peak"`
}

type series struct {
	By    spike.Dimension `json:"by"`
	Kind  string          `json:"kind"`
	Cause string          `json:"cause"`
	Key   string          `json:"key"`
}

// State is what another engine needs to go on with the same alerts.
func (g *Engine) State() ([]byte, error) {
	records := make([]record, 0, len(g.problems))
	for _, p := range g.problems {
		if p.state == pending {
			continue
		}
		a := &p.alert
		r := record{a.Name, a.Severity, a.Kind.String(), a.Cause.String(), a.Fault.String(), a.Host, a.Entity.Kind.String(), a.Entity.Value,
			a.StartsAt, a.EndsAt, a.Value, a.Expected, a.Window,
			p.state, p.volume, nil, p.seen, p.shown, p.spiked, p.last, p.over, p.gap, p.again, p.peak}
		for _, s := range p.series {
			r.Series = append(r.Series, series{s.By, s.Kind.String(), s.Cause.String(), s.Key})
		}
		records = append(records, r)
	}
	data, err := json.Marshal(records)
	if err != nil {
		return nil, fmt.Errorf("write state of alerts: %w", err)
	}
	return data, nil
}

// Restore puts the alerts of an earlier engine in place of those there are.
func (g *Engine) Restore(data []byte) error {
	var records []record
	if err := json.Unmarshal(data, &records); err != nil {
		return fmt.Errorf("read state of alerts: %w", err)
	}
	g.problems, g.echoes = nil, echoes{}
	for i := range records {
		r := &records[i]
		var err error
		p := &problem{alert: relaylens.Alert{Name: r.Name, Severity: r.Severity, Host: r.Host, StartsAt: r.StartsAt, EndsAt: r.EndsAt,
			Value: r.Counted, Expected: r.Expected, Window: r.Window},
			state: r.State, volume: r.Volume, seen: r.Seen, shown: r.Shown, spiked: r.Spiked, last: r.Last, over: r.Over, gap: r.Gap, again: r.Again, peak: r.Peak}
		word(&err, &p.alert.Kind, r.Kind, relaylens.ParseKind)
		word(&err, &p.alert.Cause, r.Cause, relaylens.ParseCause)
		word(&err, &p.alert.Fault, r.Fault, relaylens.ParseFault)
		word(&err, &p.alert.Entity.Kind, r.Entity, relaylens.ParseEntityKind)
		p.alert.Entity.Value = r.Value
		for _, s := range r.Series {
			next := spike.Series{By: s.By, Key: s.Key}
			word(&err, &next.Kind, s.Kind, relaylens.ParseKind)
			word(&err, &next.Cause, s.Cause, relaylens.ParseCause)
			p.series = append(p.series, next)
		}
		if err != nil {
			return fmt.Errorf("read state of alerts: %w", err)
		}
		g.problems = append(g.problems, p)
		if knows(p.alert.Cause, p.alert.Fault) {
			for _, s := range p.series {
				g.echoes.note(s, p.peak, p.last)
			}
		}
	}
	return nil
}

// word reads a name of a closed list; an empty one is the zero value.
func word[T any](err *error, into *T, name string, parse func(string) (T, error)) {
	if name == "" || *err != nil {
		return
	}
	*into, *err = parse(name)
}
