package relaylens

// Record is what a grammar read from one line. The caller hands in a zero
// record and reuses it; its strings alias the line.
type Record struct {
	// Event is what the line reports; Kind is KindNone when it reports nothing
	// by itself and only tells a fact, whose values then stand in Event's fields.
	// Grammars leave ID, Time, Host, MTA, PID, Source, Line, Offset, Raw and Cause to others.
	Event Event
	Fact  Fact

	// Child is the queue id that FactChild links to Event.QueueID.
	Child string

	// Recipients is how many recipients a message has when FactMessage or FactChild tells of it,
	// Nobody where it is to go nowhere, and of how many of them a line says that it was
	// delivered or failed for good. 0 is not told, as where the log says by itself that a message is done with.
	Recipients int
	// Subject is in whose name that was done, where the log tells: another one than
	// the sender stands for an alias or a forward file, which may add recipients.
	Subject string

	// Hold says that the sender of this refusal stands on a later line of the
	// same queue id: Sendmail logs from= after the rejections.
	Hold bool

	// Explained says that a FactDetail of the same session, if there was one,
	// tells the reason of this refusal: Exim's "sender verify fail" line before
	// "rejected RCPT", Cyrus SASL's warning before Postfix's. A detail with a
	// Sender explains only refusals of that sender.
	Explained bool

	// Presumed says that the refusal shows only if the client's session ends
	// without another one: postscreen's tests, whose outcome may be a later reject,
	// a hang-up without a line, or nothing; or a command of smtpd's clients of which
	// only the counts of the session tell whether it failed. With KindNone it withdraws what was
	// presumed of the client.
	Presumed bool

	// Helper is what the server asked and got no answer from: of a KindBackendError
	// what failed, by the name in Event.RemoteHost; of a refusal what may have, as the
	// text is what the server says then. Who else may have said it, or did not: an
	// earlier line of the same process tells, and the name.
	Helper Helper

	// Retried says that the delivery goes on with another server: what refused it
	// is no answer yet if the message only probes an address. Of Exim, that
	// recipients' lines may repeat the answer.
	Retried bool

	// PassedOn says that a server behind the one that wrote the line may have
	// written its own of the same refusal: Postfix's smtpd hands on the answers of a
	// filter before the queue, which may hand on those of another smtpd.
	PassedOn bool

	// Submitted says that it is a refusal only of a message that somebody is known to
	// have sent: Postfix's cleanup says the same of those that Postfix itself writes.
	Submitted bool

	// Filtered says that it is a filter that refused: Sendmail may ask it about a
	// recipient that it refused itself, which is one answer.
	Filtered bool

	// Copied says that the MTA may write this very line twice: Exim to mainlog
	// and rejectlog, or to syslog at two priorities.
	Copied bool

	// Apart says that the answer is one recipient's own where others of the message
	// get theirs: PRDR and LMTP after the end of the message.
	Apart bool

	// Protest says that the command broke the rules of SMTP, Dismissal that the
	// client was thrown out for breaking them too often. Both may be told of one command.
	Protest, Dismissal bool

	// Tainted says that text chosen by the client made fields ambiguous; the
	// grammar left those empty.
	Tainted bool
}

// Nobody is the number of recipients of a message without any.
const Nobody = -1

// Grammar reads the lines of one MTA. It is a pure function of the envelope:
// no clock, no I/O, no memory of earlier lines, safe for concurrent use, and
// it does not allocate for a line of no interest.
type Grammar interface {
	MTA() MTA
	// Parse reads env into rec, which is zero. On Ignored and Malformed rec is
	// left as it was.
	Parse(env *Envelope, rec *Record) Verdict
}
