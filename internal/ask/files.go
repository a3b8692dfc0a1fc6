package ask

import (
	"container/heap"
	"context"
	"errors"
	"io"
	"math"
	"os"
	"slices"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier"
	"github.com/relaylens/relaylens/internal/resident"
	"github.com/relaylens/relaylens/parsers"
	"github.com/relaylens/relaylens/parsers/syslog"
	"github.com/relaylens/relaylens/tailer"
)

// Files are logs to ask in place of a store. They are read as one stream in the
// order of their times: parts of a rotated log oldest first, logs of the same
// time side by side. So sessions are followed across files, however their names
// were sorted.
type Files struct {
	Names   []string // "-" is Stdin
	Stdin   io.Reader
	Options parsers.Options
	// Site is what is known of whose logs they are.
	Site classifier.Site
	// Progress, when it is set, is told how many bytes of a file were read; a
	// size of 0 is not known.
	Progress func(name string, read, size int64)
	// Counts is what became of the lines, once they were read.
	Counts parsers.Counts

	// counted says that events need no id to be told apart by, unless there are twins.
	counted bool
	// twins says that files begin alike: one may be a copy of another, whose
	// events are told once.
	twins bool
}

// Read hands on every event of the files. An event is valid during the call
// only. A file that cannot be read does not stop the others. Lines are read and
// scanned on one goroutine while emit is called on the caller's.
func (l *Files) Read(ctx context.Context, emit func(*relaylens.Event)) error {
	waiting, errs := l.open(l.Names)
	options := l.Options
	options.NoIDs = l.counted && !l.twins
	parser, err := parsers.New(options)
	if err != nil {
		closeAll(waiting)
		return err
	}
	resident.Trim()
	batches := 0
	parser.Ahead(func(hand func(*relaylens.Batch) bool) { errs = append(errs, l.scan(ctx, waiting, hand)...) }, emit, func() bool {
		if batches++; batches == settled || batches%often == 0 {
			resident.Trim() // what was needed to begin, or is seldom
		}
		return true
	})
	parser.Flush(emit)
	tailer.Forget()
	l.Counts = parser.Total()
	return errors.Join(append(errs, ctx.Err())...)
}

// settled is after how many batches reading does the same again and again.
const settled = 64

// often is after how many batches, some 16 MiB of logs, it is looked again what of
// the program is not needed any more.
const often = 512

// scan hands over the lines of files, in the order of their times.
func (l *Files) scan(ctx context.Context, waiting []*logFile, hand func(*relaylens.Batch) bool) (errs []error) {
	active := &logHeap{}
	defer func() { closeAll(append(waiting, active.files...)) }()
	for (len(waiting) > 0 || active.Len() > 0) && ctx.Err() == nil {
		if len(waiting) > 0 && (active.Len() == 0 || waiting[0].time <= active.files[0].time) {
			f := waiting[0]
			waiting = waiting[1:]
			if err := f.reopen(l); err != nil {
				errs = append(errs, err)
			} else {
				heap.Push(active, f)
			}
			continue
		}
		f := active.files[0]
		hand(f.take(active.horizon(waiting)))
		if l.Progress != nil {
			l.Progress(f.name, f.reader.BytesRead(), f.reader.Size())
		}
		switch err := f.fill(); {
		case err == nil:
			heap.Fix(active, 0)
			continue
		case !errors.Is(err, io.EOF):
			errs = append(errs, err)
		}
		f.close()
		heap.Pop(active)
	}
	return errs
}

// open looks at the first time of each file and sorts the files by it. Only
// what cannot be read twice stays open.
func (l *Files) open(names []string) ([]*logFile, []error) {
	var files []*logFile
	var errs []error
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			continue // a line is told once
		}
		f := &logFile{name: name}
		err := f.reopen(l)
		switch {
		case errors.Is(err, io.EOF):
		case err != nil:
			errs = append(errs, err)
		default:
			if fi, err := os.Stat(name); err == nil && fi.Mode().IsRegular() && name != "-" {
				f.close()
			}
			files = append(files, f)
		}
	}
	l.twins = twins(files)
	slices.SortStableFunc(files, func(a, b *logFile) int {
		return int(min(max(a.time-b.time, -1), 1))
	})
	return files, errs
}

// twins reports whether two of the files have the same first line.
func twins(files []*logFile) bool {
	seen := map[relaylens.Origin]bool{}
	for _, f := range files {
		if seen[f.origin] {
			return true
		}
		seen[f.origin] = true
	}
	return false
}

// logFile is one file with the lines that were read of it last.
type logFile struct {
	name    string
	reader  *tailer.Reader // nil while it is closed
	decoder *syslog.Decoder
	batch   *relaylens.Batch // nil when all of its lines were taken
	part    relaylens.Batch  // that was taken last
	times   []int64          // of the lines, never falling
	next    int              // the first line that was not taken
	time    int64            // of that line
	origin  relaylens.Origin
}

// reopen opens f, unless it is open, and reads its first lines.
func (f *logFile) reopen(l *Files) error {
	if f.reader != nil {
		return nil
	}
	if f.name == "-" {
		f.reader = tailer.NewReader(f.name, l.Stdin, time.Now())
	} else {
		reader, err := tailer.OpenReader(f.name)
		if err != nil {
			return err
		}
		f.reader = reader
	}
	f.reader.Own()
	f.decoder, f.time = syslog.NewDecoder(syslog.Options{Location: l.Options.Location}), 0
	f.batch, f.times, f.next = nil, nil, 0
	if err := f.fill(); err != nil {
		f.close()
		return err
	}
	return nil
}

func (f *logFile) close() {
	if f.reader != nil {
		f.reader.Close()
	}
	f.reader, f.batch = nil, nil
}

func closeAll(files []*logFile) {
	for _, f := range files {
		f.close()
	}
}

// fill makes sure that there is a line to take; io.EOF when there is none.
func (f *logFile) fill() error {
	for f.batch == nil {
		batch, err := f.reader.Next()
		if err != nil {
			return err
		}
		f.batch, f.next, f.times = batch, 0, f.times[:0]
		f.origin = batch.Position.Origin
	}
	if len(f.times) > 0 {
		f.time = f.times[f.next]
	} else {
		f.time = f.timeOf(&f.batch.Lines[0])
	}
	return nil
}

// timeOf is the time of a line. One without a time, or that is out of order,
// has that of the line before it.
func (f *logFile) timeOf(line *relaylens.Line) int64 {
	var env relaylens.Envelope
	if f.decoder.Decode(line, f.batch.Reference, &env) == syslog.Ready && !env.Time.IsZero() {
		return max(f.time, env.Time.UnixNano())
	}
	return f.time
}

// take is the batch from the next line on, up to the horizon, at least one line.
// Releasing its last part releases it. What is taken is valid until the next is.
func (f *logFile) take(horizon int64) *relaylens.Batch {
	begin := f.next
	batch := f.batch
	f.part = *batch
	f.part.Release = nil
	if horizon == noHorizon {
		f.next = len(batch.Lines)
	} else {
		f.measure()
		f.next++
		for f.next < len(f.times) && f.times[f.next] <= horizon {
			f.next++
		}
	}
	if f.part.Lines = batch.Lines[begin:f.next]; f.next == len(batch.Lines) {
		f.part.Release, f.batch = batch.Release, nil
	}
	return &f.part
}

// measure tells the times of the lines of the batch, if that was not done.
func (f *logFile) measure() {
	if len(f.times) > 0 {
		return
	}
	before := f.time
	for i := range f.batch.Lines {
		f.time = f.timeOf(&f.batch.Lines[i])
		f.times = append(f.times, f.time)
	}
	f.time = before
}

// noHorizon is the horizon of a file beside which there is no other.
const noHorizon = int64(math.MaxInt64)

// logHeap has the file with the earliest line on top.
type logHeap struct{ files []*logFile }

// horizon is until when the file on top is read before another one is.
func (h *logHeap) horizon(waiting []*logFile) int64 {
	horizon := noHorizon
	for _, i := range []int{1, 2} {
		if i < len(h.files) {
			horizon = min(horizon, h.files[i].time)
		}
	}
	if len(waiting) > 0 {
		horizon = min(horizon, waiting[0].time)
	}
	return horizon
}

func (h *logHeap) Len() int           { return len(h.files) }
func (h *logHeap) Less(i, j int) bool { return h.files[i].time < h.files[j].time }
func (h *logHeap) Swap(i, j int)      { h.files[i], h.files[j] = h.files[j], h.files[i] }
func (h *logHeap) Push(f any)         { h.files = append(h.files, f.(*logFile)) }
func (h *logHeap) Pop() any {
	last := h.files[len(h.files)-1]
	h.files = h.files[:len(h.files)-1]
	return last
}
