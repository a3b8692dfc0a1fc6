package packed

import (
	"net/netip"
	"reflect"
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
	var z Zone
	for name, want := range map[string]relaylens.Event{"whole": whole, "empty": {Time: time.Unix(0, 0).UTC()}, "mapped address": mapped, "no time": never} {
		t.Run(name, func(t *testing.T) {
			var got relaylens.Event
			buf := Append([]byte("before"), &want)[len("before"):]
			if err := Read(buf, &got, &z); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, same); diff != "" {
				t.Errorf("(- want, + got):\n%s", diff)
			}
			for n := range buf {
				if err := Read(buf[:n], &got, &z); err == nil {
					t.Fatalf("%d of %d bytes are an event", n, len(buf))
				}
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	var buf []byte
	for b.Loop() {
		buf = Append(buf[:0], &whole)
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
