package app

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/exporter-toolkit/web"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier"
	"github.com/relaylens/relaylens/config"
	"github.com/relaylens/relaylens/exporter/alertmanager"
	"github.com/relaylens/relaylens/internal/spike"
	"github.com/relaylens/relaylens/parsers"
)

// state is what a configuration makes, before any of it is in force.
type state struct {
	config  *config.Config
	sources []config.Source
	parser  *parsers.Parser
	texts   map[relaylens.MTA]relaylens.Texts
	spikes  spike.Settings
	sender  *alertmanager.Sender
	site    classifier.Site
}

// build does everything of a configuration that can go wrong without touching
// what runs.
func (a *App) build(cfg *config.Config) (*state, error) {
	next := &state{config: cfg, sources: cfg.FindSources(a.options.root)}
	if len(next.sources) == 0 {
		return nil, config.NoSources()
	}
	if err := CheckWeb(cfg); err != nil {
		return nil, err
	}
	options, err := ParserOptions(cfg)
	if err != nil {
		return nil, err
	}
	if next.site, err = SiteOf(cfg); err != nil {
		return nil, err
	}
	if next.spikes, err = SpikeSettings(cfg); err != nil {
		return nil, err
	}
	if next.sender, err = newSender(&cfg.Alerting, a.alerted, a.logger.Named("alert")); err != nil {
		return nil, fmt.Errorf("alerting: %w", err)
	}
	options.Brief, next.texts = true, options.Texts
	next.parser, err = parsers.New(options)
	return next, err
}

// CheckWeb reads the file that web.config_file names, and those that it names.
func CheckWeb(cfg *config.Config) error {
	file, remedy := cfg.Web.ConfigFile, ""
	err := web.Validate(file)
	if err == nil {
		return nil
	}
	if strings.Contains(err.Error(), "bcrypt") {
		remedy = "; write each password as its bcrypt hash, as htpasswd -nB NAME prints it"
	}
	return fmt.Errorf("web.config_file: %q: %w%s", file, err, remedy)
}

// errNoLoad is what Reload returns where Options.Load is nil.
var errNoLoad = errors.New("reload: this daemon has no configuration to read again")

// Reload reads the configuration again and puts it in force. If anything is
// wrong with it, everything stays as it was. Either way it says so in the log
// and in the metrics; the error is for whoever asked.
//
// What cannot change in a running daemon (listen, data_dir, web.config_file,
// log.format, how sensitive alerting is) stays, with a warning; the rest of the configuration is in force.
// The content of web.config_file is read anew by itself.
func (a *App) Reload() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.started || a.stopping.Load() {
		return ErrNotRunning
	}
	a.tell(stateReloading)
	defer a.tell(stateReady)
	err := a.reload()
	a.exporter.Reloaded(err == nil, time.Now())
	if err != nil {
		a.logConfigError(err)
		return err
	}
	a.logger.Info("configuration reloaded", zap.Strings("paths", a.follow.paths()))
	return nil
}

func (a *App) reload() error {
	if a.options.Load == nil {
		return errNoLoad
	}
	cfg, err := a.options.Load()
	if err != nil {
		return err
	}
	next, err := a.build(cfg)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), stepTimeout)
	defer cancel()
	return a.apply(ctx, next)
}

// apply changes what runs. A source that both configurations name goes on
// without a pause. Only a pipeline that hangs makes it fail, before anything
// but the end of sources has changed.
func (a *App) apply(ctx context.Context, next *state) error {
	a.warn(next.config)
	a.keep(next.config)
	gone := a.gone(next.sources)
	ending, cancel := context.WithTimeout(ctx, a.options.lateAfter)
	defer cancel()
	if err := a.follow.stop(ending, gone); err != nil {
		a.logger.Error("stop sources", zap.Error(err))
	}
	var parser *parsers.Parser
	if parsedAnew(a.config, next.config) {
		parser = next.parser
	}
	var forgotten []string
	err := a.pipeline.do(ctx, func() {
		forgotten = a.pipeline.change(next.sources, parser)
		a.pipeline.parser.SetTexts(next.texts)
		a.pipeline.windows.SetTopK(next.config.TopK)
		a.pipeline.classifier.SetSite(next.site)
		if a.config.Timezone != next.config.Timezone {
			a.pipeline.watch.SetLocation(next.spikes.Location)
		}
	})
	if err != nil {
		return fmt.Errorf("change pipeline: %w", err)
	}
	if err := a.resume(ctx); err != nil {
		return err
	}
	for _, name := range append(forgotten, gone...) {
		a.exporter.DropSource(name)
		a.tailer.Delete(name)
	}
	a.begin(ctx, next.sources, gone)
	if !slices.ContainsFunc(next.sources, func(s config.Source) bool { return s.Type == "nats" }) {
		a.pipeline.still.Store(false) // the one that was away, and waited to try again, does not say so
	}
	if grouped(a.sources) && !grouped(next.sources) {
		a.alerts.speaker()(true) // and nobody that is late says otherwise
	}
	a.use(next)
	return nil
}

// use puts in force what nobody has to wait for.
func (a *App) use(next *state) {
	if !reflect.DeepEqual(a.config.Alerting, next.config.Alerting) {
		a.alerts.use(next.sender)
	}
	a.exporter.SetMaxHosts(next.config.MaxHosts)
	a.retention.Store(retentionOf(next.config))
	a.limits.Store(limitsOf(next.config))
	a.setLevel(next.config)
	a.config, a.sources = next.config, next.sources
}

// begin follows the sources that are not followed yet. One of gone that has not
// ended begins anew when it has.
func (a *App) begin(ctx context.Context, sources []config.Source, gone []string) {
	for _, s := range sources {
		if late := a.follow.running[s.Name()]; late == nil {
			a.follow.start(s.Name(), a.source(s))
		} else if slices.Contains(gone, s.Name()) {
			go a.startAfter(context.WithoutCancel(ctx), late, s)
		}
	}
}

// parsedAnew reports whether the parser has to be made anew, which forgets the
// sessions at hand.
func parsedAnew(a, b *config.Config) bool {
	return a.Timezone != b.Timezone || a.Correlator != b.Correlator
}

// keep puts back what a running daemon cannot change.
func (a *App) keep(next *config.Config) {
	for _, k := range []struct {
		key       string
		now, next *string
	}{
		{"listen", &a.config.Listen, &next.Listen},
		{"data_dir", &a.config.DataDir, &next.DataDir},
		{"web.config_file", &a.config.Web.ConfigFile, &next.Web.ConfigFile},
		{"log.format", &a.config.Log.Format, &next.Log.Format},
	} {
		if *k.now != *k.next {
			a.logger.Warn("changed key needs a restart",
				zap.String("key", k.key), zap.String("running", *k.now), zap.String("configured", *k.next))
			*k.next = *k.now
		}
	}
	a.keepFleet(next)
	for _, k := range []struct {
		key       string
		now, next *int
	}{
		{"alerting.false_pages_per_month", &a.config.Alerting.FalsePagesPerMonth, &next.Alerting.FalsePagesPerMonth},
		{"alerting.min_events", &a.config.Alerting.MinEvents, &next.Alerting.MinEvents},
	} {
		if *k.now != *k.next {
			a.logger.Warn("changed key needs a restart", zap.String("key", k.key), zap.Int("running", *k.now), zap.Int("configured", *k.next))
			*k.next = *k.now
		}
	}
}

// warn logs what is not right with the machine, as far as the daemon can run.
func (a *App) warn(cfg *config.Config) {
	if len(cfg.Sources) == 0 {
		if found := cfg.FindSources(a.options.root); len(found) > 0 && found[0].Type == config.TypeJournal {
			a.logger.Info("no sources are set and none of the usual logs exists, reading the journal")
		} else {
			a.logger.Info("no sources are set, following the usual logs")
		}
	}
	warnings, err := cfg.Check()
	for _, w := range warnings {
		a.logger.Warn("configuration", zap.String("warning", w))
	}
	if err != nil {
		a.logger.Warn("configuration", zap.Error(err))
	}
}

func (a *App) setLevel(cfg *config.Config) {
	if a.options.Level == nil {
		return
	}
	if level, err := zapcore.ParseLevel(cfg.Log.Level); err == nil {
		a.options.Level.SetLevel(level)
	}
}

// logConfigError logs each mistake by itself.
func (a *App) logConfigError(err error) {
	const message = "configuration not reloaded, the former one stays"
	mistakes := config.Errors(err)
	if len(mistakes) == 0 {
		a.logger.Error(message, zap.Error(err))
	}
	for _, m := range mistakes {
		a.logger.Error(message, zap.String("where", m.Where), zap.String("key", m.Key),
			zap.String("problem", m.Problem), zap.String("remedy", m.Remedy))
	}
}
