package store

import (
	"testing"
)

func TestAlertsAreKept(t *testing.T) {
	dir := t.TempDir()
	for _, state := range []string{"", "[1]", "[2]"} {
		s, err := Open(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Alerts(t.Context())
		if err != nil || string(got) != state {
			t.Errorf("kept %q, %v; want %q", got, err, state)
		}
		next := map[string]string{"": "[1]", "[1]": "[2]", "[2]": "[3]"}[state]
		if err := s.SaveAlerts(t.Context(), []byte(next)); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
