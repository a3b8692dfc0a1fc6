package parsers_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers"
)

// TestBriefTellsWhoLeftInTrouble is about which visits are told where only causes
// are asked for.
func TestBriefTellsWhoLeftInTrouble(t *testing.T) {
	const denied = "Nov 20 09:00:05 mx1 postfix/smtpd[10]: NOQUEUE: reject: RCPT from pc.example.com[198.51.100.7]: 554 5.7.1 <b@example.net>: Relay access denied; from=<a@example.org> to=<b@example.net> proto=ESMTP helo=<pc>\n"
	const first = "Nov 20 09:00:01 mx1 postfix/smtpd[9]: connect from other.example.com[192.0.2.7]\n"
	const came = "Nov 20 09:00:04 mx1 postfix/smtpd[10]: connect from pc.example.com[198.51.100.7]\n"
	for name, tt := range map[string]struct {
		log  string
		want []string
	}{
		"the first of a program shows that it is there": {first, []string{"09:00:01 connection"}},
		"nothing was refused": {first + came + "Nov 20 09:00:06 mx1 postfix/smtpd[10]: disconnect from pc.example.com[198.51.100.7] ehlo=1 quit=1 commands=2\n",
			[]string{"09:00:01 connection"}},
		"refused": {first + came + denied + "Nov 20 09:00:06 mx1 postfix/smtpd[10]: disconnect from pc.example.com[198.51.100.7] ehlo=1 auth=1 rcpt=0/1 commands=2/3\n",
			[]string{"09:00:01 connection", "09:00:05 relay_denied", "09:00:06 connection"}},
		"refused, and the next client": {first + came + denied + "Nov 20 09:00:07 mx1 postfix/smtpd[10]: connect from pc.example.com[198.51.100.7]\n",
			[]string{"09:00:01 connection", "09:00:05 relay_denied", "09:00:07 connection"}},
		"the beginning is not in the log": {first + "Nov 20 09:00:06 mx1 postfix/smtpd[10]: disconnect from pc.example.com[198.51.100.7] ehlo=1 auth=0/1 commands=1/2\n",
			[]string{"09:00:01 connection", "09:00:06 connection"}},
		"a minute later": {first + "Nov 20 09:01:01 mx1 postfix/smtpd[10]: connect from pc.example.com[198.51.100.7]\n",
			[]string{"09:00:01 connection", "09:01:01 connection"}},
		"refused because it did not wait": {first + came + "Nov 20 09:00:05 mx1 postfix/smtpd[10]: improper command pipelining after EHLO from pc.example.com[198.51.100.7]: MAIL FROM:<a@example.org>\\r\\n\n" +
			"Nov 20 09:00:06 mx1 postfix/smtpd[10]: disconnect from pc.example.com[198.51.100.7] ehlo=0/1 commands=0/1\n",
			[]string{"09:00:01 connection", "09:00:05 rejected", "09:00:06 connection"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newParser(t, parsers.Options{Location: time.UTC, Brief: true})
			var got []string
			emit := func(e *relaylens.Event) { got = append(got, e.Time.Format(time.TimeOnly)+" "+e.Kind.String()) }
			feed(t, p, "test.log", []byte(tt.log), emit)
			p.Flush(emit)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestBriefTellsAllElse is about everything but visits.
func TestBriefTellsAllElse(t *testing.T) {
	for name, log := range corpus(t) {
		t.Run(name, func(t *testing.T) {
			events := func(brief bool) (list []string) {
				p := newParser(t, parsers.Options{Location: time.UTC, Brief: brief, ContextIDs: true})
				emit := func(e *relaylens.Event) {
					if e.Kind != relaylens.KindConnection {
						list = append(list, string(e.AppendJSON(nil)))
					}
				}
				feed(t, p, "test.log", bytes.Join(log, []byte("\n")), emit)
				p.Flush(emit)
				return list
			}
			all, brief := events(false), events(true)
			if !slices.Equal(all, brief) {
				t.Error(cmp.Diff(all, brief))
			}
		})
	}
}
