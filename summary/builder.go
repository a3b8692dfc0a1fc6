package summary

import (
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/aggregate"
	"github.com/relaylens/relaylens/internal/bounded"
)

const (
	// maxValues are counted exactly in each list; beyond, see [aggregate.Top].
	maxValues = 1 << 14
	// maxKept is how much of a value is kept: more than any valid domain, login
	// or host name has, so that only nonsense is cut.
	maxKept = 256
)

// Span is a half-open stretch of time; a zero bound is open.
type Span struct{ Since, Until time.Time }

func (s Span) contains(t time.Time) bool {
	return (s.Since.IsZero() || !t.Before(s.Since)) && (s.Until.IsZero() || t.Before(s.Until))
}

// Before is the span of the same length that ends where s begins; the zero Span
// when s is open.
func (s Span) Before() Span {
	if s.Since.IsZero() || s.Until.IsZero() {
		return Span{}
	}
	return Span{s.Since.Add(-s.Until.Sub(s.Since)), s.Since}
}

// The lists of a summary. What a remote server refused is in the last one only,
// what this server refused in all the others.
const (
	fieldClient = iota
	fieldNetwork
	fieldUser
	fieldSenderDomain
	fieldRecipientDomain
	fieldRemote
	numFields
)

var listFields = [numFields]string{"client_ip", "client_net", "user", "sender_domain", "recipient_domain", "remote_host"}

// ListFields are the fields of which a summary lists the largest values.
func ListFields() []string { return listFields[:] }

// series is one line of the time line: each kind of what this server refused,
// and what remote servers refused.
type series int

const (
	seriesRemote = series(4)
	numSeries    = 5
	numKinds     = 4 // those of this server
)

func seriesOf(kind relaylens.Kind, direction relaylens.Direction) series {
	if direction == relaylens.Outbound {
		return seriesRemote
	}
	return series(kind - relaylens.KindRelayDenied)
}

// Builder counts the refusals of a span, and of the span before for comparison,
// in bounded memory and in any order. It is not safe for concurrent use.
type Builder struct {
	span, before Span
	whole        bool // all is in span
	now, then    tally
	context      [256]int64 // by kind
	actions      [256]int64 // by action
}

// NewBuilder counts what is in span, and compares with before; the zero Span
// compares with nothing.
func NewBuilder(span, before Span) *Builder {
	b := &Builder{span: span, before: before, whole: span == Span{}}
	b.now.init()
	b.then.init()
	return b
}

// Sketch has the report tell the distinct values of each list in a form that
// can be merged with another's. It is called before anything is added.
func (b *Builder) Sketch() {
	for i := range b.now.distinct {
		b.now.distinct[i] = aggregate.NewDistinct()
	}
}

// tally is what was counted of one span.
type tally struct {
	events      int64
	first, last time.Time
	what        whats
	hosts       hosts
	mtas        [4]int64
	lists       [numFields]*aggregate.Top[seen]
	notes       bounded.Texts // of lists
	answered    []byte        // by a remote server last
	random      uint64        // that nobody else knows
	buf         [64]byte      // of an address
	rest        [numFields]rest
	waiting     waiting
	hist        histogram
	distinct    [numFields]*aggregate.Distinct // nil: nobody wants them
}

func (t *tally) init() {
	t.what.init()
	t.hosts.init()
	for i := range t.lists {
		t.lists[i] = aggregate.NewTop(maxValues, func(v *seen) { t.notes.Forget(&v.note) })
	}
	t.random = t.lists[fieldClient].Hash("address")
	t.hist.init()
}

// rest are events of a list whose values are not known any more.
type rest struct{ events, bound int64 }

// tally is the one that an event of time t belongs to; nil for none.
func (b *Builder) tally(t time.Time) *tally {
	if b.whole || b.span.contains(t) {
		return &b.now
	}
	if b.before != (Span{}) && b.before.contains(t) {
		return &b.then
	}
	return nil
}

// Add counts one event. Events that are no refusals are only counted; e is not
// kept.
func (b *Builder) Add(e *relaylens.Event) {
	switch t := b.tally(e.Time); {
	case t == nil:
	case e.Refusal():
		t.open(e)
		t.cause(e)
	case t == &b.now:
		b.addContext(e)
	}
}

// AddOpen is Add for a refusal whose cause is not known yet. AddCause, of the same event
// with its cause, has to follow some time.
func (b *Builder) AddOpen(e *relaylens.Event) {
	if t := b.tally(e.Time); t != nil {
		t.open(e)
	}
}

// AddCause completes AddOpen.
func (b *Builder) AddCause(e *relaylens.Event) {
	if t := b.tally(e.Time); t != nil {
		t.cause(e)
	}
}

// open counts a refusal in everything that does not ask for its cause.
func (t *tally) open(e *relaylens.Event) {
	s := seriesOf(e.Kind, e.Direction)
	t.add(e.Time, e.Host, e.MTA, s, 1)
	t.widen(e.Time)
	if e.Direction == relaylens.Outbound {
		t.answer(t.value(fieldRemote, t.remote(e), s, e.Time, e.Time, 1), e)
		return
	}
	t.inbound(e, s)
}

// cause counts a refusal by what the closed lists say of it.
func (t *tally) cause(e *relaylens.Event) {
	t.what.add(What{e.Kind, e.Direction, e.Reason, e.Cause, e.ReplyClass()}, 1)
}

// addContext counts what is no refusal.
func (b *Builder) addContext(e *relaylens.Event) {
	if e.Kind.Refusal() {
		b.actions[e.Action]++
	} else {
		b.context[e.Kind]++
	}
}

// Largest are the n values of a list that had the most events in the span. What
// is asked of the span before need be asked of them only.
func (b *Builder) Largest(field string, n int) []string {
	i := slices.Index(listFields[:], field)
	if i < 0 {
		return nil
	}
	b.now.settle()
	var values []string
	for _, e := range b.now.largest(i, n) {
		values = append(values, e.Key)
	}
	return values
}

// Note tells of a value what only its events do: the latest event e of a client
// or a remote server that was counted with AddValue.
func (b *Builder) Note(e *relaylens.Event) {
	b.now.settle()
	if e.Direction == relaylens.Outbound {
		remote := b.now.lists[fieldRemote]
		b.now.answer(remote.Find(remote.Hash(b.now.remote(e))), e)
		return
	}
	if e.ClientIP.IsValid() {
		b.now.note(b.now.lists[fieldClient].Find(b.now.clientHash(e.ClientIP)), e.ClientName)
	}
}

// LastSeen is when a value of a list last had an event; zero when it had none.
func (b *Builder) LastSeen(field, value string) time.Time {
	b.now.settle()
	if i := slices.Index(listFields[:], field); i >= 0 {
		if v := b.now.lists[i].Find(b.now.hash(i, value)); v != nil {
			return v.last.time()
		}
	}
	return time.Time{}
}

// Total is a number of refusals that are alike in What.
type Total struct {
	Time   time.Time     // the beginning of a stretch of time
	Length time.Duration // of the stretch, an hour at most
	Host   string
	MTA    relaylens.MTA
	What   What
	Events int64
}

// AddTotal counts refusals that were added up before; the whole stretch of
// time must lie in a span. Their values come with AddValue.
func (b *Builder) AddTotal(total *Total) {
	if t := b.tally(total.Time); t != nil {
		t.add(total.Time, total.Host, total.MTA, seriesOf(total.What.Kind, total.What.Direction), total.Events)
		t.what.add(total.What, total.Events)
		t.hist.least = max(t.hist.least, total.Length)
	}
}

// Value is a number of refusals that are alike in one field.
type Value struct {
	Field       string // one of [ListFields]
	Value       string // empty: of values that are not known any more, see Bound
	Kind        relaylens.Kind
	Events      int64
	First, Last time.Time
	Bound       int64 // with an empty Value: how many events one such value can have had
}

// AddValue counts refusals of one value that were added up before. All of them
// must lie in one span; First says in which.
func (b *Builder) AddValue(v *Value) {
	t := b.tally(v.First)
	if t == nil {
		return
	}
	for i, field := range listFields {
		switch {
		case field != v.Field:
		case v.Value == "":
			t.rest[i].events += v.Events
			t.rest[i].bound += v.Bound
		default:
			s := seriesOf(v.Kind, relaylens.Inbound)
			if i == fieldRemote {
				s = seriesRemote
			}
			t.value(i, v.Value, s, v.First, v.Last, v.Events)
		}
	}
	t.widen(v.First)
	t.widen(v.Last)
}

// add counts n refusals. Those that AddTotal adds carry no times of their own.
func (t *tally) add(at time.Time, host string, mta relaylens.MTA, s series, n int64) {
	t.events += n
	t.hist.add(at.Unix(), s, n)
	if host != "" {
		t.hosts.add(host, n)
	}
	if int(mta) < len(t.mtas) {
		t.mtas[mta] += n
	}
}

func (t *tally) widen(at time.Time) {
	if t.first.IsZero() || at.Before(t.first) {
		t.first = at
	}
	if at.After(t.last) {
		t.last = at
	}
}

// note keeps text with v.
func (t *tally) note(v *seen, text string) {
	if text = cut(text); v != nil && text != "" && t.notes.View(v.note) != text {
		t.notes.Set(&v.note, text)
	}
}

// answer keeps what a remote server said last.
func (t *tally) answer(v *seen, e *relaylens.Event) {
	if v == nil || e.Text == "" && e.Code == 0 {
		return
	}
	buf := t.answered[:0]
	if e.Code != 0 {
		buf = append(strconv.AppendUint(buf, uint64(e.Code), 10), ' ')
	}
	if e.Enhanced != "" {
		buf = append(append(buf, e.Enhanced...), ' ')
	}
	t.answered = append(buf, cut(e.Text)...)
	t.notes.Set(&v.note, cut(unsafe.String(unsafe.SliceData(t.answered), len(t.answered))))
}

// remote names the other server, by its address where it has no name.
func (t *tally) remote(e *relaylens.Event) string {
	if e.RemoteHost == "" && e.RemoteIP.IsValid() {
		return t.addressText(e.RemoteIP)
	}
	return e.RemoteHost
}

// cut bounds what is kept of a value.
func cut(s string) string {
	if len(s) <= maxKept {
		return s
	}
	n := maxKept
	for n > maxKept-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
