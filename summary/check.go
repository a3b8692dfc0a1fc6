package summary

import (
	"errors"
	"slices"
	"strings"

	"github.com/relaylens/relaylens"
)

var errDiagnosis = errors.New("read finding: it cannot be")

// MaxDiagnoses is how many findings a server tells of.
const MaxDiagnoses = 5_000

// Check refuses what no store tells; it may come from anybody. Sums of several
// findings that pass do not overflow, and their texts are safe to show.
func (d *Diagnosis) Check() error {
	const most = 100 // fixes, and steps of one
	ok := possible(&d.Finding) && len(d.Evidence) <= 3 && len(d.Fixes) <= most && showable(d.Title, d.Text)
	for _, f := range d.Fixes {
		ok = ok && len(f.Steps) <= most && f.Rate >= 0 && f.Rate <= 100 && showable(f.Title) && showable(f.Steps...)
	}
	if !ok {
		return errDiagnosis
	}
	return nil
}

// possible reports whether the numbers of a finding can be, and its words be shown.
// What it is about may be a client's text, which is escaped where it is shown.
func possible(f *relaylens.Finding) bool {
	for _, n := range []int{f.Events, f.Errors, f.Clients, f.Users, f.Returns} {
		if !number(int64(n)) {
			return false
		}
	}
	return f.Confidence >= 0 && f.Confidence <= 1 && showable(f.Why)
}

// showable reports whether nothing in texts moves other text about.
func showable(texts ...string) bool {
	return !slices.ContainsFunc(texts, func(s string) bool {
		s = strings.NewReplacer("\n", "", "\t", "").Replace(s)
		return relaylens.Escaped(s, 0) != s
	})
}
