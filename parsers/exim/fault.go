package exim

import (
	"strings"

	"github.com/relaylens/relaylens"
)

// failings begin and end the lines of what is refused for a fault of this server's: a
// function of the site's own, or a file that could not be written. They are all that is
// logged of it, and the client is not told. The space checks are
// "{spool|log} directory space check failed: space={n} inodes={n}".
// receive.c, receive_msg, run_mime_acl, receive_check_fs; daemon.c, handle_smtp_call
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
	{begin: "Failed to create spool file ", stage: relaylens.StageEOD, lacks: relaylens.Disk, copied: true},
	{begin: "Failed setting ownership on spool file ", stage: relaylens.StageEOD, lacks: relaylens.Disk, copied: true},
	{begin: "Cannot lock /", stage: relaylens.StageEOD, lacks: relaylens.Disk, copied: true},
	{begin: "daemon: accept process fork failed", stage: relaylens.StageConnect, lacks: relaylens.Capacity, copied: true},
}

// faultLine reads the refusals for which this server is to blame. All are answered 421,
// 451, 452 or 454.
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
	return ownFault(text, rec)
}

// ownFaults begin what Exim says that fails where nothing is refused for it: nobody can
// connect, or what was taken waits. Those that it writes to paniclog as well are copied.
// daemon.c, daemon_go; queue.c, queue_run; exim.c, exim_setugid; readconf.c
var ownFaults = [...]struct {
	begin, name string
	copied      bool
}{
	{"socket bind() to port ", relaylens.Service + "exim", false},
	{"unable to set gid=", relaylens.Service + "exim", true},
	{"Exim configuration error", relaylens.Configuration, true},
	{"fork of delivery process from queue runner ", relaylens.Capacity, true},
	{"daemon: fork of queue-runner process failed", relaylens.Capacity, true},
}

func ownFault(text string, rec *relaylens.Record) relaylens.Verdict {
	e := &rec.Event
	for i := range ownFaults {
		f := &ownFaults[i]
		if text[0] == f.begin[0] && strings.HasPrefix(text, f.begin) {
			e.Kind, e.Text, e.RemoteHost, rec.Copied = relaylens.KindBackendError, text, f.name, f.copied
			return relaylens.Parsed
		}
	}
	if name := lockedFile(text); name != "" {
		e.Kind, e.Text, e.RemoteHost, rec.Copied = relaylens.KindBackendError, text, name, true
		return relaylens.Parsed
	}
	return relaylens.Ignored
}

// lockedFile is the file of "Failed to get {read|write} lock for {file}: {why}", of hints that
// every delivery looks at, for which each waits a minute. dbfn.c, dbfn_open
func lockedFile(text string) string {
	if !strings.HasPrefix(text, "Failed to get ") {
		return ""
	}
	at := strings.Index(text, " lock for /")
	if at < 0 {
		return ""
	}
	file, _, ok := strings.Cut(text[at+len(" lock for "):], ": ")
	if !ok || len(file) > maxName || strings.IndexByte(file, ' ') >= 0 {
		return ""
	}
	return file
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
