package packed

import (
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

var whole = relaylens.Event{
	ID: relaylens.ID{1, 2, 3}, Time: time.Date(2026, 11, 20, 9, 0, 0, 123_456_789, time.FixedZone("", -3600)), TimeDigits: 6, Host: "mx1",
	MTA: relaylens.Exim, Service: "smtpd", PID: -7, QueueID: "4X", Kind: relaylens.KindSenderVerify, Direction: relaylens.Outbound,
	Stage: relaylens.StageRcpt, Reason: relaylens.ReasonNullMX, Cause: relaylens.CausePolicy, Action: relaylens.ActionHold, Class: relaylens.Class4xx,
	ClientIP: netip.MustParseAddr("2001:db8::1"), ClientName: "pc", ClientPort: 65535, Helo: "\xff\x00", Proto: "ESMTP", User: "joe", AuthMethod: "PLAIN",
	Sender: "a@example.org", NullSender: true, Recipient: "b@example.com", Code: 554, Enhanced: "5.7.1", Text: "no", RemoteHost: "mx2",
	RemoteIP: netip.MustParseAddr("203.0.113.9"), Source: "mail.log", Line: 1 << 40, Offset: 1 << 50, Raw: "raw",
}

var same = cmp.Options{
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b time.Time) bool {
		return a.Equal(b) && a.Format(time.RFC3339Nano) == b.Format(time.RFC3339Nano)
	}),
}

// What is read is what was written: no field is left out, but for Given.
func TestRead(t *testing.T) {
	v := reflect.ValueOf(whole)
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; v.Field(i).IsZero() != (name == "Given") {
			t.Fatalf("%s is not tested", name)
		}
	}
	mapped, never := whole, whole
	mapped.ClientIP, mapped.Time = netip.MustParseAddr("::ffff:192.0.2.1"), whole.Time.UTC()
	never.Time = time.Time{}
	long := whole
	long.Text = strings.Repeat("y", maxName+1)
	long.Host = strings.Repeat("x", maxName+1)
	elsewhere := whole // another zone than the event before has
	elsewhere.Time = whole.Time.In(time.FixedZone("", 5*3600+1800))
	var p Packing
	for name, want := range map[string]relaylens.Event{"whole": whole, "empty": {Time: time.Unix(0, 0).UTC()}, "mapped address": mapped, "no time": never, "long name": long, "elsewhere": elsewhere} {
		t.Run(name, func(t *testing.T) {
			var got relaylens.Event
			buf := p.Append([]byte("before"), &want)[len("before"):]
			if err := p.Read(buf, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, same); diff != "" {
				t.Errorf("(- want, + got):\n%s", diff)
			}
			for n := range buf {
				if err := p.Read(buf[:n], &got); err == nil {
					t.Fatalf("%d of %d bytes are an event", n, len(buf))
				}
			}
		})
	}
}

// Names that are too many are as good as others.
func TestManyNames(t *testing.T) {
	var p Packing
	var packed [][]byte
	name := func(i int) string { return "mx" + strconv.Itoa(i%(maxNames+100)) }
	for i := range 3 * maxNames {
		packed = append(packed, p.Append(nil, &relaylens.Event{Host: name(i), Source: name(i / 2)}))
	}
	if len(p.names) != maxNames {
		t.Errorf("%d names are kept, want %d", len(p.names), maxNames)
	}
	for i, buf := range packed {
		var e relaylens.Event
		if err := p.Read(buf, &e); err != nil || e.Host != name(i) || e.Source != name(i/2) {
			t.Fatalf("event %d is of %s in %s (%v), want %s in %s", i, e.Host, e.Source, err, name(i), name(i/2))
		}
	}
}

// What servers say again and again takes no room, be there much that they say once.
func TestTextsThatComeAgain(t *testing.T) {
	var p Packing
	text := func(i int) string {
		switch {
		case i%3 == 0:
			return "Relay access denied, of which nothing else is said"
		case i%3 == 1:
			return "no " + strconv.Itoa(i/12) // four times
		}
		return "no such user: " + strconv.Itoa(i)
	}
	const events = 12 * (maxTexts + 100)
	var packed [events][]byte
	for i := range packed {
		packed[i] = p.Append(nil, &relaylens.Event{Text: text(i)})
	}
	if p.texts != maxTexts || len(p.names) != maxTexts {
		t.Errorf("%d texts of %d names are kept, want %d", p.texts, len(p.names), maxTexts)
	}
	if n, most := len(packed[6]), len(packed[5])-len(text(5)); n > most {
		t.Errorf("a text that comes again takes %d bytes with its event, want %d at most", n, most)
	}
	for i, buf := range packed {
		var e relaylens.Event
		if err := p.Read(buf, &e); err != nil || e.Text != text(i) {
			t.Fatalf("event %d says %q (%v), want %q", i, e.Text, err, text(i))
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	var buf []byte
	var p Packing
	for b.Loop() {
		buf = p.Append(buf[:0], &whole)
	}
}

func BenchmarkCloneInto(b *testing.B) {
	var buf []byte
	var e relaylens.Event
	for b.Loop() {
		e, buf = whole.CloneInto(buf)
	}
	_ = e
}
