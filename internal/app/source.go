package app

import (
	"context"
	"reflect"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/config"
	"github.com/relaylens/relaylens/exporter/nats"
	"github.com/relaylens/relaylens/parsers/syslog"
	"github.com/relaylens/relaylens/tailer"
)

// source makes the source that the configuration describes, without opening it.
func (a *App) source(s config.Source) relaylens.Source {
	switch {
	case a.options.newSource != nil:
		return a.options.newSource(s)
	case s.Type == config.TypeNATS:
		return nats.NewSource(a.readerOptions(s))
	case s.Stdin():
		return tailer.NewStdin(s.Name(), a.options.Stdin)
	case s.Type == config.TypePipe:
		return tailer.NewPipe(tailer.PipeOptions{Path: s.Path, Metrics: a.tailer})
	case s.Type == config.TypeSyslog:
		return tailer.NewSocket(a.socketOptions(s))
	case s.Type == config.TypeJournal:
		return tailer.NewJournal(a.journalOptions(s))
	}
	return tailer.NewFile(a.fileOptions(s))
}

func (a *App) socketOptions(s config.Source) tailer.SocketOptions {
	return tailer.SocketOptions{Listen: s.Listen, Remote: s.Remote(), Logger: a.logger, Metrics: a.tailer}
}

func (a *App) journalOptions(s config.Source) tailer.JournalOptions {
	start, since := beginning(&s)
	return tailer.JournalOptions{Name: s.Name(), Units: s.Units, Identifiers: s.Identifiers, Directory: s.Directory,
		Start: start, Since: since, Positions: a.positions, Logger: a.logger, Metrics: a.tailer}
}

func (a *App) fileOptions(s config.Source) tailer.FileOptions {
	start, since := beginning(&s)
	return tailer.FileOptions{Path: s.Path, Start: start, Since: since, TimeOf: a.timeOf(),
		Positions: a.positions, Claims: a.claims, Logger: a.logger, Metrics: a.tailer}
}

// beginning is where to begin in what was never read before; a since that is not zero
// counts in place of start.
func beginning(s *config.Source) (start tailer.Start, since time.Time) {
	begin, back := s.Begin()
	if begin {
		start = tailer.StartBegin
	}
	if back > 0 {
		since = time.Now().Add(-back)
	}
	return start, since
}

// startAfter starts a source anew once the former one of its name has ended, which
// did not stop in time: both at once would read the same.
func (a *App) startAfter(ctx context.Context, late *follower, s config.Source) {
	<-late.done
	a.mu.Lock()
	defer a.mu.Unlock()
	wanted := slices.ContainsFunc(a.sources, func(o config.Source) bool { return reflect.DeepEqual(o, s) })
	if a.stopping.Load() || !wanted || a.follow.running[s.Name()] != late {
		return // somebody else sees to it
	}
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	err := a.pipeline.do(ctx, a.pipeline.catchUp) // or what the former one read last would be read, and counted, again
	if err == nil {
		err = a.resume(ctx)
	}
	if err != nil {
		a.logger.Error("start source", zap.String("source", s.Name()), zap.Error(err))
		return
	}
	a.follow.start(s.Name(), a.source(s))
}

// timeOf tells when the lines of one source were written.
func (a *App) timeOf() func(*relaylens.Line, time.Time) (time.Time, bool) {
	location, err := a.config.Location()
	if err != nil {
		location = time.Local
	}
	decoder := syslog.NewDecoder(syslog.Options{Location: location})
	return func(line *relaylens.Line, reference time.Time) (time.Time, bool) {
		var env relaylens.Envelope
		if decoder.Decode(line, reference, &env) != syslog.Ready || env.Continuation {
			return time.Time{}, false
		}
		return env.Time, true
	}
}

// gone are the sources that are followed and not among sources, or not in the
// same way.
func (a *App) gone(sources []config.Source) []string {
	return slices.DeleteFunc(a.follow.paths(), func(name string) bool {
		called := func(s config.Source) bool { return s.Name() == name }
		was, is := slices.IndexFunc(a.sources, called), slices.IndexFunc(sources, called)
		return is >= 0 && (was < 0 || !readsDifferently(a.sources[was], sources[is]))
	})
}

// readsDifferently reports whether the source itself has to be made anew. Where
// it begins counts for one that is new.
func readsDifferently(a, b config.Source) bool {
	a.MTA, a.Start = b.MTA, b.Start
	return !reflect.DeepEqual(a, b)
}
