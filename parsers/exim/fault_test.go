package exim

import (
	"maps"

	"github.com/relaylens/relaylens"
)

func init() { maps.Copy(lines, faultLines) }

const newID = "1tTaBc-0000000AbCd-1xYz"

// faultLines are about messages that the server could not take.
var faultLines = map[string]relaylens.Record{
	newID + " Spool write error: No space left on device": want(inbound,
		is(refusal, relaylens.ReasonResources, relaylens.StageEOD), queue(newID), soft, text("Spool write error: No space left on device"), func(rec *relaylens.Record) { rec.Event.RemoteHost = relaylens.Disk }),
	newID + " local_scan() function timed out - message temporarily rejected (size 500)": want(inbound,
		is(refusal, relaylens.ReasonResources, relaylens.StageEOD), queue(newID), soft, copied, text("local_scan() function timed out - message temporarily rejected (size 500)")),
	newID + " invalid return 42 from local_scan(). Temporary rejection given": want(inbound,
		is(refusal, relaylens.ReasonResources, relaylens.StageEOD), queue(newID), soft, text("invalid return 42 from local_scan(). Temporary rejection given")),
	newID + " acl_smtp_mime: error while creating mbox spool file, message temporarily rejected.": want(inbound,
		is(refusal, relaylens.ReasonResources, relaylens.StageEOD), queue(newID), soft, text("acl_smtp_mime: error while creating mbox spool file, message temporarily rejected.")),
	"Connection from [203.0.113.9]:4711 I=[192.0.2.25]:25 refused: load average = 12.00": want(
		is(refusal, relaylens.ReasonResources, relaylens.StageConnect), from("203.0.113.9"), port(4711), text("load average = 12.00"), soft, func(rec *relaylens.Record) { rec.Event.RemoteHost = relaylens.Capacity }),
}
