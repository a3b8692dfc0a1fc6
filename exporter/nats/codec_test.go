package nats

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/relaylens/relaylens"
)

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func newCodec(t testing.TB) (*encoder, *decoder) {
	t.Helper()
	e, err := newEncoder("main", "local.example")
	if err != nil {
		t.Fatal(err)
	}
	d, err := newDecoder("main", func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.zstd.Close)
	return e, d
}

// refusal has every field that a store keeps.
func refusal(n int) relaylens.Event {
	line := relaylens.Line{Text: fmt.Sprint("line ", n)}
	return relaylens.Event{
		ID: relaylens.NewID(&line, n), Time: now.Add(time.Duration(n)*time.Second + 123_456*time.Microsecond).In(time.FixedZone("", 3600)), TimeDigits: 6,
		Host: "mx1.example.com", MTA: relaylens.Postfix, Service: "submission/smtpd", PID: int32(4000 + n), QueueID: "4XyZ",
		Kind: relaylens.KindRejected, Direction: relaylens.Inbound, Stage: relaylens.StageRcpt, Reason: relaylens.ReasonDNSBL, Cause: relaylens.CauseClientBlocklisted,
		ClientIP: netip.AddrFrom4([4]byte{203, 0, byte(n >> 8), byte(n)}), ClientName: "pc.example.net", ClientPort: 40_000, Helo: "pc \xff\x00", Proto: "ESMTP",
		User: "joe", AuthMethod: "PLAIN", Sender: fmt.Sprintf("a%d@example.org", n), Recipient: "b@example.com", Code: 554, Enhanced: "5.7.1",
		Text: "Service unavailable; Client host blocked", RemoteHost: "mx.example.org", RemoteIP: netip.MustParseAddr("2001:db8::1"),
		Source: "/var/log/mail.log", Line: int64(3 * n), Offset: int64(300 * n),
	}
}

func sparse() relaylens.Event {
	return relaylens.Event{ID: relaylens.ID{7}, Time: now.Add(-time.Hour), MTA: relaylens.Exim, Kind: relaylens.KindRelayDenied, NullSender: true, Class: relaylens.Class5xx}
}

var compare = cmp.Options{
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b time.Time) bool {
		return a.Equal(b) && a.Format(time.RFC3339Nano) == b.Format(time.RFC3339Nano)
	}),
}

// unpack decodes messages and checks what their subjects say.
func unpack(t testing.TB, d *decoder, messages []message) (all relaylens.Shipment) {
	t.Helper()
	for _, m := range messages {
		s, untimely, err := d.decode(m.subject, m.data)
		if err != nil || untimely > 0 || s.Len() != m.events {
			t.Fatalf("%s: %d untimely, %d of %d, %v", m.subject, untimely, s.Len(), m.events, err)
		}
		all.Events = append(all.Events, s.Events...)
		all.Revised = append(all.Revised, s.Revised...)
		all.Context = append(all.Context, s.Context...)
	}
	return all
}

func TestWhatIsShippedArrives(t *testing.T) {
	e, d := newCodec(t)
	p := &relaylens.Parcel{Events: []relaylens.Event{refusal(1), refusal(2), sparse()},
		Revised: []relaylens.Event{{ID: relaylens.ID{3}, Host: "mx1", MTA: relaylens.Postfix, Kind: relaylens.KindRelayDenied, Cause: relaylens.CauseOpenRelayProbe,
			Time: time.Date(2026, 11, 20, 9, 30, 0, 5, time.FixedZone("", 3600))}},
		Context: []relaylens.Tally{
			{Count: 3, Event: relaylens.Event{Time: now, Host: "mx1", MTA: relaylens.Exim, Kind: relaylens.KindAuthOK, ClientIP: netip.MustParseAddr("192.0.2.1"), User: "joe"}},
			{Count: 1, Event: relaylens.Event{Time: now.Add(time.Minute), Host: "mx1", MTA: relaylens.Exim, Kind: relaylens.KindDelivered, NullSender: true, Recipient: "@example.com"}},
		}}
	messages := e.messages(p)
	var got []string
	for _, m := range messages {
		got = append(got, m.subject)
	}
	want := []string{"relaylens.main.mx1_example_com.postfix.rejected", "relaylens.main.local_example.exim.relay_denied",
		"relaylens.main.mx1.postfix.revised", "relaylens.main.mx1.exim.context"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("subjects: -want +got\n%s", diff)
	}
	all := unpack(t, d, messages)
	p.Events[2].Host = "local.example" // a log that does not say is this host's
	if diff := cmp.Diff(p.Events, all.Events, compare); diff != "" {
		t.Errorf("events: -want +got\n%s", diff)
	}
	if diff := cmp.Diff([]relaylens.Revision{{ID: relaylens.ID{3}, Cause: relaylens.CauseOpenRelayProbe, Time: time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)}}, all.Revised); diff != "" {
		t.Errorf("revised: -want +got\n%s", diff)
	}
	if diff := cmp.Diff(p.Context, all.Context, compare); diff != "" {
		t.Errorf("context: -want +got\n%s", diff)
	}
}

// A message is known by the events in it, however often it is made.
func TestMessageIDs(t *testing.T) {
	e, _ := newCodec(t)
	one := e.messages(&relaylens.Parcel{Events: []relaylens.Event{refusal(1)}})[0]
	if id := refusal(1).ID; one.id != id.String() {
		t.Errorf("the id of a single event is %s, that of its message %s", id, one.id)
	}
	p := &relaylens.Parcel{Events: []relaylens.Event{refusal(1), refusal(2)}}
	first := e.messages(p)[0]
	if again := e.messages(p)[0]; again.id != first.id || !bytes.Equal(again.data, first.data) {
		t.Error("the same parcel gives another message")
	}
	p.Events[0].Cause = relaylens.CauseUnknown
	if again := e.messages(p)[0]; again.id != first.id {
		t.Error("another cause gives another id; it travels by itself")
	}
	p.Events = append(p.Events, refusal(3))
	if e.messages(p)[0].id == first.id || one.id == first.id {
		t.Error("other events give the same id")
	}
	r := &relaylens.Parcel{Revised: p.Events[:1]}
	a := e.messages(r)[0].id
	r.Revised[0].Cause = relaylens.CausePolicy
	if b := e.messages(r)[0].id; a == b || !strings.HasSuffix(b, "-revised") {
		t.Errorf("revisions to two causes: %s and %s", a, b)
	}
}

func TestLongParcelsAreSplit(t *testing.T) {
	e, d := newCodec(t)
	p := &relaylens.Parcel{}
	for n := range 3 * batchEvents / 2 {
		p.Events = append(p.Events, refusal(n))
	}
	for n := range 12 {
		big := refusal(n)
		big.ID[0]++
		big.Text = strings.Repeat(fmt.Sprintf("%08d", n), relaylens.MaxLine/8)
		p.Events = append(p.Events, big)
	}
	messages := e.messages(p)
	if len(messages) < 4 {
		t.Errorf("%d messages", len(messages))
	}
	for _, m := range messages {
		if len(m.data) > maxPayload {
			t.Errorf("a message has %d bytes", len(m.data))
		}
	}
	if diff := cmp.Diff(p.Events, unpack(t, d, messages).Events, compare); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// A minute's events of one server need few bytes each, ids and all. The figure
// for real logs is in docs/fleet.md.
func TestEventsAreSmall(t *testing.T) {
	e, _ := newCodec(t)
	p := &relaylens.Parcel{}
	for n := range 50 {
		p.Events = append(p.Events, refusal(n*7))
	}
	if m := e.messages(p); len(m) != 1 || len(m[0].data) > 50*60 {
		t.Errorf("%d bytes an event", len(m[0].data)/50)
	}
}

func TestTokensAreUnique(t *testing.T) {
	for name, want := range map[string]string{
		"mx1": "mx1", "mx1.example.com": "mx1_example_com", "mx1_example.com": "mx1=5Fexample_com", "a=5Fb": "a=3D5Fb",
		"*": "=2A", ">": "=3E", "a b": "a=20b", "": "", "mäx": "m=C3=A4x",
	} {
		if got := Token(name); got != want {
			t.Errorf("Token(%q) = %q, want %q", name, got, want)
		}
	}
}

// seal makes a message of a raw shipment.
func seal(e *encoder, raw []byte) []byte { return e.zstd.EncodeAll(raw, []byte{version}) }

func header(host, mta, kind string) []byte {
	b := appendText(nil, fieldHost, host)
	b = appendText(b, fieldMTA, mta)
	b = appendText(b, fieldKind, kind)
	return appendSigned(b, fieldTime, now.Unix())
}

func nested(b []byte, n protowire.Number, inner []byte) []byte { return appendBytes(b, n, inner) }

func TestHostileMessages(t *testing.T) {
	e, d := newCodec(t)
	const here = "relaylens.main.mx1.postfix.relay_denied"
	id := bytes.Repeat([]byte{1}, 16)
	event := appendBytes(nil, eventID, id)
	h := header("mx1", "postfix", "relay_denied")
	for _, tt := range []struct {
		name    string
		subject string
		data    []byte
		want    error
	}{
		{"another fleet", "relaylens.other.mx1.postfix.relay_denied", seal(e, nested(h, fieldEvents, event)), errSubject},
		{"too few tokens", "relaylens.main.mx1.postfix", seal(e, h), errSubject},
		{"nothing", here, nil, errVersion},
		{"another version", here, []byte{99, 1, 2}, errVersion},
		{"no frame", here, []byte{version, 1, 2}, errPayload},
		{"large", here, append([]byte{version}, make([]byte, maxPayload)...), errTooLarge},
		{"a bomb", here, seal(e, make([]byte, maxRaw+1)), errTooLarge},
		{"another host", here, seal(e, nested(header("mx2", "postfix", "relay_denied"), fieldEvents, event)), errHost},
		{"a host whose dots are underscores", "relaylens.main.a_b.postfix.relay_denied", seal(e, nested(header("a_b", "postfix", "relay_denied"), fieldEvents, event)), errHost},
		{"another mta", here, seal(e, nested(header("mx1", "exim", "relay_denied"), fieldEvents, event)), errHost},
		{"another kind", here, seal(e, nested(header("mx1", "postfix", "rejected"), fieldEvents, event)), errHost},
		{"a second host after the first", here, seal(e, nested(append(nested(h, fieldEvents, event), header("mx2", "postfix", "relay_denied")...), fieldEvents, event)), errPayload},
		{"no host", here, seal(e, nested(nil, fieldEvents, event)), errPayload},
		{"no id", here, seal(e, nested(h, fieldEvents, appendText(nil, eventUser, "joe"))), errPayload},
		{"a short id", here, seal(e, nested(h, fieldEvents, appendBytes(nil, eventID, id[:5]))), errPayload},
		{"an address of five bytes", here, seal(e, nested(h, fieldEvents, appendBytes(event, eventClientIP, id[:5]))), errPayload},
		{"a long text", here, seal(e, nested(h, fieldEvents, appendText(event, eventText, strings.Repeat("x", maxText+1)))), errPayload},
		{"a port that is none", here, seal(e, nested(h, fieldEvents, appendNumber(event, eventClientPort, 1<<20))), errPayload},
		{"a revision among events", here, seal(e, nested(h, fieldRevised, appendBytes(nil, revisionID, id))), errPayload},
		{"many events", here, seal(e, bytes.Join([][]byte{h, bytes.Repeat(nested(nil, fieldEvents, event), maxThings+1)}, nil)), errPayload},
		{"cut short", here, seal(e, nested(h, fieldEvents, event)[:len(h)+9]), errPayload},
		{"accepted mail as an event", "relaylens.main.mx1.postfix.accepted", seal(e, nested(header("mx1", "postfix", "accepted"), fieldEvents, event)), errPayload},
		{"a refusal as context", "relaylens.main.mx1.postfix.context",
			seal(e, nested(header("mx1", "postfix", kindContext), fieldContext, appendNumber(appendText(nil, tallyKind, "rejected"), tallyCount, 1))), errPayload},
		{"a count of a whole life", "relaylens.main.mx1.postfix.context",
			seal(e, nested(header("mx1", "postfix", kindContext), fieldContext, appendNumber(appendText(nil, tallyKind, "accepted"), tallyCount, 1<<31))), errPayload},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _, err := d.decode(tt.subject, tt.data)
			if !errors.Is(err, tt.want) {
				t.Errorf("got %+v, %v; want %v", s, err, tt.want)
			}
		})
	}
}

// An event of the next century would make all others old, and the store keeps
// by age. It is left out and the rest is not.
func TestUntimelyEventsAreLeftOut(t *testing.T) {
	e, d := newCodec(t)
	early, late, fine := refusal(1), refusal(2), refusal(3)
	early.Time, late.Time = time.Time{}, now.AddDate(100, 0, 0)
	m := e.messages(&relaylens.Parcel{Events: []relaylens.Event{early, late, fine}})[0]
	s, untimely, err := d.decode(m.subject, m.data)
	if err != nil || untimely != 2 {
		t.Fatalf("%d untimely: %v", untimely, err)
	}
	if diff := cmp.Diff([]relaylens.Event{fine}, s.Events, compare); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// Later versions add words and fields.
func TestNewWordsClaimLeast(t *testing.T) {
	e, d := newCodec(t)
	event := appendBytes(nil, eventID, bytes.Repeat([]byte{1}, 16))
	event = appendText(event, eventReason, "moon_phase")
	event = appendText(event, eventCause, "astrology")
	event = appendText(event, 99, "new")
	event = appendNumber(event, 98, 1)
	s, _, err := d.decode("relaylens.main.mx1.postfix.sender_verify", seal(e, nested(header("mx1", "postfix", "sender_verify"), fieldEvents, event)))
	if err != nil || len(s.Events) != 1 || s.Events[0].Reason != relaylens.ReasonUnverified || s.Events[0].Cause != relaylens.CauseUnknown {
		t.Errorf("%+v: %v", s, err)
	}
}

// FuzzDecode: whatever comes, it is refused or it is within bounds, speaks for
// the host of its subject alone, and comes out the same when it is sent on.
func FuzzDecode(f *testing.F) {
	e, d := newCodec(f)
	p := &relaylens.Parcel{Events: []relaylens.Event{refusal(1), refusal(2)}, Revised: []relaylens.Event{refusal(3)},
		Context: []relaylens.Tally{{Count: 2, Event: relaylens.Event{Time: now, Host: "mx1.example.com", MTA: relaylens.Postfix, Kind: relaylens.KindAccepted, Sender: "a@example.com"}}}}
	for _, m := range e.messages(p) {
		raw, err := d.zstd.DecodeAll(m.data[1:], nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(strings.TrimPrefix(m.subject, "relaylens.main."), raw)
	}
	f.Fuzz(func(t *testing.T, tail string, raw []byte) {
		subject := "relaylens.main." + tail
		s, _, err := d.decode(subject, seal(e, raw))
		if err != nil {
			return
		}
		if s.Len() > maxThings {
			t.Fatalf("%d things", s.Len())
		}
		for i := range s.Events {
			ev := &s.Events[i]
			if !strings.HasPrefix(tail, Token(ev.Host)+"."+ev.MTA.String()+"."+ev.Kind.String()) || !ev.Kind.Refusal() || ev.ID.IsZero() ||
				ev.Time.After(now.Add(maxAhead+time.Second)) || ev.Time.Before(oldest) {
				t.Fatalf("on %q: %+v", tail, ev)
			}
		}
		for i := range s.Context {
			if c := &s.Context[i]; Token(c.Event.Host) != tail[:strings.IndexByte(tail, '.')] || c.Event.Kind.Refusal() || c.Count > maxCount {
				t.Fatalf("on %q: %+v", tail, c)
			}
		}
		if len(s.Events) == 0 || s.Events[0].Host == "" {
			return
		}
		again := unpack(t, d, e.messages(&relaylens.Parcel{Events: s.Events}))
		if diff := cmp.Diff(s.Events, again.Events, compare); diff != "" {
			t.Fatalf("sent on: -want +got\n%s", diff)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	e, _ := newCodec(b)
	p := &relaylens.Parcel{}
	for n := range batchEvents {
		p.Events = append(p.Events, refusal(n))
	}
	for b.Loop() {
		e.messages(p)
	}
	b.ReportMetric(float64(b.N)*batchEvents/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkDecode(b *testing.B) {
	e, d := newCodec(b)
	p := &relaylens.Parcel{}
	for n := range batchEvents {
		p.Events = append(p.Events, refusal(n))
	}
	m := e.messages(p)[0]
	for b.Loop() {
		if _, _, err := d.decode(m.subject, m.data); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*batchEvents/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(len(m.data))/batchEvents, "B/event")
}
