//go:build e2e

package faults

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// run writes and rotates until steps are done.
func (w *writer) run(steps int) {
	for range steps {
		switch n := w.rng.IntN(16); {
		case n < 6:
			w.burst(1 + w.rng.IntN(40))
		case n < 8:
			w.burst(100 + w.rng.IntN(900))
		case n == 8:
			w.step()
		case n == 9:
			w.whileDown()
		default:
			w.rotate()
		}
		if w.rng.IntN(3) > 0 {
			pause(w.rng, 60*time.Millisecond)
		}
	}
	w.compressAll()
}

// step sets the clock of the machine, as far as its logs show it.
func (w *writer) step() {
	by := time.Duration(w.rng.IntN(7200)-3600) * time.Second
	w.round.skew.Add(int64(by))
	w.round.trace("%s: the clock is set by %v", w.name(), by)
	w.round.forgets("the clock was set")
	w.burst(5)
}

func (w *writer) name() string { return filepath.Base(w.path) }

// whileDown rotates twice while no daemon runs.
func (w *writer) whileDown() {
	r := w.round
	hard := w.rng.IntN(2) == 0
	r.turn.Lock()
	defer r.turn.Unlock()
	r.down(hard)
	for range 2 {
		w.burst(1 + w.rng.IntN(60))
		w.rename(w.rng.IntN(20))
	}
	w.burst(1 + w.rng.IntN(60))
	r.up()
}

func (w *writer) rotate() {
	if w.linked {
		w.trace("the link is switched")
		w.late(w.create)
		return
	}
	switch w.rng.IntN(10) {
	case 0, 1, 2, 3:
		w.rename(w.rng.IntN(100))
	case 4, 5:
		w.createLater()
	case 6:
		w.copyTruncate()
	case 7:
		w.truncate()
	case 8:
		w.remove()
	case 9:
		w.moveAway()
	}
}

func (w *writer) trace(format string, args ...any) {
	w.round.trace("%s: generation %d: %s", w.name(), w.gen.id, fmt.Sprintf(format, args...))
}

// late does something after which a syslogd would have to reopen its log, and
// goes on writing to the former for a while.
func (w *writer) late(do func()) {
	old, oldGen, offset := w.file, w.gen, w.offset
	w.file = nil
	do()
	file, gen, now := w.file, w.gen, w.offset
	for range w.rng.IntN(4) {
		w.file, w.gen, w.offset = old, oldGen, offset
		w.burst(1 + w.rng.IntN(30))
		offset = w.offset
		if w.rng.IntN(3) == 0 { // two processes write
			w.file, w.gen, w.offset = file, gen, now
			w.burst(1 + w.rng.IntN(10))
			now = w.offset
		}
		pause(w.rng, 30*time.Millisecond)
	}
	old.Close()
	w.file, w.gen, w.offset = file, gen, now
}

// rename is logrotate's create: the log is renamed, a new one is made, its
// writer learns of it later.
func (w *writer) rename(late int) {
	if w.linked {
		w.late(w.create)
		return
	}
	name := w.shift()
	w.trace("renamed to %s", filepath.Base(name))
	check(os.Rename(w.path, name))
	if late > 30 {
		w.late(w.create)
	} else {
		w.burst(late)
		w.create()
	}
	w.compressed(name)
}

// createLater is logrotate's nocreate: for a while there is no log.
func (w *writer) createLater() {
	name := w.shift()
	w.trace("renamed to %s, no new file for a while", filepath.Base(name))
	check(os.Rename(w.path, name))
	for range w.rng.IntN(3) {
		pause(w.rng, 60*time.Millisecond)
		w.burst(w.rng.IntN(20))
	}
	w.create()
	w.compressed(name)
}

// copyTruncate copies the log and truncates it. What is written in between is
// nowhere by then.
func (w *writer) copyTruncate() {
	name := w.shift()
	read := w.rng.IntN(2) == 0
	if read {
		w.finish()
		w.round.turn.Lock()
		w.round.committed(w.gen)
		w.round.turn.Unlock()
	}
	w.trace("copied to %s and truncated; read before: %v", filepath.Base(name), read)
	copyFile(w.path, name)
	w.gen = w.round.generation() // a session with lines in both is torn
	if w.rng.IntN(3) == 0 {
		w.burst(w.rng.IntN(10))
	}
	check(w.file.Truncate(0))
	w.round.doubt(w.gen.refusals, "written between copy and truncation")
	w.after()
	w.compressed(name)
}

// truncate empties the log without a copy, once it has been read.
func (w *writer) truncate() {
	w.finish()
	w.round.turn.Lock()
	defer w.round.turn.Unlock()
	w.round.committed(w.gen)
	w.trace("truncated")
	check(w.file.Truncate(0))
	w.after()
}

// after a truncation the file begins anew; a writer without O_APPEND leaves a
// hole before what it goes on with.
func (w *writer) after() {
	w.gen = w.round.generation()
	w.burst(1 + w.rng.IntN(20))
}

// remove deletes the log, which its writer does not notice for a while.
func (w *writer) remove() { w.leave("deleted", func() { check(os.Remove(w.path)) }) }

// moveAway moves the log to another folder.
func (w *writer) moveAway() {
	w.seq++
	name := filepath.Join(w.round.away, fmt.Sprintf("%s.%d", w.name(), w.seq))
	w.leave("moved away", func() { check(os.Rename(w.path, name)) })
}

// leave takes the log away from whoever has not opened it yet: the daemon must
// have.
func (w *writer) leave(how string, do func()) {
	for len(w.gen.refusals) == 0 {
		w.burst(10)
	}
	w.finish()
	w.round.turn.Lock()
	w.round.opened(w.gen)
	w.trace("%s", how)
	do()
	w.round.gone(w.gen, how)
	w.round.turn.Unlock()
	if w.rng.IntN(2) == 0 {
		w.late(w.create)
		return
	}
	w.burst(w.rng.IntN(30))
	pause(w.rng, 60*time.Millisecond)
	w.create()
}

// shift makes room for the next rotated file and returns its name.
func (w *writer) shift() string {
	if w.compress == "delay" {
		w.compressAll()
	}
	w.seq++
	if w.naming == "dated" {
		name := fmt.Sprintf("%s-2026%04d", w.path, 1000+w.seq)
		w.rotated = append([]string{name}, w.rotated...)
		return name
	}
	for i := len(w.rotated) - 1; i >= 0; i-- {
		old := w.rotated[i]
		moved := fmt.Sprintf("%s.%d", w.path, i+2)
		if strings.HasSuffix(old, ".gz") {
			moved += ".gz"
		}
		check(os.Rename(old, moved))
		w.rotated[i] = moved
		for j := range w.loose {
			if w.loose[j] == old {
				w.loose[j] = moved
			}
		}
	}
	w.rotated = append([]string{w.path + ".1"}, w.rotated...)
	return w.path + ".1"
}

// compressed has the rotated file compressed, at once or later.
func (w *writer) compressed(name string) {
	w.loose = append(w.loose, name)
	if w.compress == "yes" {
		w.compressAll()
	}
}

func (w *writer) compressAll() {
	if w.compress == "no" {
		w.loose = nil
	}
	for _, name := range w.loose {
		gzipFile(name)
		for i := range w.rotated {
			if w.rotated[i] == name {
				w.rotated[i] += ".gz"
			}
		}
		w.round.trace("%s: %s is compressed", w.name(), filepath.Base(name))
	}
	w.loose = nil
}

func copyFile(from, to string) {
	in, err := os.Open(from)
	check(err)
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640)
	check(err)
	_, err = io.Copy(out, in)
	check(err)
	check(out.Close())
}

// gzipFile does what gzip does: the archive grows beside the file, takes its
// times, and then the file goes.
func gzipFile(name string) {
	in, err := os.Open(name)
	check(err)
	defer in.Close()
	out, err := os.OpenFile(name+".gz", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640)
	check(err)
	z := gzip.NewWriter(out)
	_, err = io.Copy(z, in)
	check(err)
	check(z.Close())
	check(out.Close())
	fi, err := in.Stat()
	check(err)
	check(os.Chtimes(name+".gz", fi.ModTime(), fi.ModTime()))
	check(os.Remove(name))
}
