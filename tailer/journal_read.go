package tailer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/sleep"
)

// A journalReader hands on what one journalctl writes.
type journalReader struct {
	*journal
	ctx  context.Context
	out  chan<- relaylens.Batch
	want string // the cursor that was asked for, until the first entry came

	held   int  // bytes in buf
	skip   bool // within an entry that is too long
	block  *block
	used   int       // bytes of block
	oldest time.Time // entry in block
	newest time.Time
	end    time.Time // of the last entry in block
}

// read hands on entries until r ends, which is no error, or ctx does.
func (j *journal) read(ctx context.Context, r *os.File, out chan<- relaylens.Batch) error {
	d := &journalReader{journal: j, ctx: ctx, out: out, want: j.cursor}
	defer d.drop()
	// With nothing to read it is silent, but what is wrong it says at once.
	_ = r.SetReadDeadline(time.Now().Add(soundAfter))
	for {
		n, err := r.Read(j.buf[d.held:])
		d.held += n
		if quiet := errors.Is(err, os.ErrDeadlineExceeded); n > 0 || quiet && ctx.Err() == nil {
			j.m.up.Set(1)
			if quiet {
				err = r.SetReadDeadline(time.Time{})
			}
		}
		if !d.lines() || !d.flush() || errors.Is(err, io.EOF) {
			return nil // what is left of an entry is read again
		}
		if err != nil {
			return fmt.Errorf("read from journalctl: %w", err)
		}
	}
}

// soundAfter is how long a journalctl that writes nothing has to live until the
// source counts as up.
const soundAfter = time.Second

// lines takes the whole entries from buf and reports whether it could.
func (d *journalReader) lines() bool {
	rest := d.buf[:d.held]
	for {
		line, after, whole := bytes.Cut(rest, []byte("\n"))
		if !whole {
			break
		}
		rest = after
		if d.skip {
			d.skip = false
		} else if !d.entry(line) {
			return false
		}
	}
	if !d.skip && len(rest) == len(d.buf) {
		d.skip = true
		d.m.cut.Inc()
		d.log.Debug("left out an entry that is too long")
	}
	if d.skip {
		rest = nil
	}
	d.held = copy(d.buf, rest)
	return true
}

// entry adds one entry to the block, which it sends when that is full, and
// reports whether it could. What is no entry is a remark of journalctl's, such
// as where a boot begins.
func (d *journalReader) entry(line []byte) bool {
	var r record
	if !r.parse(line) || d.known(&r) {
		return true
	}
	if d.block != nil && (len(d.block.lines) == batchLines || len(d.block.buf)-d.used < maxEntry) && !d.flush() {
		return false
	}
	if r.torn() && !d.mend(&r) {
		return false
	}
	d.end = r.time()
	if d.block == nil {
		d.block, d.used = takeBlock(), 0
		d.oldest, d.newest = d.end, d.end
	}
	if d.end.After(d.newest) {
		d.newest = d.end
	}
	text, at, cut := r.appendTo(d.block.buf[d.used:d.used])
	d.used += len(text)
	cursor := text[at : at+len(r.cursor())]
	d.block.lines = append(d.block.lines, relaylens.Line{Text: alias(text), Source: d.Name(), Cursor: alias(cursor), Cut: cut})
	d.m.bytes.Add(float64(len(line) + 1))
	if cut {
		d.m.cut.Inc()
	}
	return true
}

// mendAfter is how long is waited before each look at a torn entry: a writer
// that was not running may need it.
var mendAfter = [...]time.Duration{0, 20 * time.Millisecond, 100 * time.Millisecond}

// mend looks again at an entry that was torn, and reports false when ctx ended.
// What is still the same then is taken for whole.
func (d *journalReader) mend(r *record) bool {
	cursor := string(r.cursor())
	for _, delay := range mendAfter {
		if delay > 0 && !sleep.For(d.ctx, delay) {
			return false
		}
		whole, err := d.look(d.ctx, "--lines=1", "--cursor="+cursor)
		if d.ctx.Err() != nil {
			return false
		}
		if err == nil && string(whole.cursor()) == cursor && !whole.torn() {
			*r = whole
			return true
		}
	}
	return true
}

// known reports whether the entry is the one that was read last. When another
// comes first, that one is gone, and maybe others behind it.
func (d *journalReader) known(r *record) bool {
	want := d.want
	d.want = ""
	if want == "" || want == string(r.cursor()) {
		return want != ""
	}
	d.log.Warn("the entry that was read last is no longer in the journal, or not selected any more; entries between it and the next may have been deleted unread",
		zap.Time("read_to", d.last), zap.Time("next", r.time()))
	return false
}

// flush sends the block and reports whether it could.
func (d *journalReader) flush() bool {
	b := d.block
	if b == nil {
		return d.ctx.Err() == nil
	}
	d.block = nil
	p := relaylens.Position{Source: d.Name(), Cursor: strings.Clone(b.lines[len(b.lines)-1].Cursor), Time: d.end}
	batch := relaylens.Batch{Lines: b.lines, Reference: d.newest, Position: p, Release: b.free}
	if batch.Reference.IsZero() {
		batch.Reference = time.Now()
	}
	d.late()
	if !d.send(d.ctx, d.out, batch) {
		b.free()
		return false
	}
	d.cursor, d.last = p.Cursor, p.Time
	return true
}

// caughtUp is how old an entry is at most that was read at once.
const caughtUp = 5 * time.Second

// late shows by how much the entries at hand are behind.
func (d *journalReader) late() {
	if d.oldest.IsZero() || time.Since(d.oldest) < caughtUp {
		d.m.behindSince.Store(0)
		return
	}
	d.m.behindSince.Store(d.oldest.UnixNano())
}

// drop gives back what was not sent.
func (d *journalReader) drop() {
	if d.block != nil {
		d.block.free()
	}
}

// send hands a batch on unless ctx ends first.
func (j *journal) send(ctx context.Context, out chan<- relaylens.Batch, b relaylens.Batch) bool {
	select {
	case out <- b:
		return true
	case <-ctx.Done():
		return false
	}
}
