package exim

import (
	"maps"

	"github.com/relaylens/relaylens"
)

func init() { maps.Copy(lines, spoolLines) }

const newID = "1tTaBc-0000000AbCd-1xYz"

// spoolLines are about messages that the server could not take.
var spoolLines = map[string]relaylens.Record{
	"spool directory space check failed: space=1024 inodes=5": want(inbound,
		is(refusal, relaylens.ReasonResources, relaylens.StageMail), text("spool directory space check failed: space=1024 inodes=5"), soft),
	"log directory space check failed: space=1024 inodes=5": want(inbound,
		is(refusal, relaylens.ReasonResources, relaylens.StageMail), text("log directory space check failed: space=1024 inodes=5"), soft),
	newID + " Message abandoned: Spool write error (No space left on device) while receiving message from host.example.com (pc) [203.0.113.9]:4711": want(
		is(refusal, relaylens.ReasonResources, relaylens.StageEOD), from("203.0.113.9", "host.example.com", "pc"), port(4711), queue(newID), soft,
		text("Message abandoned: Spool write error (No space left on device) while receiving message from host.example.com (pc) [203.0.113.9]:4711")),
	newID + " Message abandoned: Input read error (Connection reset by peer) while receiving message from joe": want(inbound,
		is(refusal, relaylens.ReasonResources, relaylens.StageEOD), queue(newID), soft,
		text("Message abandoned: Input read error (Connection reset by peer) while receiving message from joe")),
	newID + " Spool write error: No space left on device": want(inbound,
		is(refusal, relaylens.ReasonResources, relaylens.StageEOD), queue(newID), soft, text("Spool write error: No space left on device")),
	newID + " local_scan() function timed out - message temporarily rejected (size 500)": want(inbound,
		is(refusal, relaylens.ReasonResources, relaylens.StageEOD), queue(newID), soft, copied, text("local_scan() function timed out - message temporarily rejected (size 500)")),
	newID + " invalid return 42 from local_scan(). Temporary rejection given": want(inbound,
		is(refusal, relaylens.ReasonResources, relaylens.StageEOD), queue(newID), soft, text("invalid return 42 from local_scan(). Temporary rejection given")),
	newID + " acl_smtp_mime: error while creating mbox spool file, message temporarily rejected.": want(inbound,
		is(refusal, relaylens.ReasonResources, relaylens.StageEOD), queue(newID), soft, text("acl_smtp_mime: error while creating mbox spool file, message temporarily rejected.")),
	"Connection from [203.0.113.9]:4711 I=[192.0.2.25]:25 refused: load average = 12.00": want(
		is(refusal, relaylens.ReasonResources, relaylens.StageConnect), from("203.0.113.9"), port(4711), text("load average = 12.00"), soft),
}
