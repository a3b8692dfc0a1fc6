package config

import (
	"strings"
	"testing"
)

// TestFalsePagesPerMonth: a bound that is missed is named, with what may be written.
func TestFalsePagesPerMonth(t *testing.T) {
	for value, want := range map[string]string{
		"1":      "",
		"1000":   "",
		"0":      "0 is out of bounds",
		"-1":     "-1 is out of bounds",
		"1001":   "1001 is out of bounds",
		"0.5":    "false_pages_per_month",
		"1e-300": "false_pages_per_month",
	} {
		t.Run(value, func(t *testing.T) {
			_, err := Load(LoadOptions{File: writeFile(t, "alerting:\n  false_pages_per_month: "+value+"\n"), Environ: []string{}})
			switch {
			case want == "" && err != nil:
				t.Error(err)
			case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
				t.Errorf("%v, want %q", err, want)
			}
		})
	}
}
