package exim

import (
	"strings"

	"github.com/relaylens/relaylens"
)

// failings begin the lines of a refusal for which this server is to blame: the disk, or
// a function of the site's own. They are all that is logged of it.
// receive.c, receive_msg, receive_check_fs, run_mime_acl
var failings = [...]struct {
	begin, end string
	stage      relaylens.Stage
	copied     bool
}{
	{"spool directory space check failed: ", "", relaylens.StageMail, false},
	{"log directory space check failed: ", "", relaylens.StageMail, false},
	{"Message abandoned: ", "", relaylens.StageEOD, false},
	{"Spool write error: ", "", relaylens.StageEOD, false},
	{"local_scan() function ", ")", relaylens.StageEOD, true},
	{"invalid return ", " from local_scan(). Temporary rejection given", relaylens.StageEOD, false},
	{"acl_smtp_mime: error while creating mbox spool file", "", relaylens.StageEOD, false},
}

// failed reads one of them. All are answered 451 or 452.
func failed(text string, rec *relaylens.Record) relaylens.Verdict {
	for i := range failings {
		f := &failings[i]
		if text[0] != f.begin[0] || !strings.HasPrefix(text, f.begin) || !strings.HasSuffix(text, f.end) {
			continue
		}
		h := receivedFrom(text)
		rec.Copied = f.copied
		refused(&h, f.stage, relaylens.ReasonResources, strings.TrimSuffix(text, "\n"), rec)
		rec.Event.Class = relaylens.Class4xx
		return relaylens.Parsed
	}
	return relaylens.Ignored
}

// receivedFrom is the client at the end of "Spool write error (why) while receiving
// message from HOST". Nothing before it is the client's.
func receivedFrom(text string) (h host) {
	const mark = " while receiving message from "
	if _, client, ok := strings.Cut(text, mark); ok {
		if from, rest, strict := cutHost(client); strict && rest == "" {
			return from
		}
	}
	return host{}
}
