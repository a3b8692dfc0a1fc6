package parsertest

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/relaylens/relaylens"
)

// toy reads "denied CLIENT rcpt=RECIPIENT"; spoil breaks its contract on purpose.
type toy struct {
	spoil func(env *relaylens.Envelope, rec *relaylens.Record)
	last  bool // takes the last address, wherever it stands
}

func (toy) MTA() relaylens.MTA { return relaylens.Postfix }

func (g toy) Parse(env *relaylens.Envelope, rec *relaylens.Record) relaylens.Verdict {
	rest, ok := strings.CutPrefix(env.Text, "denied ")
	if !ok {
		if g.spoil != nil {
			g.spoil(env, rec)
		}
		return relaylens.Ignored
	}
	client, rcpt, ok := strings.Cut(rest, " rcpt=")
	if !ok {
		return relaylens.Malformed
	}
	if i := strings.LastIndex(rest, " ["); g.last && i >= 0 {
		client, _, _ = strings.Cut(rest[i+2:], "]")
	}
	rec.Event.Kind, rec.Event.Direction = relaylens.KindRelayDenied, relaylens.Inbound
	rec.Event.ClientIP, _ = netip.ParseAddr(client)
	rec.Event.Recipient = rcpt
	if g.spoil != nil {
		g.spoil(env, rec)
	}
	return relaylens.Parsed
}

func TestRunPassesAnHonestGrammar(t *testing.T) {
	Run(t, toy{}, Envelopes(Syslog, "mta[12]: denied 192.0.2.1 rcpt=a@example.net"), Envelopes(Syslog, "mta[12]: hello", "mta: denied"))
}

func TestCheckFindsWhatIsBroken(t *testing.T) {
	calls := 0
	for name, spoil := range map[string]func(*relaylens.Envelope, *relaylens.Record){
		"caller's field":    func(_ *relaylens.Envelope, r *relaylens.Record) { r.Event.PID = 1 },
		"invented text":     func(_ *relaylens.Envelope, r *relaylens.Record) { r.Event.Text = "invented" },
		"invented address":  func(_ *relaylens.Envelope, r *relaylens.Record) { r.Event.RemoteIP = netip.MustParseAddr("192.0.2.99") },
		"reason of another": func(_ *relaylens.Envelope, r *relaylens.Record) { r.Event.Reason = relaylens.ReasonDNSBL },
		"no direction":      func(_ *relaylens.Envelope, r *relaylens.Record) { r.Event.Direction = relaylens.DirectionNone },
		"no reason":         func(_ *relaylens.Envelope, r *relaylens.Record) { r.Event.Kind = relaylens.KindRejected },
		"not a reply":       func(_ *relaylens.Envelope, r *relaylens.Record) { r.Event.Code = 999 },
		"positive reply":    func(_ *relaylens.Envelope, r *relaylens.Record) { r.Event.Code = 250 },
		"two senders":       func(_ *relaylens.Envelope, r *relaylens.Record) { r.Event.Sender, r.Event.NullSender = "a", true },
		"child alone":       func(_ *relaylens.Envelope, r *relaylens.Record) { r.Child = "a" },
		"nothing":           func(_ *relaylens.Envelope, r *relaylens.Record) { *r = relaylens.Record{} },
		"envelope":          func(e *relaylens.Envelope, _ *relaylens.Record) { e.Host = "x" },
		"not deterministic": func(_ *relaylens.Envelope, r *relaylens.Record) { calls++; r.Event.Line = 0; r.Hold = calls%2 == 0 },
	} {
		if err := Check(toy{spoil: spoil}, Syslog("mta: denied 192.0.2.1 rcpt=a@example.net")); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	wrote := toy{spoil: func(_ *relaylens.Envelope, r *relaylens.Record) { r.Hold = true }}
	if err := Check(wrote, Syslog("mta: hello")); err == nil {
		t.Error("record written to on a miss: no error")
	}
}

func TestTruncateFindsAnotherClient(t *testing.T) {
	env := Syslog("mta: denied 192.0.2.15 rcpt=a [192.0.2.16]")
	if err := Truncate(toy{}, env); err != nil {
		t.Error(err)
	}
	if err := Truncate(toy{last: true}, env); err == nil {
		t.Error("no error although the client changes")
	}
}

func TestInject(t *testing.T) {
	render := func(v string) relaylens.Envelope {
		return Syslog("mta: denied 192.0.2.1 rcpt=" + v)
	}
	if err := Inject(toy{}, render); err != nil {
		t.Error(err)
	}
	if err := Inject(toy{last: true}, render); err == nil {
		t.Error("no error although the last address wins")
	}
}

func TestSyslog(t *testing.T) {
	for line, want := range map[string]relaylens.Envelope{
		"postfix/smtpd[12]: a: b": {Program: "postfix/smtpd", PID: 12, Text: "a: b"},
		"exim: a":                 {Program: "exim", Text: "a"},
	} {
		if got := Syslog(line); got != want {
			t.Errorf("%q: %+v", line, got)
		}
	}
}

func TestUndo(t *testing.T) {
	for in, want := range map[string]string{`a\\b`: `a\b`, `\t\n\303\244`: "\t\nä", `\`: `\`, `\"`: `"`, `\12`: "12"} {
		if got := Undo(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
