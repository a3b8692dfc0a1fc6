package main

import (
	"bufio"
	"math/rand/v2"
	"strconv"
	"time"
)

// generator plays the sessions of all servers at once and writes their lines by
// time.
type generator struct {
	options
	*world
	truth *truth
	hosts []*host
	mix   mix
	open  queue
	spare []*session
	total uint64 // sessions so far
}

// host is one server.
type host struct {
	name    string
	number  int
	pid     int
	workers map[string][]int // free processes by program
	qmgr    int
	serial  int
}

func newGenerator(o options) (*generator, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(o.seed, 0x6d61696c))
	g := &generator{options: o, world: newWorld(rng, o), truth: newTruth(o.clients), mix: mixes(o.mta, o.uniform)}
	for n := range o.hosts {
		g.hosts = append(g.hosts, &host{name: "mx" + strconv.Itoa(n+1), number: n, pid: 2000 + 700*n, qmgr: 1200 + n, workers: map[string][]int{}})
	}
	return g, nil
}

// process is one of program's that has nothing to do, or a new one. A process
// ends after some hundred sessions, as Postfix's max_use has it.
func (h *host) process(rng *rand.Rand, program string) int {
	free := h.workers[program]
	if n := len(free); n > 0 && rng.IntN(100) > 0 {
		pid := free[n-1]
		h.workers[program] = free[:n-1]
		return pid
	}
	return h.fork(rng)
}

// fork is a process id that was not in use for long.
func (h *host) fork(rng *rand.Rand) int {
	h.pid += 1 + rng.IntN(7)
	if h.pid >= 1<<22 {
		h.pid = 2000
	}
	return h.pid
}

// hourly is how many sessions there are in each hour of the day, for a mean of 1.
var hourly = [24]float64{.5, .45, .4, .4, .4, .5, .7, 1, 1.4, 1.6, 1.6, 1.5, 1.3, 1.4, 1.5, 1.5, 1.4, 1.2, 1, .9, .9, .9, .8, .75}

// writeTo writes the log and returns the time of its last line.
func (g *generator) writeTo(w *bufio.Writer) (time.Time, error) {
	out := &output{w: w, stamps: g.stamps}
	now := int64(0)
	for out.written < g.size {
		hour := now / int64(time.Hour/time.Microsecond) % 24
		now += int64(g.rng.ExpFloat64() * 1e6 / (g.rate * hourly[hour]))
		for len(g.open) > 0 && g.open[0].at < now {
			g.step(out)
		}
		if out.err != nil {
			return time.Time{}, out.err
		}
		g.mix.pick(g.rng)(g.session(now))
	}
	for len(g.open) > 0 {
		g.step(out)
	}
	g.truth.lines, g.truth.bytes = out.lines, out.written
	return epoch.Add(time.Duration(out.last) * time.Microsecond), out.err
}

// session begins at time at, on one of the hosts.
func (g *generator) session(at int64) *session {
	s := new(session)
	if n := len(g.spare); n > 0 {
		s, g.spare = g.spare[n-1], g.spare[:n-1]
	}
	*s = session{generator: g, host: g.hosts[g.rng.IntN(len(g.hosts))], clock: at, text: s.text[:0], lines: s.lines[:0]}
	return s
}

// play has the session's lines written, each at its time.
func (g *generator) play(s *session) {
	if len(s.lines) == 0 {
		g.spare = append(g.spare, s)
		return
	}
	g.total++
	s.order = g.total
	s.at = s.lines[0].at
	g.open.push(s)
}

// step writes the next line.
func (g *generator) step(out *output) {
	s := g.open[0]
	l := s.lines[s.next]
	start := 0
	if s.next > 0 {
		start = s.lines[s.next-1].end
	}
	out.line(l.at, s.text[start:l.end], l.prefix)
	s.next++
	if s.next < len(s.lines) {
		s.at = s.lines[s.next].at
		g.open.down()
		return
	}
	g.open.pop()
	if s.program != "" {
		s.host.workers[s.program] = append(s.host.workers[s.program], s.pid)
	}
	g.spare = append(g.spare, s)
}

// mix is how often each sort of session comes.
type mix []struct {
	weight int // of the sum of all
	play   func(*session)
}

func (m mix) pick(rng *rand.Rand) func(*session) {
	sum := 0
	for i := range m {
		sum += m[i].weight
	}
	n := rng.IntN(sum)
	for i := range m {
		if n -= m[i].weight; n < 0 {
			return m[i].play
		}
	}
	return m[0].play
}

func mixes(mta string, uniform bool) mix {
	switch {
	case mta == "exim" && uniform:
		return eximUnique
	case mta == "exim":
		return eximMix
	case mta == "sendmail" && uniform:
		return sendmailUnique
	case mta == "sendmail":
		return sendmailMix
	case uniform:
		return postfixUnique
	}
	return postfixMix
}

// queue is a heap of sessions by the time of their next line.
type queue []*session

func (q queue) less(i, j int) bool {
	if q[i].at != q[j].at {
		return q[i].at < q[j].at
	}
	return q[i].order < q[j].order
}

func (q *queue) push(s *session) {
	*q = append(*q, s)
	h := *q
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if !h.less(i, up) {
			return
		}
		h[i], h[up] = h[up], h[i]
		i = up
	}
}

// pop drops the first.
func (q *queue) pop() {
	h := *q
	last := len(h) - 1
	h[0], h[last] = h[last], nil
	*q = h[:last]
	q.down()
}

// down puts the first where it belongs after its time has changed.
func (q queue) down() {
	for i := 0; ; {
		first := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(q); child++ {
			if q.less(child, first) {
				first = child
			}
		}
		if first == i {
			return
		}
		q[i], q[first] = q[first], q[i]
		i = first
	}
}
