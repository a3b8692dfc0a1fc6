package parsers_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens/parsers"
)

// TestSASLDetail is about what Cyrus SASL says of a failed login in lines of its
// own, before the line that counts.
func TestSASLDetail(t *testing.T) {
	const (
		down        = "SASL authentication failure: cannot connect to saslauthd server: No such file or directory"
		unreadable  = "SASL authentication problem: unable to open Berkeley db /etc/sasldb2: Invalid argument"
		nobody      = "SASL authentication failure: no secret in database"
		blank       = "SASL authentication failure: All-whitespace username."
		half        = "SASL authentication failure: Can only find author (no password)"
		another     = "SASL authentication failure: Requested identity not authenticated identity"
		notVerified = "SASL authentication failure: Password verification failed"

		failed = "unknown[203.0.113.9]: SASL PLAIN authentication failed: "
		user   = ", sasl_username=joe"
	)
	for name, tc := range map[string]struct {
		warnings []string
		want     []string
	}{
		"the daemon is down":          {[]string{down, notVerified, failed + "generic failure" + user}, []string{"3: auth_failed/backend 203.0.113.9 joe >"}},
		"the database cannot be read": {[]string{unreadable, notVerified, failed + "generic failure" + user}, []string{"3: auth_failed/backend 203.0.113.9 joe >"}},
		"no more than that it failed": {[]string{notVerified, failed + "generic failure" + user}, []string{"2: auth_failed/backend 203.0.113.9 joe >"}},
		"a wrong password":            {[]string{notVerified, failed + "authentication failure" + user}, []string{"2: auth_failed/credentials 203.0.113.9 joe >"}},
		"no such user":                {[]string{nobody, failed + "authentication failure" + user}, []string{"2: auth_failed/credentials 203.0.113.9 joe >"}},
		"no user name":                {[]string{blank, failed + "generic failure, sasl_username=(unavailable)"}, []string{"2: auth_failed/malformed 203.0.113.9  >"}},
		"another's mailbox":           {[]string{another, failed + "authentication failure" + user}, []string{"2: auth_failed/policy 203.0.113.9 joe >"}},
		"half an answer, then a wrong password": {[]string{half, failed + "bad protocol / cancel" + user, notVerified, failed + "authentication failure" + user},
			[]string{"2: auth_failed/malformed 203.0.113.9 joe >", "4: auth_failed/credentials 203.0.113.9 joe >"}},
	} {
		t.Run(name, func(t *testing.T) {
			const tag = "Nov 20 09:00:00 mx1 postfix/smtpd[10]: warning: "
			got := refusals(t, parsers.Options{}, tag+strings.Join(tc.warnings, "\n"+tag)+"\n")
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
