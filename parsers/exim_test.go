package parsers_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers"
)

// TestEximCountsOnce is about the lines of Exim's that tell of one answer.
func TestEximCountsOnce(t *testing.T) {
	const syntax = `SMTP syntax error in "MAIL FROM:<a b@example.com>" H=(pc) [203.0.113.9] malformed address: b@example.com> may not follow <a`
	const thrownOut = `SMTP call from (pc) [203.0.113.9] dropped: too many syntax or protocol errors (last command was "MAIL FROM:<a b@example.com>", C=EHLO,MAIL,MAIL)`
	for name, tc := range map[string]struct {
		log  []string
		want []string
	}{
		"the last of too many errors was told of": {[]string{
			"2026-11-20 09:00:00 " + syntax,
			"2026-11-20 09:00:00 " + thrownOut,
		}, []string{"1: rejected/address_syntax 203.0.113.9  a b@example.com>"}},
		"and so with the process": {[]string{
			"2026-11-20 09:00:00.998 [77] " + syntax,
			"2026-11-20 09:00:01.001 [77] " + thrownOut,
		}, []string{"1: rejected/address_syntax 203.0.113.9  a b@example.com>"}},
		"the last of too many errors was not told of": {[]string{
			"2026-11-20 09:00:00 " + syntax,
			"2026-11-20 09:00:09 " + thrownOut,
		}, []string{"1: rejected/address_syntax 203.0.113.9  a b@example.com>", "2: rejected/protocol 203.0.113.9  >"}},
		"too many other commands were not told of": {[]string{
			"2026-11-20 09:00:00 " + syntax,
			`2026-11-20 09:00:00 SMTP call from (pc) [203.0.113.9] dropped: too many nonmail commands (last was "NOOP")`,
		}, []string{"1: rejected/address_syntax 203.0.113.9  a b@example.com>", "2: rejected/protocol 203.0.113.9  >"}},
		"a child talks to the server, its parent sums up": {[]string{
			"2026-11-20 09:00:00 [77] 1tTaBc-0001Ab-2z H=mx.example.net [192.0.2.25]:25: SMTP error from remote mail server after MAIL FROM:<a@example.com>: 451 4.1.8 no such domain",
			"2026-11-20 09:00:00 [76] 1tTaBc-0001Ab-2z == b@example.net R=dnslookup T=remote_smtp defer (-45) H=mx.example.net [192.0.2.25]:25: SMTP error from remote mail server after MAIL FROM:<a@example.com>: 451 4.1.8 no such domain",
			"2026-11-20 09:00:00 [76] 1tTaBc-0001Ab-2z == c@example.net R=dnslookup T=remote_smtp defer (-45) H=mx.example.net [192.0.2.25]:25: SMTP error from remote mail server after MAIL FROM:<a@example.com>: 451 4.1.8 no such domain",
		}, []string{"1: remote rejected/remote_other invalid IP  >"}},
		"and again at the next attempt, without process ids": {[]string{
			"2026-11-20 09:00:00 1tTaBc-0001Ab-2z H=mx.example.net [192.0.2.25]:25: SMTP error from remote mail server after end of data: 451 4.3.0 no",
			"2026-11-20 09:00:00 1tTaBc-0001Ab-2z == b@example.net R=dnslookup T=remote_smtp defer (-46) H=mx.example.net [192.0.2.25]: SMTP error from remote mail server after end of data: 451 4.3.0 no",
			"2026-11-20 09:00:04 1tTaBc-0001Ab-2z H=mx.example.net [192.0.2.25]:25: SMTP error from remote mail server after end of data: 451 4.3.0 no",
			"2026-11-20 09:00:04 1tTaBc-0001Ab-2z == b@example.net R=dnslookup T=remote_smtp defer (-46) H=mx.example.net [192.0.2.25]: SMTP error from remote mail server after end of data: 451 4.3.0 no",
		}, []string{"1: remote rejected/remote_other invalid IP  >", "3: remote rejected/remote_other invalid IP  >"}},
		"each attempt by another process": {[]string{
			"2026-11-20 09:00:00 [70] 1tTaBc-0001Ab-2z == b@example.net R=dnslookup T=remote_smtp defer (0) H=mx.example.net [192.0.2.25]: SMTP error from remote mail server after initial connection: 421 busy",
			"2026-11-20 09:00:04 [80] 1tTaBc-0001Ab-2z == b@example.net R=dnslookup T=remote_smtp defer (0) H=mx.example.net [192.0.2.25]: SMTP error from remote mail server after initial connection: 421 busy",
		}, []string{"1: remote rejected/remote_other invalid IP  >b@example.net", "2: remote rejected/remote_other invalid IP  >b@example.net"}},
		"a server refuses a recipient and hangs up": {[]string{
			"2026-11-20 09:00:00 1tTaBc-0001Ab-2z H=mx.example.net [192.0.2.25]: SMTP error from remote mail server after RCPT TO:<b@example.net>: 550 5.1.1 no",
			"2026-11-20 09:00:04 1tTaBc-0001Ab-2z ** b@example.net R=dnslookup T=remote_smtp H=mx.example.net [192.0.2.25]: SMTP error from remote mail server after RCPT TO:<b@example.net>: 550 5.1.1 no",
			"2026-11-20 09:00:04 1tTaBc-0001Ab-2z == c@example.net R=dnslookup T=remote_smtp defer (-18) H=mx.example.net [192.0.2.25]: Remote host closed connection in response to pipelined RCPT TO:<c@example.net>",
		}, []string{"1: remote rejected/unknown_recipient invalid IP  >b@example.net"}},
		"two recipients, whom two servers refuse for now, and again later": {[]string{
			"2026-11-20 09:00:00 1tTaBc-0001Ab-2z H=mx1.example.net [192.0.2.25]: SMTP error from remote mail server after RCPT TO:<b@example.net>: 450 4.2.0 no",
			"2026-11-20 09:00:00 1tTaBc-0001Ab-2z H=mx1.example.net [192.0.2.25]: SMTP error from remote mail server after RCPT TO:<c@example.net>: 450 4.2.0 no",
			"2026-11-20 09:00:00 1tTaBc-0001Ab-2z == b@example.net R=dnslookup T=remote_smtp defer (-44) H=mx2.example.net [192.0.2.26]: SMTP error from remote mail server after RCPT TO:<b@example.net>: 450 4.2.0 no",
			"2026-11-20 09:00:00 1tTaBc-0001Ab-2z == c@example.net R=dnslookup T=remote_smtp defer (-44) H=mx2.example.net [192.0.2.26]: SMTP error from remote mail server after RCPT TO:<c@example.net>: 450 4.2.0 no",
			"2026-11-20 09:00:04 1tTaBc-0001Ab-2z H=mx1.example.net [192.0.2.25]: SMTP error from remote mail server after RCPT TO:<b@example.net>: 450 4.2.0 no",
			"2026-11-20 09:00:04 1tTaBc-0001Ab-2z == b@example.net R=dnslookup T=remote_smtp defer (-44) H=mx2.example.net [192.0.2.26]: SMTP error from remote mail server after RCPT TO:<b@example.net>: 450 4.2.0 no",
		}, []string{
			"1: remote rejected/remote_other invalid IP  >b@example.net", "2: remote rejected/remote_other invalid IP  >c@example.net", "3: remote rejected/remote_other invalid IP  >b@example.net",
			"4: remote rejected/remote_other invalid IP  >c@example.net", "5: remote rejected/remote_other invalid IP  >b@example.net", "6: remote rejected/remote_other invalid IP  >b@example.net",
		}},
		"a server hangs up for a recipient": {[]string{
			"2026-11-20 09:00:00 1tTaBc-0001Ab-2z H=mx.example.net [192.0.2.25]: SMTP error from remote mail server after RCPT TO:<b@example.net>: 421 4.7.0 close",
			"2026-11-20 09:00:00 1tTaBc-0001Ab-2z H=mx.example.net [192.0.2.25]: SMTP error from remote mail server after RCPT TO:<b@example.net>: 421 4.7.0 close",
			"2026-11-20 09:00:04 1tTaBc-0001Ab-2z H=mx.example.net [192.0.2.25]: SMTP error from remote mail server after RCPT TO:<b@example.net>: 421 4.7.0 close",
		}, []string{"1: remote rejected/remote_other invalid IP  >b@example.net", "3: remote rejected/remote_other invalid IP  >b@example.net"}},
		"a server that refuses all, before the next one takes them": {[]string{
			"2026-11-20 09:00:00 1tTaBc-0001Ab-2z H=mx1.example.net [192.0.2.25]: SMTP error from remote mail server after initial connection: 554 5.7.1 no",
			"2026-11-20 09:00:00 1tTaBc-0001Ab-2z => b@example.net R=dnslookup T=remote_smtp H=mx2.example.net [192.0.2.26]",
			"2026-11-20 09:00:00 1tTaBc-0001Ab-2z Completed",
		}, []string{"1: remote rejected/remote_other invalid IP  >"}},
		"two servers that refuse all, twice": {[]string{
			"2026-11-20 09:00:00 1tTaBc-0001Ab-2z H=mx1.example.net [192.0.2.25]: SMTP error from remote mail server after initial connection: 421 busy",
			"2026-11-20 09:00:00 1tTaBc-0001Ab-2z H=mx2.example.net [192.0.2.26]: SMTP error from remote mail server after initial connection: 421 busy",
			"2026-11-20 09:00:00 1tTaBc-0001Ab-2z == b@example.net R=dnslookup T=remote_smtp defer (0) H=mx2.example.net [192.0.2.26]: SMTP error from remote mail server after initial connection: 421 busy",
			"2026-11-20 09:00:00 1tTaBc-0001Ab-2z == c@example.net R=dnslookup T=remote_smtp defer (0) H=mx2.example.net [192.0.2.26]: SMTP error from remote mail server after initial connection: 421 busy",
			"2026-11-20 09:15:00 1tTaBc-0001Ab-2z H=mx1.example.net [192.0.2.25]: SMTP error from remote mail server after initial connection: 421 busy",
			"2026-11-20 09:15:00 1tTaBc-0001Ab-2z H=mx2.example.net [192.0.2.26]: SMTP error from remote mail server after initial connection: 421 busy",
			"2026-11-20 09:15:00 1tTaBc-0001Ab-2z == b@example.net R=dnslookup T=remote_smtp defer (0) H=mx2.example.net [192.0.2.26]: SMTP error from remote mail server after initial connection: 421 busy",
		}, []string{"3: remote rejected/remote_other invalid IP  >b@example.net", "1: remote rejected/remote_other invalid IP  >", "7: remote rejected/remote_other invalid IP  >b@example.net", "5: remote rejected/remote_other invalid IP  >"}},
		"LMTP answers for each recipient": {[]string{
			"2026-11-20 09:00:00 1tTaBc-0001Ab-2z == b@example.com R=lmtp T=lmtp defer (0) H=store [192.0.2.27]:24: LMTP error after DATA: 452 4.2.2 mailbox full",
			"2026-11-20 09:00:00 1tTaBc-0001Ab-2z == c@example.com R=lmtp T=lmtp defer (0) H=store [192.0.2.27]:24: LMTP error after DATA: 452 4.2.2 mailbox full",
		}, []string{"1: remote rejected/quota invalid IP  >b@example.com", "2: remote rejected/quota invalid IP  >c@example.com"}},
		"PRDR answers for each recipient, the arrival tells whom": {[]string{
			"2026-11-20 09:00:00 1tTaBc-0001Ab-2z PRDR b@example.com virus",
			"2026-11-20 09:00:00 1tTaBc-0001Ab-2z PRDR R=<c@example.com> temporary refusal",
			"2026-11-20 09:00:00 1tTaBc-0001Ab-2z PRDR R=<d@example.com> acceptance",
			"2026-11-20 09:00:00 1tTaBc-0001Ab-2z <= a@example.net H=(pc) [203.0.113.9] P=esmtp PRDR S=236",
		}, []string{"1: rejected/content 203.0.113.9  a@example.net>b@example.com", "2: rejected/content 203.0.113.9  a@example.net>c@example.com"}},
	} {
		t.Run(name, func(t *testing.T) {
			var log string
			for _, line := range tc.log {
				log += line + "\n"
			}
			if d := cmp.Diff(tc.want, refusals(t, parsers.Options{MTA: relaylens.Exim}, log)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// TestEximDismissedInRejectlogFirst is about the file that tells of the end alone.
func TestEximDismissedInRejectlogFirst(t *testing.T) {
	const syntax = `2026-11-20 09:00:00 SMTP syntax error in "RCPT TO:<b@example.com> FOO" H=(pc) [203.0.113.9] malformed address: FOO may not follow <b@example.com> ` + "\n"
	const thrownOut = `2026-11-20 09:00:00 SMTP call from (pc) [203.0.113.9] dropped: too many syntax or protocol errors (last command was "RCPT TO:<b@example.com> FOO", C=EHLO,MAIL,RCPT,RCPT)` + "\n"
	for name, tc := range map[string]struct {
		mainlog string
		want    int
	}{
		"the last error has a line":                 {syntax + thrownOut, 1},
		"two have one":                              {syntax + syntax + thrownOut, 2},
		"none has one":                              {thrownOut, 1},
		"the next client of the address errs later": {thrownOut + "2026-11-20 09:00:09" + syntax[19:], 2},
	} {
		t.Run(name, func(t *testing.T) {
			p, n := newParser(t, parsers.Options{MTA: relaylens.Exim, Location: time.UTC}), 0
			emit := func(*relaylens.Event) { n++ }
			feed(t, p, "rejectlog", []byte(thrownOut), emit)
			feed(t, p, "mainlog", []byte(tc.mainlog), emit)
			p.Flush(emit)
			if n != tc.want {
				t.Errorf("%d refusals, want %d", n, tc.want)
			}
		})
	}
}
