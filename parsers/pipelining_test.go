package parsers_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens/parsers"
)

// TestPipelining is about smtpd_forbid_unauth_pipelining: whether a client that
// spoke out of turn was refused, only the counts of its session tell.
func TestPipelining(t *testing.T) {
	const (
		connect  = "Nov 20 09:00:00 mx1 postfix/smtpd[10]: connect from unknown[203.0.113.9]"
		improper = `Nov 20 09:00:00 mx1 postfix/smtpd[10]: improper command pipelining after EHLO from unknown[203.0.113.9]: MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\n`
		reject   = "Nov 20 09:00:01 mx1 postfix/smtpd[10]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 5.7.1 <b@example.net>: Relay access denied; from=<a@example.org> to=<b@example.net> proto=ESMTP helo=<x>"
		end      = "Nov 20 09:00:01 mx1 postfix/smtpd[10]: disconnect from unknown[203.0.113.9] "
	)
	for name, tc := range map[string]struct {
		log  []string
		want []string
	}{
		"forbidden":                       {[]string{connect, improper, end + "ehlo=0/1 commands=0/1"}, []string{"2: rejected/protocol 203.0.113.9  >"}},
		"forbidden after TLS":             {[]string{connect, improper, end + "ehlo=1/2 starttls=1 commands=2/3"}, []string{"2: rejected/protocol 203.0.113.9  >"}},
		"forbidden after HELO":            {[]string{connect, strings.Replace(improper, "EHLO", "HELO", 1), end + "helo=0/1 commands=0/1"}, []string{"2: rejected/protocol 203.0.113.9  >"}},
		"forbidden, with ports":           {[]string{connect, strings.Replace(improper, "]: MAIL", "]:4711: MAIL", 1), strings.Replace(end, "9] ", "9]:4711 ", 1) + "ehlo=0/1 commands=0/1"}, []string{"2: rejected/protocol 203.0.113.9  >"}},
		"let through":                     {[]string{connect, improper, end + "ehlo=1 mail=1 quit=1 commands=3"}, nil},
		"let through, refused later":      {[]string{connect, improper, reject, end + "ehlo=1 mail=1 rcpt=0/1 commands=2/3"}, []string{"3: relay_denied 203.0.113.9  a@example.org>b@example.net"}},
		"another command than hello":      {[]string{connect, strings.Replace(improper, "EHLO", "DATA", 1), end + "ehlo=0/1 commands=0/1"}, nil},
		"the end was not logged":          {[]string{connect, improper, connect, end + "ehlo=0/1 commands=0/1"}, nil},
		"of another session":              {[]string{connect, improper, strings.Replace(end, "[10]", "[11]", 1) + "ehlo=0/1 commands=0/1"}, nil},
		"forbidden before the greeting":   {[]string{connect, strings.Replace(improper, "EHLO", "CONNECT", 1), end + "commands=0/0"}, []string{"2: rejected/protocol 203.0.113.9  >"}},
		"let through before the greeting": {[]string{connect, strings.Replace(improper, "EHLO", "CONNECT", 1), end + "unknown=0/1 commands=0/1"}, nil},
		"the client's words in front":     {[]string{connect, strings.Replace(improper, "MAIL FROM", " from x[192.0.2.1]: MAIL FROM", 1), end + "ehlo=0/1 commands=0/1"}, []string{"2: rejected/protocol 203.0.113.9  >"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := refusals(t, parsers.Options{}, strings.Join(tc.log, "\n")+"\n")
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
