package syslog

import (
	"testing"
	"time"
)

// What a container runtime stamps has a year and a zone; what runs inside has
// neither, and mostly a clock that shows UTC.
func TestRuntimeStamps(t *testing.T) {
	const text = " mx1 postfix/smtpd[1234]: x"
	for line, want := range map[string]string{
		"2023-05-02T03:04:06.123456789Z stdout F May 02 03:04:05" + text:                                           "2023-05-02T03:04:05Z",
		"2023-05-02T05:04:06.123456789+02:00 stdout F May 02 05:04:05" + text:                                      "2023-05-02T05:04:05+02:00",
		"2023-05-02T03:04:06.123456789Z stdout F May 02 05:04:05" + text:                                           "2023-05-02T05:04:05+02:00",
		"2024-01-01T00:00:00.000456789Z Dec 31 23:59:59" + text:                                                    "2023-12-31T23:59:59Z",
		"postfix-1  | 2023-05-02T03:04:06.123456789Z May 02 03:04:05" + text:                                       "2023-05-02T03:04:05Z",
		`{"log":"Feb 29 03:04:05 mx1 postfix/smtpd[1234]: x\n","stream":"stdout","time":"2020-02-29T03:04:06.1Z"}`: "2020-02-29T03:04:05Z",
		`{"__REALTIME_TIMESTAMP":"1683000246000000","CONTAINER_ID":"ab","MESSAGE":"May 02 04:04:05` + text + `"}`:  "2023-05-02T04:04:05Z",
		"postfix-1  | May 02 03:04:05" + text:                                                                      "2024-05-02T03:04:05+02:00",
		"2023-05-02T03:04:06Z mx1 postfix/smtpd[1234]: x":                                                          "2023-05-02T03:04:06Z",
		"2023-05-02T03:04:06.123456789Z stdout F 2023-05-02T03:04:05Z" + text:                                      "2023-05-02T03:04:05Z",
	} {
		t.Run(line, func(t *testing.T) {
			d := NewDecoder(Options{Location: berlin})
			got := run(d, reference, line)
			if want := want + " mx1|postfix/smtpd|1234|x"; len(got) != 1 || got[0] != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
	t.Run("in pieces, the last one missing", func(t *testing.T) {
		got := run(NewDecoder(Options{Location: time.UTC}), reference,
			"2023-05-02T03:04:06.1Z stdout P May 02 03:04:05"+text, "2024-07-02T03:04:06.1Z stderr F starting up")
		if want := "popped at 1: 2023-05-02T03:04:05Z mx1|postfix/smtpd|1234|x"; len(got) != 3 || got[2] != want {
			t.Errorf("got %q, want %q at the end", got, want)
		}
	})
}
