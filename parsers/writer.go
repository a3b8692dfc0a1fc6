package parsers

import (
	"hash/maphash"
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/bounded"
	"github.com/relaylens/relaylens/parsers/postfix"
)

// writer is one program at one host, with what is the same for all its lines.
type writer struct {
	host, program string
	service       string // that it is called in events, by its grammar
	route         *route
	read          func(*relaylens.Envelope, *relaylens.Record) relaylens.Verdict // of Postfix; nil before its first line
	hostKey       uint64
	sessions      uint64 // of what the keys of its sessions are made
	told          int64  // when it was told last that a client came or left; of the goroutine that takes
}

// writers finds a line's writer. It is used by the goroutine that scans, to which
// route and read of a writer belong; all else but told does not change once it is made.
type writers struct {
	seed   maphash.Seed
	router *router
	known  map[program]*writer
	last   *writer
}

type program struct{ host, name string }

func newWriters(seed maphash.Seed) *writers {
	return &writers{seed: seed, router: newRouter(), known: make(map[program]*writer)}
}

func (w *writers) find(env *relaylens.Envelope) *writer {
	if w.last != nil && w.last.program == env.Program && w.last.host == env.Host {
		return w.last
	}
	if w.last = w.known[program{env.Host, env.Program}]; w.last != nil {
		return w.last
	}
	if len(w.known) >= maxRoutes {
		clear(w.known)
	}
	made := w.make(strings.Clone(env.Host), strings.Clone(env.Program))
	w.known[program{made.host, made.program}], w.last = made, made
	return made
}

func (w *writers) make(host, name string) *writer {
	made := &writer{
		host: host, program: name,
		route:    w.router.find(name),
		hostKey:  maphash.String(w.seed, host),
		sessions: maphash.Comparable(w.seed, program{host, name}),
	}
	if made.service = made.program; made.route.mta == relaylens.Postfix {
		made.service = postfix.Service(made.program)
	}
	return made
}

// session is the key of a process, or of a client where the log tells no process.
func (w *writer) session(pid int32) uint64 { return bounded.Mix(w.sessions, uint64(uint32(pid))) }

// toldLately reports whether it was that a client came or left.
func (w *writer) toldLately(now int64) bool { return now-w.told < visitsEvery && now >= w.told }

// message is the key of a queue id. What the programs are called is no part of it:
// a service of Postfix may have a syslog_name that its cleanup and its queue manager
// do not have. Ids of two instances differ, as they are made of the file's number
// and the microsecond.
func (w *writer) message(mta relaylens.MTA, id string) uint64 {
	return bounded.Name(w.hostKey+uint64(mta), id)
}

// keys name the session and the message that a line belongs to; 0 is none.
type keys struct {
	session, message uint64
	process          bool // session is a process, not just a client's address
}

// keys are those of what a line of the writer's told.
func (w *writer) keys(r *scannedRecord, seed maphash.Seed) keys {
	var k keys
	e := &r.rec.Event
	switch {
	case r.env.PID != 0:
		k.session, k.process = w.session(r.env.PID), true
	case e.ClientIP.IsValid():
		k.session = bounded.Mix(w.hostKey, maphash.Comparable(seed, e.ClientIP))
	}
	if e.QueueID != "" {
		k.message = w.message(r.mta, e.QueueID)
	}
	return k
}
