package parsers

import (
	"hash/maphash"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/exim"
	"github.com/relaylens/relaylens/parsers/postfix"
	"github.com/relaylens/relaylens/parsers/sendmail"
	"github.com/relaylens/relaylens/parsers/syslog"
)

// Scanned is what the lines of one batch say by themselves, in their order:
// what [Parser.Scan] read of them and [Parser.Take] completes. It is made for
// one batch after the other, so that its memory is used again.
type Scanned struct {
	source  string
	warm    bool
	counts  Counts // of the lines that tell nothing
	joined  int    // lines counted as ignored that completed a record after all
	records []scannedRecord
	clean   int // so many of them, and of those behind them, have a zero Record
	notes   []note
	times   []time.Time
	visits  []visit
	mails   []mail
	arena   []byte // what the framing had to unescape
}

// scannedRecord is a line of which a grammar understood something, or should have.
type scannedRecord struct {
	line    *relaylens.Line
	env     relaylens.Envelope
	rec     relaylens.Record
	writer  *writer
	keys    keys
	second  int64 // Unix time of env
	mta     relaylens.MTA
	verdict relaylens.Verdict
}

// last is the time that the lines came to; zero where none tells one.
func (s *Scanned) last() time.Time {
	n := len(s.notes) - 1
	for n >= 0 && s.notes[n].kind != noteTime {
		n--
	}
	for i := len(s.records) - 1; i >= 0 && (n < 0 || i >= int(s.notes[n].before)); i-- {
		if t := s.records[i].env.Time; !t.IsZero() {
			return t
		}
	}
	if n < 0 {
		return time.Time{}
	}
	return s.times[s.notes[n].of]
}

func (s *Scanned) reset(source string, warm bool) {
	*s = Scanned{source: source, warm: warm, records: s.records[:0], notes: s.notes[:0], times: s.times[:0], visits: s.visits[:0], mails: s.mails[:0], arena: s.arena[:0]}
}

// next is the place of the record that may come next, with a zero Record. It
// stays there until it is kept.
func (s *Scanned) next() *scannedRecord {
	n := len(s.records)
	if n == cap(s.records) {
		s.records = append(s.records, scannedRecord{})[:n]
	}
	r := &s.records[:n+1][n]
	if n == s.clean {
		r.rec = relaylens.Record{}
		s.clean++
	}
	return r
}

// keep makes what stands in next a record.
func (s *Scanned) keep() { s.records = s.records[:len(s.records)+1] }

// scanner opens envelopes and asks grammars. It remembers of a source only what
// framing needs.
type scanner struct {
	options  Options
	postfix  *postfix.Reader
	grammars [4]relaylens.Grammar // by MTA
	writers  *writers
	logs     map[string]*framing
	event    relaylens.Event // of a short line
}

// framing is what is known of how a log is written.
type framing struct {
	decoder *syslog.Decoder
	mta     relaylens.MTA
	second  int64       // of the last line
	writers [256]tagged // by the last digits of the tag
	own     *writer     // of the lines of Exim's own files
}

// tagged is the writer of the lines with a tag.
type tagged struct {
	tag    uint32
	lines  postfix.Lines
	writer *writer
}

func newScanner(o Options, seed maphash.Seed) *scanner {
	s := &scanner{
		options: o,
		postfix: postfix.New(relaylens.Texts{}).Reader(),
		writers: newWriters(seed),
		logs:    make(map[string]*framing),
	}
	s.setTexts(o.Texts)
	return s
}

func (s *scanner) setTexts(texts map[relaylens.MTA]relaylens.Texts) {
	s.postfix.SetTexts(texts[relaylens.Postfix])
	s.grammars = [4]relaylens.Grammar{
		relaylens.Postfix:  postfix.New(texts[relaylens.Postfix]),
		relaylens.Exim:     exim.New(texts[relaylens.Exim]).Reader(),
		relaylens.Sendmail: sendmail.New(texts[relaylens.Sendmail]).Reader(),
	}
}

func (s *scanner) log(name string) *framing {
	f := s.logs[name]
	if f == nil {
		f = &framing{decoder: syslog.NewDecoder(syslog.Options{Location: s.options.Location}), mta: s.options.MTA}
		s.logs[name] = f
	}
	return f
}

func (s *scanner) scan(b *relaylens.Batch, into *Scanned) {
	if len(b.Lines) == 0 {
		into.reset("", b.Warm)
		return
	}
	into.reset(b.Lines[0].Source, b.Warm)
	f := s.log(into.source)
	f.decoder.Keep(into.arena)
	reference := b.Reference.Unix()
	lines := b.Lines
	for i := range lines {
		line := &lines[i]
		if f.decoder.Native() {
			if text, ok := f.decoder.BeginNative(line.Text); ok {
				s.native(f, line, text, into)
				continue
			}
		} else if begin := f.decoder.Begin(line.Text, reference); begin.Tag != 0 {
			s.begun(f, line, &begin, into)
			continue
		}
		r := into.next()
		status := f.decoder.Decode(line, b.Reference, &r.env)
		if f.decoder.Joined() {
			env := r.env
			s.join(f, into)
			r = into.next()
			r.env = env
		}
		switch status {
		case syslog.Ready:
			s.record(f, line, r, into)
		case syslog.Malformed:
			r.env, r.line, r.verdict = relaylens.Envelope{}, line, relaylens.Malformed
			into.keep()
		default:
			into.counts[ResultIgnored]++
		}
	}
	into.arena = f.decoder.Kept()
}

// join reads the split records that the last line showed to be complete. Their
// last pieces were counted as ignored when they came; of an array on one line each
// object after the first counts as a line.
func (s *scanner) join(f *framing, into *Scanned) {
	var line relaylens.Line
	for r, end := into.next(), int64(0); f.decoder.Pop(&r.env, &line); r = into.next() {
		ignored, own := into.counts[ResultIgnored], line
		first := own.End == 0 || own.End != end
		switch end = own.End; {
		case !first:
			s.record(f, &own, r, into)
			continue
		case s.record(f, &own, r, into):
			into.joined++
		}
		into.counts[ResultIgnored] = ignored
	}
}

// flush reads the split records that no further line will complete.
func (s *scanner) flush(name string, into *Scanned) {
	f := s.log(name)
	into.reset(name, false)
	f.decoder.Flush()
	s.join(f, into)
}

// begun reads a line whose beginning is read.
func (s *scanner) begun(f *framing, line *relaylens.Line, b *syslog.Beginning, into *Scanned) {
	t := &f.writers[b.Tag%uint32(len(f.writers))]
	if t.tag != b.Tag {
		r := into.next()
		f.decoder.Fill(b, &r.env)
		s.know(f, t, &r.env)
	}
	switch rt := t.writer.route; {
	case t.lines != postfix.LinesNone:
		if s.short(f, t, line, b, into) {
			return
		}
	case rt.mta == relaylens.MTANone && rt.tries == 0 && f.mta == relaylens.MTANone:
		into.counts[ResultForeign]++
		now, _ := f.decoder.Time()
		f.passed(now, into)
		return
	}
	r := into.next()
	f.decoder.Fill(b, &r.env)
	s.read(f, t.writer, line, r, into)
}

// know finds whose lines those with the tag of env are.
func (s *scanner) know(f *framing, t *tagged, env *relaylens.Envelope) {
	*t = tagged{tag: env.Tag, writer: s.writers.find(env)}
	if rt := t.writer.route; rt.mta == relaylens.Postfix && rt.sure && (f.mta == relaylens.MTANone || f.mta == rt.mta) {
		t.lines = postfix.LinesOf(env.Program)
	}
}

// passed takes in that a line told nothing but the time.
func (f *framing) passed(now *time.Time, into *Scanned) {
	if second := now.Unix(); second != f.second && !now.IsZero() {
		f.second = second
		into.notes = append(into.notes, note{before: int32(len(into.records)), of: int32(len(into.times))})
		into.times = append(into.times, *now)
	}
}

// record reads one complete record, whose envelope stands in r, the next of into, and
// reports whether it told something.
func (s *scanner) record(f *framing, line *relaylens.Line, r *scannedRecord, into *Scanned) (told bool) {
	if r.env.Continuation {
		into.counts[ResultIgnored]++
		f.passed(&r.env.Time, into)
		return false
	}
	if r.env.Tag == 0 {
		return s.read(f, s.writers.find(&r.env), line, r, into)
	}
	t := &f.writers[r.env.Tag%uint32(len(f.writers))]
	if t.tag != r.env.Tag {
		s.know(f, t, &r.env)
	}
	return s.read(f, t.writer, line, r, into)
}

// read reads a record that w wrote, and reports whether it told something.
func (s *scanner) read(f *framing, w *writer, line *relaylens.Line, r *scannedRecord, into *Scanned) (told bool) {
	mta, verdict, sure := s.parse(f, w, &r.env, &r.rec)
	switch {
	case verdict == relaylens.Parsed, verdict == relaylens.Malformed && sure:
		second := r.env.Time.Unix()
		r.line, r.writer, r.mta, r.second, r.verdict = line, w, mta, second, verdict
		r.keys = w.keys(r, s.writers.seed)
		if r.rec.Event.Kind.Refusal() && !r.rec.Copied && !s.options.NoIDs {
			r.rec.Event.ID = relaylens.NewID(line, 0) // now that the processor has the text at hand
		}
		if verdict == relaylens.Parsed && into.note(f, r, s.options.Brief) {
			return true
		}
		if into.keep(); !r.env.Time.IsZero() {
			f.second = second
		}
		return true
	case sure:
		into.counts[ResultIgnored]++
	default:
		into.counts[ResultForeign]++
	}
	f.passed(&r.env.Time, into)
	return false
}

// parse finds the grammar and lets it read env into rec. sure is false when
// neither configuration nor name nor content proved whose line it is.
func (s *scanner) parse(f *framing, w *writer, env *relaylens.Envelope, rec *relaylens.Record) (mta relaylens.MTA, v relaylens.Verdict, sure bool) {
	if env.Native {
		if f.mta != relaylens.MTANone && f.mta != relaylens.Exim {
			return 0, relaylens.Ignored, false
		}
		return relaylens.Exim, s.grammars[relaylens.Exim].Parse(env, rec), true
	}
	switch rt := w.route; {
	case rt.mta != relaylens.MTANone:
		if f.mta != relaylens.MTANone && f.mta != rt.mta {
			return 0, relaylens.Ignored, false
		}
		if rt.mta != relaylens.Postfix {
			return rt.mta, s.grammars[rt.mta].Parse(env, rec), rt.sure
		}
		if w.read == nil {
			w.read = s.postfix.For(w.program)
		}
		return rt.mta, w.read(env, rec), rt.sure
	case f.mta != relaylens.MTANone:
		v = s.grammars[f.mta].Parse(env, rec)
		return f.mta, v, v == relaylens.Parsed
	case w.route.tries == 0 || env.Program == "":
		return 0, relaylens.Ignored, false
	}
	w.route.tries--
	for _, mta := range relaylens.MTAs() {
		if v = s.grammars[mta].Parse(env, rec); v == relaylens.Parsed {
			w.route.mta = mta
			return mta, v, true
		}
	}
	return 0, relaylens.Ignored, false
}
