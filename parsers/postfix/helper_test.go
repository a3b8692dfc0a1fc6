package postfix

import (
	"testing"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/parsers/parsertest"
)

// TestHelper is about what a warning says of a milter, a policy service or a table.
func TestHelper(t *testing.T) {
	for text, want := range map[string]struct {
		helper relaylens.Helper
		name   string
	}{
		"connect to Milter service inet:127.0.0.1:8891: Connection refused":                                         {relaylens.HelperMilter, "inet:127.0.0.1:8891"},
		"connect to Milter service unix:/run/x/milter.sock: No such file or directory":                              {relaylens.HelperMilter, "unix:/run/x/milter.sock"},
		"milter inet:localhost:8891: can't read SMFIC_OPTNEG reply packet header: Connection timed out":             {relaylens.HelperMilter, "inet:localhost:8891"},
		"milter local:/run/f.sock: can't read SMFIC_BODYEOB reply packet header: Application error":                 {relaylens.HelperMilter, "local:/run/f.sock"},
		"milter inet:localhost:8891: EOF while reading data: Connection reset by peer":                              {relaylens.HelperMilter, "inet:localhost:8891"},
		"milter inet:localhost:8891: unreasonable packet length: 1195725856 > 1073741824":                           {relaylens.HelperMilter, "inet:localhost:8891"},
		"memcache:/etc/postfix/mc.cf lookup error for 'b@example.com'":                                              {relaylens.HelperTable, "memcache:/etc/postfix/mc.cf"},
		"dict_sqlite_lookup: /etc/postfix/v.cf: SQL step failed for query 'SELECT 1': no such table: v":             {relaylens.HelperTable, "sqlite"},
		"problem talking to server private/policy: Connection refused":                                              {relaylens.HelperPolicy, "private/policy"},
		"problem talking to server 127.0.0.1:10023: Connection timed out":                                           {relaylens.HelperPolicy, "127.0.0.1:10023"},
		`tcp:127.0.0.1:9997 lookup error for "b@example.com"`:                                                       {relaylens.HelperTable, "tcp:127.0.0.1:9997"},
		`proxy:mysql:/etc/postfix/virtual.cf lookup error for "x ldap:y lookup error for z"`:                        {relaylens.HelperTable, "proxy:mysql:/etc/postfix/virtual.cf"},
		"table socketmap:inet:127.0.0.1:9996:box lookup error: Connection refused":                                  {relaylens.HelperTable, "socketmap:inet:127.0.0.1:9996:box"},
		"hash:/etc/postfix/corrupt is unavailable. open database /etc/postfix/corrupt.db: Invalid argument":         {relaylens.HelperTable, "hash:/etc/postfix/corrupt"},
		"connect to mysql server db.example.com: Can't connect to MySQL server on 'db.example.com' (111)":           {relaylens.HelperTable, "mysql"},
		"connect to pgsql server 127.0.0.1: connection to server at \"127.0.0.1\", port 5432 failed":                {relaylens.HelperTable, "pgsql"},
		"pgsql query failed: fatal error from host 127.0.0.1: ERROR:  relation \"v\" does not exist":                {relaylens.HelperTable, "pgsql"},
		"dict_ldap_connect: Unable to bind to server ldap://127.0.0.1:389 with dn : -1 (Can't contact LDAP server)": {relaylens.HelperTable, "ldap"},
		"connect to TCP map 127.0.0.1:9997: Connection refused":                                                     {relaylens.HelperTable, "127.0.0.1:9997"},
		"virtual_mailbox_domains: mysql:/etc/postfix/domains.cf: table lookup problem":                              {relaylens.HelperTable, "mysql:/etc/postfix/domains.cf"},
		"virtual_mailbox_domains: table lookup problem":                                                             {relaylens.HelperTable, "virtual_mailbox_domains"},
		`unknown smtpd restriction: "reject_unknown_sender_domian"`:                                                 {relaylens.HelperConfiguration, "configuration:reject_unknown_sender_domian"},
		`unknown smtpd restriction: "two words"`:                                                                    {relaylens.HelperConfiguration, "configuration"},
		`restriction check_sender_access: bad argument "check_sender_access": need maptype:mapname`:                 {relaylens.HelperConfiguration, "configuration:check_sender_access"},
		"transport_maps lookup failure":                                                                             {},
		"open database /etc/postfix/nosuch: No such file or directory":                                              {},
		"SASL: Connect to Dovecot auth socket 'private/auth' failed: No such file or directory":                     {},
	} {
		t.Run(text, func(t *testing.T) {
			env := parsertest.Syslog("postfix/smtpd[1]: warning: " + text)
			var rec relaylens.Record
			g := New(relaylens.Texts{})
			if v := g.Parse(&env, &rec); v != relaylens.Parsed || rec.Event.Kind != relaylens.KindBackendError {
				t.Fatalf("%s, %s", v, rec.Event.Kind)
			}
			if rec.Helper != want.helper || rec.Event.RemoteHost != want.name {
				t.Errorf("%s %q, want %s %q", rec.Helper, rec.Event.RemoteHost, want.helper, want.name)
			}
			if err := parsertest.Check(g, env); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestWanted is about refusals of which an earlier warning may tell why.
func TestWanted(t *testing.T) {
	for text, want := range map[string]relaylens.Helper{
		"NOQUEUE: milter-reject: MAIL from c[192.0.2.1]: 451 4.7.1 Service unavailable - try again later; from=<S> proto=ESMTP helo=<h>":                relaylens.HelperMilter,
		"NOQUEUE: milter-reject: CONNECT from c[192.0.2.1]: 550 5.5.0 Service unavailable; proto=SMTP":                                                  relaylens.HelperMilter,
		"NOQUEUE: milter-reject: MAIL from c[192.0.2.1]: 451 4.3.5 Server configuration problem - try again later; from=<S> proto=ESMTP helo=<h>":       relaylens.HelperMilter,
		"NOQUEUE: milter-reject: MAIL from c[192.0.2.1]: 451 4.7.1 Try again later; from=<S> proto=ESMTP helo=<h>":                                      relaylens.HelperNone,
		"NOQUEUE: reject: RCPT from c[192.0.2.1]: 451 4.3.5 <R>: Recipient address rejected: Server configuration problem; from=<S> to=<R> proto=ESMTP": relaylens.HelperPolicy,
		"NOQUEUE: reject: RCPT from c[192.0.2.1]: 450 4.7.1 <R>: Recipient address rejected: Greylisted; from=<S> to=<R> proto=ESMTP":                   relaylens.HelperNone,
		"NOQUEUE: reject: RCPT from c[192.0.2.1]: 451 4.3.0 <R>: Temporary lookup failure; from=<S> to=<R> proto=ESMTP":                                 relaylens.HelperTable,
		"NOQUEUE: reject: MAIL from c[192.0.2.1]: 451 4.3.0 Temporary lookup error; proto=ESMTP helo=<h>":                                               relaylens.HelperTable,
		"NOQUEUE: reject: RCPT from c[192.0.2.1]: 451 4.3.5 <S>: Sender address rejected: Server configuration error; from=<S> to=<R> proto=ESMTP":      relaylens.HelperTable,
		"NOQUEUE: reject: MAIL from c[192.0.2.1]: 452 4.3.1 Insufficient system storage; from=<S> proto=ESMTP helo=<h>":                                 relaylens.HelperNone,
	} {
		t.Run(text, func(t *testing.T) {
			env := parsertest.Syslog("postfix/smtpd[1]: " + text)
			var rec relaylens.Record
			if v := New(relaylens.Texts{}).Parse(&env, &rec); v != relaylens.Parsed || rec.Helper != want {
				t.Errorf("%s, helper %q, want %q", v, rec.Helper, want)
			}
		})
	}
}
