//go:build e2e

package faults

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// A generation is what one file holds from its creation, or from a truncation,
// on.
type generation struct {
	id       int
	refusals []*refusal
	// gone says that nobody can open the file any more who has not done so:
	// deleted, or moved out of the folder. A daemon that dies before it has read
	// such a file is not to blame for the rest.
	gone string
	// lost says that nobody has it open.
	lost bool
}

// A writer writes one log, and rotates it.
type writer struct {
	round *round
	*mailer
	path   string // what is followed
	rng    *rand.Rand
	file   *os.File // what the writer has open
	gen    *generation
	offset int64 // where it writes next, without O_APPEND

	naming   string   // numbered, dated
	compress string   // no, yes, delay
	appends  bool     // O_APPEND
	linked   bool     // path is a symbolic link to a dated file
	rotated  []string // names of rotated files, newest first
	loose    []string // those still to be compressed
	seq      int
}

func newWriter(r *round, kind, name string, rng *rand.Rand) *writer {
	w := &writer{round: r, mailer: newMailer(kind, name, rng, r.clock), path: filepath.Join(r.logs, name), rng: rng}
	w.naming = pick(rng, "numbered", "numbered", "dated")
	w.compress = pick(rng, "no", "no", "yes", "delay")
	w.appends = rng.IntN(5) > 0
	w.linked = rng.IntN(8) == 0
	w.create()
	r.trace("%s: %s, rotated files are %s, compressed: %s, append: %v, link: %v", w.path, kind, w.naming, w.compress, w.appends, w.linked)
	return w
}

func pick[T any](rng *rand.Rand, of ...T) T { return of[rng.IntN(len(of))] }

// create makes a new log and writes there from now on.
func (w *writer) create() {
	path := w.path
	if w.linked {
		w.seq++
		path = fmt.Sprintf("%s.%08d", w.path, w.seq)
	}
	flags := os.O_CREATE | os.O_WRONLY | os.O_EXCL
	if w.appends {
		flags |= os.O_APPEND
	}
	f, err := os.OpenFile(path, flags, 0o640)
	check(err)
	if w.linked {
		check(os.Symlink(filepath.Base(path), w.path+".new"))
		check(os.Rename(w.path+".new", w.path))
	}
	if w.file != nil {
		w.file.Close()
	}
	w.file, w.offset = f, 0
	w.gen = w.round.generation()
}

// burst writes n lines in pieces of any size, as a syslogd does whose buffer
// fills up.
func (w *writer) burst(n int) {
	var text []byte
	for range n {
		line, s := w.next(false)
		text = append(text, w.stamped(line)...)
		w.note(s)
	}
	w.put(text)
}

// finish ends all sessions.
func (w *writer) finish() {
	var text []byte
	for {
		line, s := w.next(true)
		if s == nil {
			break
		}
		text = append(text, w.stamped(line)...)
		w.note(s)
	}
	w.put(text)
}

// note enters the refusal that the line just written completes.
func (w *writer) note(s *session) {
	if s.refusal == nil {
		return
	}
	w.round.stands(s, w.gen)
	if s.written != s.at+1 {
		return
	}
	w.round.wrote(s.refusal, w.gen)
}

func (w *writer) put(text []byte) {
	for len(text) > 0 {
		n := len(text)
		switch w.rng.IntN(4) {
		case 0:
			n = min(n, 1+w.rng.IntN(200))
		case 1:
			n = min(n, 4096)
		}
		if w.appends {
			_, err := w.file.Write(text[:n])
			check(err)
		} else {
			_, err := w.file.WriteAt(text[:n], w.offset)
			check(err)
		}
		w.offset += int64(n)
		w.round.touch(w.file)
		text = text[n:]
		if len(text) > 0 && w.rng.IntN(8) == 0 {
			pause(w.rng, 3*time.Millisecond)
		}
	}
}

// pause waits, up to d.
func pause(rng *rand.Rand, d time.Duration) { time.Sleep(time.Duration(rng.Int64N(int64(d)))) }
