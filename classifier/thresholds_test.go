package classifier

import (
	"fmt"
	"testing"

	"github.com/relaylens/relaylens"
)

// Each number that a rule counts to is where it says: one less tells something else.
func TestThresholds(t *testing.T) {
	guess := func(l *log, user, from string, pid int) { l.fail(user, from, relaylens.ReasonCredentials, int32(pid)) }
	for name, tc := range map[string]struct {
		of         int
		log        func(l *log, n int)
		below, met relaylens.Cause // final, of the last refusal
	}{
		"users that one client tries": {guessedUsers, func(l *log, n int) {
			for i := range n {
				guess(l, fmt.Sprintf("u%d", i), "203.0.113.9", i)
			}
		}, relaylens.CauseUnknown, relaylens.CauseCredentialGuessing},
		"addresses that one user fails from": {guessedFrom, func(l *log, n int) {
			for i := range n {
				guess(l, "joe", fmt.Sprintf("203.0.113.%d", i), i)
			}
		}, relaylens.CauseUnknown, relaylens.CauseCredentialGuessing},
		"failures of nobody in particular": {guesses, func(l *log, n int) {
			for i := range n {
				guess(l, "", "203.0.113.9", i)
			}
		}, relaylens.CauseUnknown, relaylens.CauseCredentialGuessing},
		"failures in one session": {burst, func(l *log, n int) {
			for range n {
				guess(l, "joe", "203.0.113.9", 1)
			}
		}, relaylens.CauseUnknown, relaylens.CauseCredentialGuessing},
		"domains that a stranger wants before any is known to be ours": {fewDomains + 1, func(l *log, n int) {
			for i := range n {
				l.denied("203.0.113.9", "", "x@example.org", fmt.Sprintf("a@d%d.example", i))
			}
		}, relaylens.CauseUnknown, relaylens.CauseOpenRelayProbe},
		"mail of a program": {2, func(l *log, n int) {
			l.ours()
			for range n {
				l.denied("203.0.113.9", "", "root@example.com", "a@example.net")
			}
		}, relaylens.CauseClientNotAuthenticated, relaylens.CauseClientNotInMynetworks},
	} {
		t.Run(name, func(t *testing.T) {
			for n, want := range map[int]relaylens.Cause{tc.of - 1: tc.below, tc.of: tc.met} {
				var l log
				tc.log(&l, n)
				if _, final := l.causes(); final[len(final)-1] != want {
					t.Errorf("%d: %v, want %v", n, final[len(final)-1], want)
				}
			}
		})
	}
}
