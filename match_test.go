package relaylens

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

// matched has every sort of field.
func matched() Event {
	e := Event{
		Time: time.Date(2026, 11, 20, 9, 0, 2, 0, time.FixedZone("", 3600)), Host: "mx1.example.com", MTA: Exim, Service: "exim", PID: 7, Kind: KindRelayDenied,
		Direction: Inbound, Stage: StageRcpt, Cause: CauseOpenRelayProbe, ClientIP: netip.MustParseAddr("203.0.113.9"), ClientName: "pc.example.org",
		Sender: "a@Example.COM", Recipient: "b@sub.example.net", Code: 554, Text: "relay not permitted", Source: "mainlog", Line: 3,
		RemoteIP: netip.MustParseAddr("2001:db8::1"),
	}
	line := Line{Text: "line"}
	e.ID = NewID(&line, 0)
	return e
}

func TestMatch(t *testing.T) {
	e := matched()
	for args, want := range map[string]bool{
		"":                                     true,
		"kind=relay_denied":                    true,
		"kind=rejected":                        false,
		"kind=rejected kind=relay_denied":      true,
		"kind=relay_denied code=454":           false,
		"kind=rejected + code=554":             true,
		"kind=rejected + code=454":             false,
		"kind=rejected code=554 + pid=7":       true,
		"client_ip=203.0.113.9":                true,
		"client_ip=::ffff:203.0.113.9":         true,
		"client_ip=203.0.113.0/24":             true,
		"client_ip=203.0.113.77/24":            true, // host bits do not matter
		"client_ip=203.0.113.0/29":             false,
		"client_ip=0.0.0.0/0":                  true,
		"client_ip=::/0":                       false,
		"client_net=203.0.113.200":             true,
		"client_net=203.0.114.1":               false,
		"client_net=203.0.0.0/16":              true,
		"remote_ip=2001:db8::/32":              true,
		"remote_ip=2001:0db8:0::1":             true,
		"sender=a@Example.COM":                 true,
		"sender=a@example.com":                 false, // as typed
		"sender=":                              false,
		"sender=<>":                            false,
		"sender_domain=EXAMPLE.com":            true,
		"sender_domain=example.com.":           true,
		"recipient_domain=example.net":         false,
		"recipient_domain=.example.net":        true,
		"recipient_domain=.sub.Example.net":    true,
		"recipient_domain=.ample.net":          false,
		"recipient_domain=.net":                true,
		"client_name=.example.org":             true,
		"host=mx1.example.com":                 true,
		"code=5xx":                             true,
		"code=5XX":                             true,
		"code=4xx":                             false,
		"code=55x":                             true,
		"code=56x":                             false,
		"class=5xx":                            true,
		"user=":                                true,
		"text=":                                false,
		"code=":                                false,
		"remote_host=":                         true,
		"action=refuse":                        true,
		"action=warn":                          false,
		"mta=exim mta=postfix":                 true,
		"text=relay":                           false,
		"line=3 pid=7 source=mainlog":          true,
		"offset=0":                             true,
		"client_port=0":                        false,
		"time=2026-11-20T08:00:02Z":            true,
		"time=2026-11-20T09:00:02Z":            false,
		"id=" + e.ID.String():                  true,
		"id=" + strings.ToUpper(e.ID.String()): true,
	} {
		t.Run(args, func(t *testing.T) {
			m, err := ParseMatch(strings.Fields(args))
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Event(&e); got != want {
				t.Errorf("selected: %v", got)
			}
		})
	}
	t.Run("null sender", func(t *testing.T) {
		m, err := ParseMatch([]string{"sender="})
		if err != nil {
			t.Fatal(err)
		}
		null := Event{NullSender: true}
		if !m.Event(&null) || m.Event(&Event{}) {
			t.Error("sender= is the null sender, not the unknown one")
		}
	})
	t.Run("class without a code", func(t *testing.T) {
		m, err := ParseMatch([]string{"code=4xx"})
		if err != nil {
			t.Fatal(err)
		}
		if !m.Event(&Event{Class: Class4xx}) {
			t.Error("Exim's refusals for now have no code and are 4xx")
		}
	})
}

func TestMatchErrors(t *testing.T) {
	for args, want := range map[string]string{
		"knd=x":                    `unknown field "knd"; did you mean kind?`,
		"recipientdomain=x":        "did you mean recipient_domain?",
		"zzzzzzzz=x":               `unknown field "zzzzzzzz"`,
		"kind":                     "write it as FIELD=VALUE",
		"kind=relay-denied":        "did you mean relay_denied?",
		"cause=open_relay":         `unknown cause "open_relay"`,
		"class=6xx":                `unknown class "6xx"`,
		"client_ip=here":           "write an address or a network",
		"client_ip=fe80::1%eth0":   "write an address or a network",
		"client_ip=203.0.113.0/33": "write an address or a network",
		"client_net=x":             "client_net=x: write an address",
		"code=zzx":                 "write a code as 554",
		"code=abc":                 "match code=abc: write a code as 554, 55x, 4xx or 5xx",
		"code=5":                   "match code=5: write a code as 554, 55x, 4xx or 5xx",
		"pid=-1":                   "match pid=-1: write a number",
		"pid=\x1b[31m":             `\x1b[31m`,
		"time=today":               "--since",
		"id=12":                    "32 hexadecimal digits",
		"+":                        `"+" stands between`,
		"+ kind=rejected":          `"+" stands between`,
		"kind=rejected + + pid=1":  `"+" stands between`,
		"kind=rejected pid=1 +":    `"+" stands between`,
	} {
		t.Run(args, func(t *testing.T) {
			m, err := ParseMatch(strings.Fields(args))
			if err == nil {
				t.Fatalf("it is %v", m)
			}
			if !strings.Contains(err.Error(), want) {
				t.Errorf("error %q does not say %q", err, want)
			}
		})
	}
}

// Without a field a match selects whatever it selected with it.
func TestMatchWithout(t *testing.T) {
	for args, want := range map[string]string{
		"cause=policy":                       "all",
		"cause=policy kind=rejected":         "kind",
		"kind=rejected + cause=policy":       "all",
		"kind=rejected + cause=policy pid=1": "kind pid",
		"":                                   "all",
	} {
		m, err := ParseMatch(strings.Fields(args))
		if err != nil {
			t.Fatal(err)
		}
		rest := m.Without("cause")
		var fields []string
		for _, g := range rest.Groups() {
			for _, c := range g {
				fields = append(fields, c.Field)
			}
		}
		got := strings.Join(fields, " ")
		if rest.IsZero() {
			got = "all"
		}
		if got != want || rest.Uses("cause") {
			t.Errorf("%q without cause asks for %s, want %s", args, got, want)
		}
	}
}

func TestMatchContext(t *testing.T) {
	for args, want := range map[string]bool{"": false, "kind=rejected": false, "kind=rejected kind=delivered": true, "pid=1 + action=warn": true, "action=refuse": false} {
		m, err := ParseMatch(strings.Fields(args))
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Context(); got != want {
			t.Errorf("%q asks for context: %v", args, got)
		}
	}
}

// Every field can be asked for, and an event has what it is asked for.
func TestMatchFields(t *testing.T) {
	e := matched()
	for _, name := range MatchFields() {
		if !IsMatchField(name) {
			t.Errorf("%s is no field", name)
		}
		value := e.MatchField(name)
		if value == "" && name == "id" {
			continue
		}
		m, err := ParseMatch([]string{name + "=" + value})
		if name == "time" || err == nil {
			if err != nil || !m.Event(&e) {
				t.Errorf("%s=%s: %v", name, value, err)
			}
			continue
		}
		t.Errorf("%s=%s: %v", name, value, err)
	}
}

func TestNetworkOf(t *testing.T) {
	for address, want := range map[string]string{
		"203.0.113.9": "203.0.113.0/24", "::ffff:203.0.113.9": "203.0.113.0/24", "2001:db8:1:2:3::4": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64",
	} {
		if got := NetworkOf(netip.MustParseAddr(address)).String(); got != want {
			t.Errorf("the network of %s is %s, want %s", address, got, want)
		}
	}
	if NetworkOf(netip.Addr{}).IsValid() {
		t.Error("no address has a network")
	}
}

func TestCursor(t *testing.T) {
	e := matched()
	c := CursorOf(&e)
	back, err := ParseCursor(c.String())
	if err != nil || back.ID != c.ID || !back.Time.Equal(c.Time) {
		t.Errorf("%s is read as %v, %v", c, back, err)
	}
	for _, s := range []string{"", "x", "i=12;t=5", "i=" + e.ID.String(), "i=" + e.ID.String() + ";t=", "i=" + e.ID.String() + ";t=zz", e.ID.String() + ";t=5"} {
		if c, err := ParseCursor(s); err == nil {
			t.Errorf("%q is %v", s, c)
		}
	}
}

func TestSuggest(t *testing.T) {
	names := []string{"kind", "client_ip", "recipient_domain"}
	for given, want := range map[string]string{"knid": "kind", "ClientIP": "client_ip", "recipient-domain": "recipient_domain", "recipient_domian": "recipient_domain",
		"": "", "x": "", strings.Repeat("k", 1000): ""} {
		if got := Suggest(given, names); got != want {
			t.Errorf("%.20q: suggested %q, want %q", given, got, want)
		}
	}
}

// Whatever is typed, a match that can be read can be asked, and one that cannot
// says so on one printable line.
func FuzzParseMatch(f *testing.F) {
	for _, s := range []string{"kind=rejected", "client_ip=203.0.113.0/24", "code=5xx + sender=", "recipient_domain=.example.com", "time=2026-11-20T08:00:02Z", "pid=7 pid=8"} {
		f.Add(s)
	}
	e := matched()
	f.Fuzz(func(t *testing.T, text string) {
		args := strings.Split(text, " ")
		m, err := ParseMatch(args)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\x1b\n\r\x00") {
				t.Errorf("error %q", err)
			}
			return
		}
		if m.Event(&e) && !m.Without("kind").Event(&e) {
			t.Errorf("%q selects less without a field", text)
		}
	})
}

func TestMatchAnd(t *testing.T) {
	parsed := func(args ...string) Match {
		m, err := ParseMatch(args)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	e := Event{Kind: KindRelayDenied, Host: "mx1", User: "joe", Code: 554}
	sides := []Match{{}, parsed("kind=relay_denied"), parsed("kind=rejected"), parsed("kind=rejected", "kind=relay_denied"), parsed("host=mx2", "+", "user=joe"),
		parsed("host=mx1", "user=ann", "+", "code=5xx", "host=mx1"), parsed("host=mx2", "+", "user=ann")}
	for i, a := range sides {
		for j, b := range sides {
			if got, want := a.And(b).Event(&e), a.Event(&e) && b.Event(&e); got != want {
				t.Errorf("%d and %d: %t, want %t", i, j, got, want)
			}
		}
	}
	if !(Match{}).And(Match{}).IsZero() {
		t.Error("nothing and nothing asks for something")
	}
}
