package alerting

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/spike"
)

// record is a problem as it outlives the process. The evidence of its finding is
// not kept: the refusals are in the store.
type record struct {
	Alert  relaylens.Alert `json:"alert"`
	Window time.Duration   `json:"window"`
	State  state           `json:"state"`
	Volume bool            `json:"volume"`
	Series []spike.Series  `json:"series"`
	Seen   time.Time       `json:"seen"`
	Shown  time.Time       `json:"shown"`
	Spiked time.Time       `json:"spiked"`
	Last   time.Time       `json:"last"`
	Over   time.Time       `json:"over"`
	Gap    time.Duration   `json:"gap"`
	Again  int             `json:"again"`
}

// State is what another engine needs to go on with the same alerts.
func (g *Engine) State() ([]byte, error) {
	records := make([]record, 0, len(g.problems))
	for _, p := range g.problems {
		if p.state != pending {
			records = append(records, record{p.alert, p.alert.Window, p.state, p.volume, p.series, p.seen, p.shown, p.spiked, p.last, p.over, p.gap, p.again})
		}
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
	g.problems = nil
	for _, r := range records {
		r.Alert.Window = r.Window
		g.problems = append(g.problems, &problem{r.Alert, r.State, r.Volume, r.Series, r.Seen, r.Shown, r.Spiked, r.Last, r.Over, r.Gap, r.Again})
	}
	return nil
}
