package tailer

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Suffixes count rotations, or tell their date, or neither.
func TestSuffixes(t *testing.T) {
	for suffix, want := range map[string]struct {
		number  int
		counted bool
		dated   bool
	}{
		".0": {0, true, false}, ".1": {1, true, false}, "-12": {12, true, false}, ".99999": {99999, true, false},
		".": {}, "": {}, ".1a": {}, "-debug": {}, "-debug1": {}, ".old": {}, "-x20261121": {}, "--2026112": {},
		"-20261121": {0, false, true}, ".2026-11-21": {0, false, true}, "-20261121T0930": {0, false, true}, "-1763717400": {0, false, true}, "-20261121.1": {0, false, true},
	} {
		number, counted := generation(suffix)
		if !counted {
			number = 0
		}
		if number != want.number || counted != want.counted || dated(suffix) != want.dated {
			t.Errorf("%q: %d, counted %v, dated %v", suffix, number, counted, dated(suffix))
		}
	}
}

// Files come in the order in which they were written: by their numbers, against the times
// of the files only where most of these say that the numbers go up; by their dates; else
// by their times.
func TestByAge(t *testing.T) {
	at := func(minute int) time.Time { return time.Unix(1700000000, 0).Add(time.Duration(minute) * time.Minute) }
	for _, tt := range []struct{ name, given, want string }{ // each a suffix, and when it was changed
		{"shifted", ".1 50, .2 40, .10 30, .0 60", ".10 .2 .1 .0"},
		{"shifted, one was touched", ".1 50, .2 70, .3 30, .0 60", ".3 .2 .1 .0"},
		{"counted on", ".1 10, .2 20, .10 30", ".1 .2 .10"},
		{"the same time", ".1 10, .2 10, .3 10", ".3 .2 .1"},
		{"dates", "-20261121 10, -20261119 30, -20261120 20", "-20261119 -20261120 -20261121"},
		{"dates of two kinds", "-20261121 10, -202611190000 30, -20261120 20", "-20261121 -20261120 -202611190000"},
		{"dates and a number", "-20261121 10, .1 5, -20261120 20", ".1 -20261121 -20261120"},
	} {
		var all []sibling
		for given := range strings.SplitSeq(tt.given, ", ") {
			suffix, changed, _ := strings.Cut(given, " ")
			minute, err := strconv.Atoi(changed)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, sibling{path: "mail.log" + suffix, suffix: suffix, mtime: at(minute)})
		}
		byAge(all)
		var got []string
		for _, c := range all {
			got = append(got, c.suffix)
		}
		if got := strings.Join(got, " "); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// A file is waited for that may become an archive, if that is its name; else what is in it
// is the beginning of a line.
func TestIdentifyShortFile(t *testing.T) {
	dir := t.TempDir()
	for name, want := range map[string]bool{"mail.log.1": true, "mail.log.1.bz2": false, "mail.log.2": true} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("BZ"), 0o600); err != nil {
			t.Fatal(err)
		}
		fi, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		c := newSibling(path, ".1", fi)
		if got := c.identify(openHandle); got != want || !c.origin.IsZero() || c.packed {
			t.Errorf("%s: identified %v, origin %v, packed %v", name, got, c.origin, c.packed)
		}
	}
}
