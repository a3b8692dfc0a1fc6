package summary

import (
	"testing"
	"time"
)

func TestLength(t *testing.T) {
	const day = 24 * time.Hour
	for d, want := range map[time.Duration]string{
		day:                                "24h",
		7 * day:                            "7d",
		36 * time.Hour:                     "36h",
		90 * time.Minute:                   "90m",
		59*time.Second + time.Millisecond:  "59s",
		3*time.Hour + 20*time.Second:       "3h0m20s",
		2*day + 12*time.Hour + time.Second: "2.5d",
		2517*day + 19*time.Hour + 1e9:      "2518d",
	} {
		if got := length(d); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
}
