//go:build e2e

package faults

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// settleTime is how long nothing may have come to the store until what is still
// missing counts as lost. It is longer than a refusal waits for a line that
// tells its sender, which a truncation may have destroyed.
const settleTime = 50 * time.Second

// stormTime bounds a single wait within a round.
const stormTime = 2 * time.Minute

// A round is one seed.
type round struct {
	seed uint64
	dir  string
	logs string // where the logs are
	away string // where some are moved
	data string // a file system of its own
	conf string

	turn   sync.Mutex // held by whoever relies on the daemon, or changes what it can do
	daemon *daemon
	runs   int
	faulty bool         // the data directory cannot be written just now
	skew   atomic.Int64 // by how much the clock is wrong

	mu       sync.Mutex // guards what follows
	tracing  *os.File
	began    time.Time
	gens     []*generation
	refusals map[string]*refusal
	problems []string
	forgot   string // why what lines of sessions tell each other may be lost
}

func newRound(seed uint64, dir string) *round {
	r := &round{seed: seed, dir: dir, began: time.Now(), refusals: map[string]*refusal{}}
	r.logs, r.away, r.data = filepath.Join(dir, "log"), filepath.Join(dir, "away"), filepath.Join(dir, "data")
	r.conf = filepath.Join(dir, "relaylens.yaml")
	for _, d := range []string{r.logs, r.away, r.data} {
		check(os.MkdirAll(d, 0o750))
	}
	var err error
	r.tracing, err = os.Create(filepath.Join(dir, "trace"))
	check(err)
	check(unix.Mount("tmpfs", r.data, "tmpfs", 0, "size=64m"))
	return r
}

func (r *round) close() {
	if r.daemon != nil {
		r.daemon.kill()
	}
	_ = unix.Mount("", r.data, "", unix.MS_REMOUNT, "")
	_ = os.Remove(filepath.Join(r.data, "ballast"))
	if len(r.problems) > 0 {
		// The mount ends with the process; its content is evidence.
		check(os.CopyFS(filepath.Join(r.dir, "data.kept"), os.DirFS(r.data)))
	}
	_ = unix.Unmount(r.data, unix.MNT_DETACH)
	r.tracing.Close()
}

// play runs the round and returns what went wrong.
func (r *round) play() []string {
	defer r.close()
	r.guard(r.storm)
	return r.problems
}

// guard turns the panic by which check ends a part of a round into a problem.
func (r *round) guard(f func()) {
	defer func() {
		if v := recover(); v != nil {
			r.problem("the harness: %v\n%s", v, debug.Stack())
		}
	}()
	f()
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func (r *round) storm() {
	rng := rand.New(rand.NewPCG(r.seed, 0))
	kinds := []string{"postfix", "exim", "sendmail"}
	rng.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	var writers []*writer
	for i, kind := range kinds[:1+rng.IntN(2)] {
		writers = append(writers, newWriter(r, kind, kind+".log", rand.New(rand.NewPCG(r.seed, uint64(i)+1))))
	}
	faults := &faults{round: r, rng: rand.New(rand.NewPCG(r.seed, 99)), writers: writers}
	faults.configure(0)
	r.up()
	for _, w := range writers { // now there is a position that nothing may be lost behind
		w.burst(20)
		w.finish()
		r.committed(w.gen)
	}
	var all sync.WaitGroup
	for _, w := range writers {
		all.Go(func() { r.guard(func() { w.run(10) }) })
	}
	all.Go(func() { r.guard(func() { faults.run(6) }) })
	all.Wait()
	for _, w := range writers {
		w.finish()
	}
	r.up()
	r.settle()
	r.verdict()
}

// clock is what the machine of the round takes for the time.
func (r *round) clock() time.Time { return time.Now().Add(time.Duration(r.skew.Load())) }

// touch gives a file the time at which it was written.
func (r *round) touch(f *os.File) {
	if r.skew.Load() == 0 {
		return
	}
	now := unix.NsecToTimeval(r.clock().UnixNano())
	check(unix.Futimes(int(f.Fd()), []unix.Timeval{now, now}))
}

// forgets notes that from now on the daemon need not know the client and the
// sender that only an earlier line told.
func (r *round) forgets(why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forgot = why
}

func (r *round) trace(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(r.tracing, "%8.3f %s\n", time.Since(r.began).Seconds(), fmt.Sprintf(format, args...))
}

func (r *round) problem(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.trace("PROBLEM %s", strings.ReplaceAll(text, "\n", "\n         "))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems = append(r.problems, text)
}

func (r *round) generation() *generation {
	r.mu.Lock()
	defer r.mu.Unlock()
	g := &generation{id: len(r.gens) + 1}
	r.gens = append(r.gens, g)
	return g
}

// wrote enters a refusal that is about to be written.
func (r *round) wrote(f *refusal, g *generation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f.written, f.gen = true, g
	g.refusals = append(g.refusals, f)
	r.refusals[f.key] = f
	if g.lost {
		f.doubtful = "written to a file that was " + g.gone
	}
}

// stands notes that the next line of s goes to g.
func (r *round) stands(s *session, g *generation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.gens = append(s.gens, g)
}

func (r *round) doubt(fs []*refusal, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range fs {
		f.doubtful = why
	}
}

// gone notes that nobody else can open g any more. The caller has the turn.
func (r *round) gone(g *generation, how string) {
	r.mu.Lock()
	g.gone = how
	r.mu.Unlock()
	if r.daemon == nil {
		r.bury()
	}
}

// bury is called when no daemon runs: what stood in files that are gone by now
// and is not in the store is nowhere.
func (r *round) bury() {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found map[string]*found
	for _, g := range r.gens {
		if g.gone == "" || g.lost {
			continue
		}
		g.lost = true
		if found == nil {
			var err error
			found, err = r.look()
			check(err)
		}
		for _, f := range g.refusals {
			if found[f.key] == nil || found[f.key].n < f.want {
				f.doubtful = g.gone + ", and the daemon ended before it was read"
			}
		}
	}
}

// committed waits until everything in g is in the store. The caller has the turn.
func (r *round) committed(g *generation) {
	r.up()
	r.await("everything of the file is in the store", func(found map[string]*found) bool {
		for _, f := range g.refusals {
			if f.doubtful == "" && found[f.key] == nil {
				return false
			}
		}
		return true
	})
}

// opened waits until something of g is in the store. The caller has the turn.
func (r *round) opened(g *generation) {
	r.up()
	r.await("something of the file is in the store", func(found map[string]*found) bool {
		for _, f := range g.refusals {
			if found[f.key] != nil {
				return true
			}
		}
		return false
	})
}

func (r *round) await(what string, ok func(map[string]*found) bool) {
	for end := time.Now().Add(stormTime); ; time.Sleep(10 * time.Millisecond) {
		found, err := r.look()
		if err == nil {
			r.mu.Lock()
			done := ok(found)
			r.mu.Unlock()
			if done {
				return
			}
		}
		if time.Now().After(end) {
			panic(fmt.Sprintf("waited %v in vain until %s: %v", stormTime, what, err))
		}
	}
}
