package relaylens

import (
	"encoding/json"
	"net/netip"
	"testing"
	"time"
)

func TestEventJSONIsReadBack(t *testing.T) {
	zone := time.FixedZone("", -3600)
	for _, e := range []Event{
		{},
		{ID: ID{1}, Time: time.Date(2026, 11, 20, 9, 30, 0, 123456000, zone), TimeDigits: 6, Host: "mx1", MTA: Exim, Service: "exim", PID: 7, QueueID: "1a",
			Kind: KindRejected, Direction: Inbound, Stage: StageRcpt, Reason: ReasonGreylist, Cause: CausePolicy, Action: ActionWarn,
			ClientIP: netip.MustParseAddr("192.0.2.1"), ClientName: "pc", ClientPort: 4, Helo: "h\n<", Proto: "esmtp", User: "u", AuthMethod: "m",
			Sender: "a@b", Recipient: "c@d", Code: 450, Enhanced: "4.7.1", Text: "t", RemoteHost: "r", RemoteIP: netip.MustParseAddr("2001:db8::1"),
			Source: "/l", Line: 3, Offset: 9, Raw: "raw"},
		{ID: ID{2}, Time: time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC), Kind: KindRelayDenied, NullSender: true, Class: Class5xx},
	} {
		text := e.AppendJSON(nil)
		var got Event
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if again := got.AppendJSON(nil); string(again) != string(text) || got.NullSender != e.NullSender {
			t.Errorf("read back:\n%s\nwant\n%s", again, text)
		}
	}
	for _, text := range []string{`{"kind":"moon"}`, `{"time":"now"}`, `{"client_ip":"x"}`, `[]`} {
		var e Event
		if err := json.Unmarshal([]byte(text), &e); err == nil {
			t.Errorf("%s is read as %+v", text, e)
		}
	}
}
