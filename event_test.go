package relaylens

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

func TestDomain(t *testing.T) {
	for address, want := range map[string]string{
		"a@example.com":               "example.com",
		"a@EXAMPLE.Com.":              "example.com",
		`"x@y"@example.org`:           "example.org",
		`"a@example.net"`:             "",
		"postmaster":                  "",
		"":                            "",
		"josé@bücher.example":         "bücher.example",
		"@relay.example:a@b.example":  "b.example",
		`"a\"@evil.example"@real.org`: "real.org",
	} {
		if got := Domain(address); got != want {
			t.Errorf("Domain(%q) = %q, want %q", address, got, want)
		}
	}
}

func TestEventJSON(t *testing.T) {
	zone := time.FixedZone("", 3600)
	full := Event{
		ID: ID{0xab}, Time: time.Date(2026, 1, 2, 3, 4, 5, 120_000_000, zone), TimeDigits: 6,
		Host: "mx1", MTA: Postfix, Service: "submission/smtpd", PID: 4711, QueueID: "4XyZ",
		Kind: KindRelayDenied, Direction: Inbound, Stage: StageRcpt, Cause: CauseRestrictionOrder,
		ClientIP: netip.MustParseAddr("fe80::1%eth0"), ClientName: "pc.example.com", ClientPort: 51234, Helo: "pc", Proto: "ESMTP",
		User: "joe", AuthMethod: "PLAIN", Sender: "a@example.com", Recipient: "b@example.net",
		Code: 554, Enhanced: "5.7.1", Text: "Relay access denied", Source: "/var/log/mail.log", Line: 12, Offset: 0,
	}
	for name, tc := range map[string]struct {
		event Event
		want  string
	}{
		"everything": {full, `{"id":"ab000000000000000000000000000000","time":"2026-01-02T03:04:05.120000+01:00","host":"mx1","mta":"postfix",` +
			`"service":"submission/smtpd","pid":4711,"queue_id":"4XyZ","kind":"relay_denied","direction":"inbound","stage":"rcpt",` +
			`"cause":"restriction_order","client_ip":"fe80::1","client_name":"pc.example.com","client_port":51234,"helo":"pc","proto":"ESMTP",` +
			`"user":"joe","auth_method":"PLAIN","sender":"a@example.com","recipient":"b@example.net","code":554,"class":"5xx","enhanced":"5.7.1",` +
			`"text":"Relay access denied","source":"/var/log/mail.log","line":12,"offset":0}`},
		"null sender":    {Event{NullSender: true}, `{"sender":""}`},
		"unknown sender": {Event{}, `{}`},
		"class without code": {Event{Kind: KindRejected, Reason: ReasonGreylist, Class: Class4xx},
			`{"kind":"rejected","reason":"greylist","class":"4xx"}`},
		"warned only":    {Event{Kind: KindRejected, Reason: ReasonOther, Action: ActionWarn}, `{"kind":"rejected","reason":"other","action":"warn"}`},
		"whole seconds":  {Event{Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}, `{"time":"2026-01-02T03:04:05Z"}`},
		"hostile helo":   {Event{Helo: "\x1b[31m\u202e\xff\"\\<b>"}, `{"helo":"\u001b[31m\u202e` + "\ufffd" + `\"\\\u003cb\u003e"}`},
		"letters kept":   {Event{User: "jürgen"}, `{"user":"jürgen"}`},
		"a tag":          {Event{User: "a\U000e0062"}, `{"user":"a\udb40\udc62"}`},
		"C1 and newline": {Event{User: "a\u009bb\n"}, `{"user":"a\u009bb\u000a"}`},
	} {
		t.Run(name, func(t *testing.T) {
			got := string(tc.event.AppendJSON(nil))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			if !json.Valid([]byte(got)) {
				t.Error("not valid JSON")
			}
		})
	}
}

func FuzzEventJSON(f *testing.F) {
	f.Add("\x1b]0;x\x07", "\xff\xfe\u2028")
	f.Add(`","kind":"relay_denied`, `\u0022`)
	f.Fuzz(func(t *testing.T, helo, user string) {
		e := Event{Helo: helo, User: user, Kind: KindAuthFailed, Reason: ReasonCredentials}
		var back map[string]string
		if err := json.Unmarshal(e.AppendJSON(nil), &back); err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"helo": helo, "user": user} {
			if want := strings.ToValidUTF8(value, "\ufffd"); len([]rune(back[name])) < len([]rune(want)) {
				t.Errorf("%s %q came back as %q", name, value, back[name])
			}
		}
		if back["kind"] != "auth_failed" || back["reason"] != "credentials" {
			t.Errorf("client text changed another field: %v", back)
		}
	})
}

func TestField(t *testing.T) {
	e := Event{Code: 454, Recipient: "b@example.net"}
	for name, want := range map[string]string{"code": "454", "class": "4xx", "recipient": "b@example.net", "user": ""} {
		if got, err := e.Field(name); err != nil || got != want {
			t.Errorf("Field(%q) = %q, %v, want %q", name, got, err, want)
		}
	}
	if _, err := e.Field("nonsense"); err == nil {
		t.Error("an unknown field has a value")
	}
}

func TestCloneAliasesNothing(t *testing.T) {
	line := []byte("host name user from to text helo")
	text := unsafe.String(unsafe.SliceData(line), len(line))
	e := Event{Host: text[0:4], ClientName: text[5:9], User: text[10:14], Sender: text[15:19], Recipient: text[20:22], Text: text[23:27], Helo: text[28:32]}
	c := e.Clone()
	for i := range line {
		line[i] = 'X'
	}
	want := Event{Host: "host", ClientName: "name", User: "user", Sender: "from", Recipient: "to", Text: "text", Helo: "helo"}
	if diff := cmp.Diff(want, c, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

func TestNewID(t *testing.T) {
	line := Line{Text: "NOQUEUE: reject", Origin: NewOrigin("first"), Offset: 100}
	same := line
	same.Source, same.Number = "/var/log/mail.log.1", 7 // renamed by rotation, read from another start
	if NewID(&line, 0) != NewID(&same, 0) {
		t.Error("the name of the file changes the id")
	}
	ids := map[ID]string{NewID(&line, 0): "line"}
	for name, change := range map[string]func(*Line) int{
		"ordinal": func(*Line) int { return 1 },
		"offset":  func(l *Line) int { l.Offset = 101; return 0 },
		"origin":  func(l *Line) int { l.Origin = NewOrigin("other"); return 0 },
		"text":    func(l *Line) int { l.Text = "NOQUEUE: reject!"; return 0 },
		"cursor":  func(l *Line) int { l.Cursor = "s=1"; return 0 },
	} {
		other := line
		id := NewID(&other, change(&other))
		if was, ok := ids[id]; ok {
			t.Errorf("another %s gives the id of %s", name, was)
		}
		ids[id] = name
	}
	var back ID
	text, _ := NewID(&line, 0).MarshalText()
	if err := back.UnmarshalText(text); err != nil || back != NewID(&line, 0) {
		t.Errorf("id does not round-trip: %v", err)
	}
	for _, bad := range []string{"", "zz", strings.Repeat("g", 32), strings.Repeat("0", 33)} {
		if err := back.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("id %q parses", bad)
		}
	}
}

func TestEscaped(t *testing.T) {
	for in, want := range map[string]string{
		"plain@example.com": "plain@example.com",
		"\x1b[2J":           `\x1b[2J`,
		"a\r\nb\tc\x00":     `a\x0d\x0ab\x09c\x00`,
		"\xff":              `\xff`,
		"müller":            "müller",
		"\u202egro.elpmaxe": `\u202egro.elpmaxe`,
		"\u009b31m":         `\u009b31m`,
		"a\U000e0062":       `a\udb40\udc62`,
		"a\u206fb\ufff9":    `a\u206fb\ufff9`,
		"\U0001f600":        "\U0001f600",
	} {
		if got := Escaped(in, 0); got != want {
			t.Errorf("Escaped(%q) = %q, want %q", in, got, want)
		}
	}
	if got := Escaped("0123456789", 4); got != "0123…" {
		t.Errorf("cut to %q", got)
	}
	if got := Escaped("abcü", 4); got != "abc…" {
		t.Errorf("cut inside a letter: %q", got)
	}
}

func TestPhrases(t *testing.T) {
	p, err := NewPhrases([]string{"No Carriage", `/^not (a|our) customer$/`})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		"sorry, no carriage for you": true, "not our customer": true, "Not our customer": false, "carriage": false, "": false,
	} {
		if got := p.Match(text); got != want {
			t.Errorf("Match(%q) = %v", text, got)
		}
	}
	if (&Phrases{}).Match("anything") {
		t.Error("no phrases match something")
	}
	for _, bad := range []string{"", "  ", "//", "/(/"} {
		if _, err := NewPhrases([]string{bad}); err == nil {
			t.Errorf("phrase %q is taken", bad)
		}
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	e := Event{ID: ID{1}, Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Host: "mx1", MTA: Postfix, Service: "smtpd", PID: 1,
		Kind: KindRelayDenied, Direction: Inbound, Stage: StageRcpt, ClientIP: netip.MustParseAddr("203.0.113.9"), Sender: "a@example.com",
		Recipient: "b@example.net", Code: 554, Enhanced: "5.7.1", Text: "Relay access denied", Source: "/var/log/mail.log", Line: 1}
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = e.AppendJSON(buf[:0])
	}
}
