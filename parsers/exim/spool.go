package exim

import (
	"strings"

	"github.com/relaylens/relaylens"
)

// failings begin and end the lines of messages that are refused for a fault of this
// server's: a function of the site's own, or a file that could not be written. They are
// all that is logged of it. receive.c, receive_msg, run_mime_acl
var failings = [...]struct {
	begin, end string
	copied     bool
}{
	{"Spool write error: ", "", false},
	{"local_scan() function ", ")", true},
	{"invalid return ", " from local_scan(). Temporary rejection given", false},
	{"acl_smtp_mime: error while creating mbox spool file", "", false},
}

// noCertificate reads "TLS error on connection from HOST (cert/key setup: cert={file} key={file}):
// {why}" of GnuTLS and its like of OpenSSL: STARTTLS is answered 454. tls-gnu.c, tls-openssl.c
func noCertificate(text string, rec *relaylens.Record) relaylens.Verdict {
	s, ok := strings.CutPrefix(text, "TLS error on connection from ")
	if !ok {
		return relaylens.Ignored
	}
	h, rest, n := oneHost(s, ofCertificate)
	if n == 0 {
		return relaylens.Ignored
	}
	if _, rest = cutTokens(rest, false); n > 1 {
		h, rest, rec.Tainted = host{}, s[strings.LastIndex(s, " ("):], true
	}
	refused(&h, relaylens.StageHelo, relaylens.ReasonResources, strings.TrimPrefix(rest, " "), rec)
	rec.Event.Class, rec.Event.RemoteHost = relaylens.Class4xx, relaylens.Certificate
	return relaylens.Parsed
}

func ofCertificate(s string) bool {
	_, s = cutTokens(s, false)
	return hasAnyPrefix(s, " (cert/key setup: ", " (SSL_CTX_use_certificate", " (SSL_CTX_use_PrivateKey", " (SSL_CTX_check_private_key")
}

// failed reads one of them. All are answered 451 or 452.
func failed(text string, rec *relaylens.Record) relaylens.Verdict {
	if text[0] == 'T' {
		return noCertificate(text, rec)
	}
	for i := range failings {
		f := &failings[i]
		if text[0] != f.begin[0] || !strings.HasPrefix(text, f.begin) || !strings.HasSuffix(text, f.end) {
			continue
		}
		rec.Copied = f.copied
		refused(&host{}, relaylens.StageEOD, relaylens.ReasonResources, text, rec)
		rec.Event.Class = relaylens.Class4xx
		if f.begin[0] == 'S' {
			rec.Event.RemoteHost = relaylens.Disk
		}
		return relaylens.Parsed
	}
	return relaylens.Ignored
}
