package syslog

import (
	"math/rand/v2"
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

// A day that was read once changes nothing of what stamps mean, whatever the zone and
// the reference.
func TestDayReadOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for _, name := range []string{"UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"} {
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		with, without := clock{loc: loc}, clock{loc: loc}
		at := time.Date(2023, 12, 28, 20, 0, 0, 0, loc)
		used := 0
		for range 10_000 {
			at = at.Add(time.Duration(rng.IntN(7200)) * time.Second)
			if rng.IntN(20) == 0 {
				at = at.Add(-3 * time.Hour)
			}
			stamp := at.Format("Jan _2 15:04:05 ")
			ref := at.Add(time.Duration(rng.IntN(400*24)-30) * time.Hour)
			if with.bsdOfDay(stamp, ref.Unix()) {
				used++
			}
			without.bsdDay = bsdDay{}
			got, _, _ := with.bsd(stamp, ref)
			want, _, _ := without.bsd(stamp, ref)
			if got != want || with.last != without.last {
				t.Fatalf("%s: %q by %s is %s, want %s", name, stamp, ref, got, want)
			}
		}
		if used < 500 {
			t.Errorf("%s: the day was known %d times", name, used)
		}
	}
}
