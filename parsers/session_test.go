package parsers_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers"
)

// TestProcessComesAgain is about what was known of the client that a process
// served before: none of it is the next client's.
func TestProcessComesAgain(t *testing.T) {
	const log = `2026-11-20 09:00:01 [10] 1lnOTl-00037x-Cc <= joe@example.com H=pc.example.com (pc) [198.51.100.7] P=esmtpsa A=plain:joe S=400
2026-11-20 09:10:01 [10] 1lnOUl-00037x-Cc <= eve@example.com H=[203.0.113.9] P=esmtpsa A=login:eve S=400
2026-11-20 09:10:02 [10] H=[203.0.113.9] F=<eve@example.com> rejected RCPT <b@example.net>: relay not permitted
`
	p := newParser(t, parsers.Options{Location: time.UTC})
	var logins, refusals int
	emit := func(e *relaylens.Event) {
		switch {
		case e.Kind == relaylens.KindAuthOK:
			logins++
		case e.Refusal():
			refusals++
			if e.ClientName != "" || e.Helo != "" || e.User != "eve" || e.AuthMethod != "login" {
				t.Errorf("%v is %q, calls itself %q, logged in as %q by %s", e.ClientIP, e.ClientName, e.Helo, e.User, e.AuthMethod)
			}
		}
	}
	feed(t, p, "test.log", []byte(log), emit)
	p.Flush(emit)
	if logins != 2 || refusals != 1 {
		t.Errorf("%d logins and %d refusals, want 2 and 1", logins, refusals)
	}
}

// A refusal for a filter's sake ends no login.
func TestLoginOutlastsFilter(t *testing.T) {
	got := refusals(t, parsers.Options{}, `Nov 20 09:00:01 mx1 sm-mta[10]: AUTH=server, relay=pc.example.com [198.51.100.7], authid=joe, mech=PLAIN, bits=0
Nov 20 09:00:02 mx1 sm-mta[10]: NOQUEUE: SMTP MAIL command (<a@example.org>) from pc.example.com [198.51.100.7] tempfailed (due to previous checks)
Nov 20 09:00:03 mx1 sm-mta[10]: 6ALIS4vR024528: ruleset=check_rcpt, arg1=<b@example.net>, relay=pc.example.com [198.51.100.7], reject=550 5.7.1 <b@example.net>... Relaying denied
`)
	if diff := cmp.Diff([]string{"3: relay_denied 198.51.100.7 joe >b@example.net"}, got); diff != "" {
		t.Error(diff)
	}
}
