package exim

import (
	"strings"

	"github.com/relaylens/relaylens"
)

// failings begin and end the lines of what is refused for a fault of this server's: a
// function of the site's own, or a file that could not be written. They are all that is
// logged of it, and the client is not told. The space checks are
// "{spool|log} directory space check failed: space={n} inodes={n}".
// receive.c, receive_msg, run_mime_acl, receive_check_fs
var failings = [...]struct {
	begin, end string
	stage      relaylens.Stage
	lacks      string
	copied     bool
}{
	{begin: "Spool write error: ", stage: relaylens.StageEOD, lacks: relaylens.Disk},
	{begin: "spool directory space check failed: ", stage: relaylens.StageMail, lacks: relaylens.Disk},
	{begin: "log directory space check failed: ", stage: relaylens.StageMail, lacks: relaylens.Disk},
	{begin: "local_scan() function ", end: ")", stage: relaylens.StageEOD, copied: true},
	{begin: "invalid return ", end: " from local_scan(). Temporary rejection given", stage: relaylens.StageEOD},
	{begin: "acl_smtp_mime: error while creating mbox spool file", stage: relaylens.StageEOD},
}

// faultLine reads the refusals for which this server is to blame. All are answered 451,
// 452 or 454.
func faultLine(text string, rec *relaylens.Record) relaylens.Verdict {
	switch {
	case text[0] == 'T':
		return noCertificate(text, rec)
	case text[0] == 'M':
		return notWritten(text, rec)
	}
	for i := range failings {
		f := &failings[i]
		if text[0] != f.begin[0] || !strings.HasPrefix(text, f.begin) || !strings.HasSuffix(text, f.end) {
			continue
		}
		rec.Copied = f.copied
		refused(&host{}, f.stage, relaylens.ReasonResources, text, rec)
		rec.Event.Class, rec.Event.RemoteHost = relaylens.Class4xx, f.lacks
		return relaylens.Parsed
	}
	return relaylens.Ignored
}

// notWritten reads "Message abandoned: Spool write error ({why}) while receiving message from
// HOST", which is answered 451, and so is a header file that cannot be written.
// receive.c, receive_msg
func notWritten(text string, rec *relaylens.Record) relaylens.Verdict {
	why, from, ok := strings.Cut(text, " while receiving message from ")
	if !strings.HasPrefix(why, "Message abandoned: Spool write error (") && !strings.HasPrefix(why, "Message abandoned: spool file ") {
		return relaylens.Ignored
	}
	var h host
	if ok {
		var n int
		if h, _, n = oneHost(from, endFollows); n == 0 {
			return relaylens.Ignored // a local user's
		} else if n > 1 {
			h, rec.Tainted = host{}, true
		}
	}
	refused(&h, relaylens.StageEOD, relaylens.ReasonResources, why, rec)
	rec.Event.Class, rec.Event.RemoteHost = relaylens.Class4xx, relaylens.Disk
	return relaylens.Parsed
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
