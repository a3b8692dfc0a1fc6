package app

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/relaylens/relaylens/config"
	"github.com/relaylens/relaylens/internal/api"
	"github.com/relaylens/relaylens/store"
)

// answerTimeout is what one question by HTTP may take.
const answerTimeout = 20 * time.Second

// openAPI opens the event store once more, for questions only, so that however
// many are asked they do not keep the daemon from reading it.
func (a *App) openAPI() error {
	s, err := store.OpenReadOnly(context.Background(), cmp.Or(a.options.dataDir, a.options.Config.DataDir))
	if err != nil {
		return err
	}
	a.cleanup.push("close event store of the API", func(context.Context) error { return s.Close() })
	l := a.webLogger()
	a.api = api.New(api.Options{
		Store: s, Limits: func() api.Limits { return *a.limits.Load() }, Version: a.options.Version,
		Sources: a.sourceStates, Location: time.Local, Timeout: answerTimeout,
		Failed: func(err error) { l.Error("question not answered: " + err.Error()) },
	})
	return nil
}

func limitsOf(cfg *config.Config) *api.Limits {
	return &api.Limits{Span: cfg.Web.MaxSpan.Duration(), Events: cfg.Web.MaxEvents}
}

// sourceStates tells of the sources what their metrics do.
func (a *App) sourceStates() []api.Source {
	families, err := a.exporter.Registry().Gather()
	if err != nil {
		a.logger.Error("gather metrics of the sources", zap.Error(err))
	}
	sources := map[string]*api.Source{}
	for _, f := range families {
		set := sourceMetrics[f.GetName()]
		if set == nil {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() != "source" {
					continue
				}
				s := sources[l.GetValue()]
				if s == nil {
					s = &api.Source{Name: l.GetValue(), Lag: -1}
					sources[s.Name] = s
				}
				set(s, m.GetGauge().GetValue())
			}
		}
	}
	var states []api.Source
	for _, name := range slices.SortedFunc(maps.Keys(sources), strings.Compare) {
		states = append(states, *sources[name])
	}
	return states
}

var sourceMetrics = map[string]func(*api.Source, float64){
	"relaylens_source_up":        func(s *api.Source, v float64) { s.Up = v > 0 },
	"relaylens_source_lag_bytes": func(s *api.Source, v float64) { s.Lag = v },
	"relaylens_last_line_timestamp_seconds": func(s *api.Source, v float64) {
		s.Last = time.UnixMicro(int64(v * 1e6))
	},
}
