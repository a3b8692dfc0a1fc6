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
	newID + " Failed to create spool file /var/spool/exim4//input//" + newID + "-D: Permission denied": want(inbound,
		is(refusal, relaylens.ReasonResources, relaylens.StageEOD), queue(newID), soft, copied, lacks(relaylens.Disk), text("Failed to create spool file /var/spool/exim4//input//"+newID+"-D: Permission denied")),
	"daemon: accept process fork failed: Resource temporarily unavailable": want(inbound,
		is(refusal, relaylens.ReasonResources, relaylens.StageConnect), soft, copied, lacks(relaylens.Capacity), text("daemon: accept process fork failed: Resource temporarily unavailable")),
	newID + " == a@example.com R=local T=lmtp defer (-1): Failed to connect to socket /run/dovecot/lmtp for lmtp transport: No such file or directory": ownWord(relaylens.Store+"lmtp",
		"Failed to connect to socket /run/dovecot/lmtp for lmtp transport: No such file or directory", copied, queue(newID), toA),
	newID + " == a@example.com R=local T=maildir defer (28): No space left on device: while creating file /var/vmail/a/tmp/1": ownWord(relaylens.Store+"maildir",
		"No space left on device: while creating file /var/vmail/a/tmp/1", copied, queue(newID), toA),
	newID + " == a@example.com R=local T=pipe defer (0): Child process of pipe transport returned 75 (could mean temporary error) from command: /usr/lib/dovecot/deliver": ownWord(relaylens.Store+"pipe",
		"Child process of pipe transport returned 75 (could mean temporary error) from command: /usr/lib/dovecot/deliver", copied, queue(newID), toA),
	"socket bind() to port 25 for address 192.0.2.2 failed: Address already in use: waiting 30s before trying again (9 more tries)": ownWord(relaylens.Service+"exim",
		"socket bind() to port 25 for address 192.0.2.2 failed: Address already in use: waiting 30s before trying again (9 more tries)"),
	"Exim configuration error in line 1 of /etc/exim4/exim4.conf:":                  ownWord(relaylens.Configuration, "Exim configuration error in line 1 of /etc/exim4/exim4.conf:", copied),
	"daemon: fork of queue-runner process failed: Resource temporarily unavailable": ownWord(relaylens.Capacity, "daemon: fork of queue-runner process failed: Resource temporarily unavailable", copied),
	newID + " Failed to get read lock for /var/spool/exim4/db/retry.lockfile: timed out": ownWord("/var/spool/exim4/db/retry.lockfile",
		"Failed to get read lock for /var/spool/exim4/db/retry.lockfile: timed out", copied, queue(newID)),
}

func toA(rec *relaylens.Record) { rec.Event.Recipient = "a@example.com" }

func lacks(name string) option {
	return func(rec *relaylens.Record) { rec.Event.RemoteHost = name }
}

// ownWord is what the server says that fails.
func ownWord(name, said string, more ...option) relaylens.Record {
	return want(append(more, lacks(name), text(said), func(rec *relaylens.Record) { rec.Event.Kind = relaylens.KindBackendError })...)
}
