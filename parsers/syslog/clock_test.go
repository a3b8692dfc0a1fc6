package syslog

import (
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

// The hour that clocks show twice when summer time ends is read as the two hours that
// it is, by the order of the lines, whatever the framing.
func TestHourThatComesTwice(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Date(2025, 10, 26, 1, 0, 0, 0, berlin)
	for name, layout := range map[string]string{
		"RFC 3164": "Jan _2 15:04:05 mx1 postfix/smtpd[1]: connect from unknown[192.0.2.1]",
		"Exim":     "2006-01-02 15:04:05 no host name found for IP address 192.0.2.1",
	} {
		t.Run(name, func(t *testing.T) {
			d := NewDecoder(Options{Location: berlin})
			for i := range 40 {
				want := begin.Add(time.Duration(i) * 7 * time.Minute)
				var env relaylens.Envelope
				d.Decode(&relaylens.Line{Text: want.Format(layout)}, want.Add(time.Hour), &env)
				if !env.Time.Equal(want) {
					t.Errorf("%s is %v, want %v", want.Format(time.DateTime), env.Time, want)
				}
			}
		})
	}
}
