package relaylens

import "time"

// Envelope is what stands around an MTA's own text, in whatever framing the
// line came. Its strings alias the line.
type Envelope struct {
	Time       time.Time
	TimeDigits uint8  // decimals of a second that the log shows: 0, 3, 6, 9
	Host       string // empty where the framing has none, as in Exim's own files
	// Program is the syslog tag without pid: "postfix/submission/smtpd",
	// "sm-mta", "exim". Empty for Exim's own files. rsyslog may have cut it at
	// the first slash or at 32 characters.
	Program string
	PID     int32 // 0 when not told
	// Tag is a number that says which Host and Program these are, within one
	// source: lines that have the same Tag have the same. 0 is none, and proves nothing.
	Tag uint32
	// Native marks Exim's own log files (mainlog, rejectlog): date and time in
	// front, no host, no program.
	Native bool
	// Stderr marks what a container wrote to its standard error. Images of Exim
	// send mainlog to one of the two streams and rejectlog to the other.
	Stderr bool
	// Continuation marks a physical line that belongs to the record before it:
	// the header dump of a rejectlog, an indented line. It is never an event.
	Continuation bool
	// Repeat counts the further copies that "message repeated N times" stands
	// for; Text is then what was repeated, and the copy itself was printed before.
	// 0 for an ordinary line.
	Repeat int
	Text   string
}
