package summary

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/relaylens/relaylens"
)

func listed() relaylens.Event {
	line := relaylens.Line{Text: "line"}
	return relaylens.Event{
		ID: relaylens.NewID(&line, 0), Time: time.Date(2026, 11, 2, 9, 0, 2, 500_000_000, time.FixedZone("", 3600)), TimeDigits: 3,
		Host: "mx1", MTA: relaylens.Postfix, Service: "smtpd", PID: 100, Kind: relaylens.KindRelayDenied, Direction: relaylens.Inbound,
		ClientIP: netip.MustParseAddr("203.0.113.9"), NullSender: true, Recipient: "b@example.net", Code: 454, Enhanced: "4.7.1", Text: "Relay access denied",
	}
}

func TestListing(t *testing.T) {
	e := listed()
	const message = `relay_denied 454 4.7.1 client=203.0.113.9 from=<> to=<b@example.net> "Relay access denied"`
	for name, c := range map[string]struct {
		list Listing
		want string
	}{
		"short":            {Listing{Format: ListShort}, "Nov  2 09:00:02 mx1 smtpd[100]: " + message + "\n"},
		"short in a zone":  {Listing{Format: ListShort, Location: time.UTC}, "Nov  2 08:00:02 mx1 smtpd[100]: " + message + "\n"},
		"short-iso":        {Listing{Format: ListShortISO, Location: time.UTC}, "2026-11-02T08:00:02.500Z mx1 smtpd[100]: " + message + "\n"},
		"cat":              {Listing{Format: ListCat}, "Relay access denied\n"},
		"short in colours": {Listing{Format: ListShort, Color: true}, "Nov  2 09:00:02 mx1 smtpd[100]: \x1b[33m" + message + "\x1b[0m\n"},
		"verbose": {Listing{Format: ListVerbose, Location: time.UTC}, "Mon 2026-11-02 08:00:02.500000 UTC [" + relaylens.CursorOf(&e).String() + `]
    id=` + e.ID.String() + `
    time=2026-11-02T08:00:02.500Z
    host=mx1
    mta=postfix
    service=smtpd
    pid=100
    kind=relay_denied
    direction=inbound
    action=refuse
    client_ip=203.0.113.9
    sender=
    recipient=b@example.net
    code=454
    class=4xx
    enhanced=4.7.1
    text=Relay access denied
`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := string(c.list.Append(nil, &e)); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
	t.Run("json is the event's own", func(t *testing.T) {
		list := Listing{Format: ListJSON}
		if got, want := string(list.Append(nil, &e)), string(e.AppendJSON(nil))+"\n"; got != want {
			t.Errorf("got %s", got)
		}
	})
	t.Run("the event stays as it was", func(t *testing.T) {
		if e.Time.Hour() != 9 {
			t.Error("its zone was changed")
		}
	})
}

// Whatever strangers wrote, a listing is printable characters and its own lines.
func TestListingOfHostileText(t *testing.T) {
	const hostile = "a\x1b[31mb\nNov 21 fake line\rc\x7f\u009b2J\u202egpj.exe\u2028\xff\""
	e := listed()
	for _, s := range []*string{&e.Host, &e.Service, &e.QueueID, &e.ClientName, &e.Helo, &e.Proto, &e.User, &e.Sender, &e.Recipient, &e.Enhanced,
		&e.Text, &e.RemoteHost, &e.Source, &e.Raw} {
		*s = hostile
	}
	for _, name := range ListFormats() {
		t.Run(name, func(t *testing.T) {
			format, err := ParseListFormat(name)
			if err != nil {
				t.Fatal(err)
			}
			list := Listing{Format: format}
			out := string(list.Append(nil, &e))
			for _, r := range out {
				if !unicode.IsPrint(r) && r != '\n' && r != '\t' {
					t.Errorf("%U is in the output", r)
				}
			}
			lines := strings.Count(out, "\n")
			if one := name != "verbose" && name != "json-pretty"; one && lines != 1 {
				t.Errorf("%d lines:\n%s", lines, out)
			}
			if format.JSON() && !json.Valid([]byte(out)) {
				t.Errorf("no JSON: %s", out)
			}
		})
	}
}

func TestParseListFormat(t *testing.T) {
	if _, err := ParseListFormat("xml"); err == nil || !strings.Contains(err.Error(), "short-iso") {
		t.Errorf("error %v does not say what there is", err)
	}
}
