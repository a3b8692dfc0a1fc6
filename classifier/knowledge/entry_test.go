package knowledge

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
)

// An entry that is read alone is that of the whole file.
func TestOf(t *testing.T) {
	alone := 0
	for _, c := range append(relaylens.Causes(), relaylens.CauseNone) {
		want := load().Causes[c.String()]
		if diff := cmp.Diff(want, Of(c)); diff != "" {
			t.Errorf("%v (- of the file, + alone):\n%s", c, diff)
		}
		if e, err := decodeEntry(file, c.String()); err == nil && e != nil {
			alone++
		}
	}
	if alone < 20 {
		t.Errorf("%d causes can be read alone", alone)
	}
}
