package app

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier"
	"github.com/relaylens/relaylens/config"
	"github.com/relaylens/relaylens/exporter/prom"
	"github.com/relaylens/relaylens/internal/aggregate"
	"github.com/relaylens/relaylens/internal/spike"
	"github.com/relaylens/relaylens/internal/watch"
	"github.com/relaylens/relaylens/parsers"
)

// quiet is how long no line has to come until refusals that wait for a further
// line are counted as they are.
const quiet = time.Second

// pipeline takes batches from in, parses, classifies, counts and hands to the
// store. Everything below the blank line belongs to its goroutine once that runs.
type pipeline struct {
	in       chan relaylens.Batch
	commits  *committer
	control  chan func()
	exporter *prom.Exporter
	findings *prom.Findings
	done     chan struct{}
	quit     chan struct{} // closed by abort
	abort    func()
	epoch    time.Time
	beat     atomic.Int64 // nanoseconds from epoch to the last sign of life
	lists    lists
	still    atomic.Bool // what comes is late, so that silence does not mean that nothing happens

	ahead      ahead
	parser     *parsers.Parser
	classifier *classifier.Classifier
	watch      *watch.Watch
	tempo      tempo
	alerts     *alerter // nil: nobody is told
	ledger     ledger
	windows    *aggregate.Windows
	fed        [heldTicks]uint64 // feeds at each of the last ticks
	ticks      int
	configured []config.Source
	sources    map[string]*counted
}

func newPipeline(p *parsers.Parser, s spike.Settings, x *prom.Exporter, e eventStore, m *prom.Commits, l *zap.Logger) *pipeline {
	quit := make(chan struct{})
	made := &pipeline{
		commits:  newCommitter(e, m, l, quit),
		in:       make(chan relaylens.Batch, queueBatches),
		control:  make(chan func()),
		exporter: x,
		findings: x.Findings(),
		done:     make(chan struct{}),
		quit:     quit,
		abort:    sync.OnceFunc(func() { close(quit) }),
		epoch:    time.Now(),
		parser:   p,
		windows:  aggregate.New(aggregate.Limits{}),
		sources:  map[string]*counted{},

		classifier: classifier.New(),
	}
	made.ledger.spare = made.commits.spare
	made.watch = watch.New(made.classifier, watch.Settings{Spikes: s, Stepped: made.stepped})
	return made
}

func (p *pipeline) start() {
	p.alive()
	go p.commits.run()
	go p.run()
}

// stop waits until every batch that waits is counted, what the parser holds is
// out, and all of it is in the store. It must be told whether the sources have
// stopped: while one might still send, the channel cannot be closed, and nothing
// is waited for.
func (p *pipeline) stop(ctx context.Context, sourcesStopped bool) error {
	defer p.abort()
	if sourcesStopped {
		close(p.in)
		if err := wait(ctx, p.done); err == nil {
			return nil
		}
	}
	p.abort()
	// The batch at hand is still finished, and so is a transaction under way.
	select {
	case <-p.done:
	case <-time.After(quiet):
		return fmt.Errorf("the pipeline does not answer; %d batches left unread", len(p.in))
	}
	return fmt.Errorf("cut short; %d batches left unread", len(p.in))
}

func (p *pipeline) run() {
	defer close(p.done)
	p.ahead.start()
	defer p.ahead.stop()
	defer func() {
		close(p.commits.in)
		<-p.commits.done
	}()
	c := clocks{tick: time.NewTicker(quiet), flush: time.NewTimer(commitDelay)}
	defer c.tick.Stop()
	defer c.flush.Stop()
	for p.step(&c) {
	}
}

// clocks say when something is due though no line comes.
type clocks struct {
	tick   *time.Ticker
	flush  *time.Timer
	silent bool // no line has come since the last tick
}

// step does what comes first, and is false when nothing more will.
func (p *pipeline) step(c *clocks) (more bool) {
	p.alive()
	select {
	case <-p.quit: // before any batch that waits
		return false
	default:
	}
	in, scanned, idle := p.settle(c.flush)
	if len(in) > 0 && p.ahead.open > 0 {
		scanned = nil // the next is scanned while one is taken
	}
	select {
	case <-p.quit:
		return false
	case f := <-p.control:
		p.settled()
		f()
	case b, ok := <-in:
		if !ok {
			p.finish()
			return false
		}
		p.take(&b)
		c.silent = false
	case next := <-scanned:
		p.takeScanned(next)
	case <-idle:
		p.commits.write(p.ledger.take(p.parser.OldestHeld()))
	case <-c.flush.C:
	case now := <-c.tick.C:
		p.tick(now, c.silent)
		c.silent = true
	}
	return true
}

// tick has time go on; silent says that no line has come since the last tick.
func (p *pipeline) tick(now time.Time, silent bool) {
	p.windows.Limit(now)
	p.watch.Limit(now)
	if silent {
		p.settled()
		p.windows.Advance(now)
		p.parser.Advance(now, p.event)
		p.publishAll()
		p.idle(now)
	}
	p.expire()
}

// heldTicks is for how many ticks an event may be held back while its source is
// silent and others are not.
const heldTicks = 40

// expire lets out what was held back heldTicks ago.
func (p *pipeline) expire() {
	slot := &p.fed[p.ticks%heldTicks]
	if p.ticks++; p.ticks > heldTicks {
		p.parser.Expire(*slot, p.event)
	}
	*slot = p.parser.Feeds()
}

// settle gives the channels to use now, and sets flush to when that changes: in and
// scanned are nil while the store lags too far behind, idle is nil while nothing is due.
func (p *pipeline) settle(flush *time.Timer) (in <-chan relaylens.Batch, scanned <-chan *part, idle <-chan struct{}) {
	if due, left := p.ledger.due(time.Now()); due {
		idle = p.commits.idle
	} else if left > 0 {
		flush.Reset(left)
	}
	if p.ledger.full() {
		return nil, nil, idle
	}
	if !p.ahead.full() {
		in = p.in
	}
	return in, p.ahead.scanned, idle
}

// finish gives the store all that was read. Refusals that still wait for a
// further line are left to the next start, which reads them again, except those
// of sources that cannot be resumed.
func (p *pipeline) finish() {
	p.settled()
	p.parser.FlushSources(func(name string) bool { return p.sources[name] == nil || !p.sources[name].resumes }, p.event)
	p.publishAll()
	p.ledger.near()
	p.watch.Finish()
	if p.alerts != nil {
		p.alerts.tell(p.watch, p.tempo.gone(p.watch.Now(), time.Now()))
	}
	select {
	case <-p.commits.idle:
		p.commits.write(p.ledger.take(p.parser.OldestHeld()))
	case <-p.commits.done:
	}
}

// do runs f on the pipeline's goroutine and waits for it. Unless it returns an
// error, f ran.
func (p *pipeline) do(ctx context.Context, f func()) error {
	ran := make(chan struct{})
	select {
	case p.control <- func() { f(); close(ran) }:
		<-ran
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *pipeline) batch(b *relaylens.Batch) {
	var s *counted
	if b.Shipment != nil {
		p.receive(b)
	} else if len(b.Lines) > 0 {
		name := b.Lines[0].Source
		if s = p.sources[name]; s == nil {
			s = p.addSource(strings.Clone(name))
		}
		p.parser.Feed(b, p.event)
	}
	p.taken(b, s)
}

// taken notes how far b was read, whose events were taken, and gives its memory back.
// No s: it has no lines.
func (p *pipeline) taken(b *relaylens.Batch, s *counted) {
	var last time.Time
	if s != nil {
		s.resumes = s.resumes || b.Position.Source != ""
		name := b.Lines[0].Source
		p.publish(name, s)
		last = p.parser.LastTime(name)
	}
	if b.Shipment == nil {
		p.ledger.read(b, p.parser.Feeds(), last)
	}
	if s != nil && !b.Warm {
		p.hear(last)
	}
	if b.Release != nil {
		b.Release()
	}
}

func (p *pipeline) event(ev *relaylens.Event) {
	p.watch.Classify(ev)
	p.exporter.Count(ev)
	p.windows.Add(ev)
	if ev.Refusal() {
		p.watch.Keep(p.ledger.add(ev))
		return
	}
	if relaylens.OfFinding(ev) {
		fault := ev.Clone()
		p.watch.Keep(&fault)
	}
	p.ledger.tallies.add(ev)
}

// hear has the watch know the time of the last line that was read.
func (p *pipeline) hear(last time.Time) {
	p.watch.Observe(last)
	now := time.Now()
	p.tempo.hear(p.watch.Now(), now)
	behind := p.tempo.behind(now)
	p.watch.Behind(behind)
	p.windows.Behind(behind)
	p.ledger.behind, p.ledger.ordered = behind > 0, len(p.configured) <= 1 && len(p.sources) == 1
}

// idle has event time go on while no lines come.
func (p *pipeline) idle(now time.Time) {
	p.ledger.near()
	if p.still.Load() {
		if p.alerts != nil {
			p.alerts.remember(p.watch, now)
		}
		return
	}
	if event, ok := p.tempo.idle(now); ok {
		p.watch.Behind(0)
		p.windows.Behind(0)
		p.watch.Advance(event)
	}
}

// stepped hands on what the watch found.
func (p *pipeline) stepped(s *watch.Step) {
	p.ledger.revise(s.Revisions)
	p.findings.Set(s.Findings)
	if p.alerts != nil {
		p.alerts.stepped(s, p.watch, p.tempo.gone(s.Time, time.Now()))
	}
}

// setParser lets the old parser give out what it holds, and goes on with another.
func (p *pipeline) setParser(next *parsers.Parser) {
	p.parser.Flush(p.event)
	p.publishAll()
	p.ledger.ripen()
	p.parser, p.ticks = next, 0
	for name, s := range p.sources {
		s.published = parsers.Counts{}
		next.SetSourceMTA(name, p.mta(name))
	}
}

// change puts another configuration in force after the batches that wait, as
// they may be of a source that is gone. A nil parser leaves the present one.
// It returns the sources that are forgotten.
func (p *pipeline) change(sources []config.Source, parser *parsers.Parser) (forgotten []string) {
	p.drain()
	forgotten = p.setSources(sources)
	if parser != nil {
		p.setParser(parser)
	}
	p.handOver(handOverTime)
	return forgotten
}

// handOverTime is how long a reload waits for the store.
const handOverTime = 3 * time.Second

// handOver waits until the store has all that was read, so that positions read
// from it are those of now. A store that is slower than that leaves them behind,
// which costs reading again.
func (p *pipeline) handOver(within time.Duration) {
	timeout := time.NewTimer(within)
	defer timeout.Stop()
	for range 2 { // hand over; then wait until that is written
		select {
		case <-p.commits.idle:
			p.commits.write(p.ledger.take(p.parser.OldestHeld()))
		case <-p.commits.done:
			return
		case <-timeout.C:
			return
		}
	}
}

// catchUp has the store know how far everything was read that was sent until now.
func (p *pipeline) catchUp() {
	p.drain()
	p.handOver(handOverTime)
}

// drain takes what waits at this moment.
func (p *pipeline) drain() {
	for range len(p.in) {
		b := <-p.in
		p.batch(&b)
	}
}

func (p *pipeline) alive() { p.beat.Store(int64(time.Since(p.epoch))) }

// silent is the time since the last sign of life.
func (p *pipeline) silent() time.Duration { return time.Since(p.epoch) - time.Duration(p.beat.Load()) }
