// Package sendmail reads the log of Sendmail 8.12 and later.
//
// A record is "{id}: {text}", or text alone where a session has no queue id;
// conf.c:sm_syslog doubles its backslashes and writes what is not printable
// ASCII as \ooo, so that a record is one line. The lines that are understood:
//
//	ruleset=R, arg1=…, relay=…, reject=…      parseaddr.c:rscheck          a refusal by any ruleset
//	<address>... User unknown                 err.c:usrerr                 a refusal without ruleset
//	AUTH failure (M): …, user=…, relay=…      srvrsmtp.c:LOGAUTHFAIL       a failed login
//	AUTH decode64 error …, AUTH warning: …    srvrsmtp.c                   a malformed login, a broken SASL setup
//	AUTH=server, relay=…, authid=…            srvrsmtp.c:smtp              a login; the session is its process
//	Milter: to=…, reject=…, milter=…          srvrsmtp.c, milter.c         a filter's refusal, a broken filter
//	rejecting commands from …                 srvrsmtp.c                   pre-greeting traffic, or before a reply
//	SMTP MAIL command (…) … tempfailed        srvrsmtp.c                   whom a filter's refusal concerns
//	REL: EXPN … [rejected]                    srvrsmtp.c                   PrivacyOptions
//	invalid domain name (…) from REL          srvrsmtp.c                   a refused HELO
//	setsender: …, received from REL           envelope.c:setsender         a refused MAIL
//	tcpwrappers (…) rejection                 srvrsmtp.c
//	from=…, size=…, nrcpts=…, relay=REL       headers.c:logsender          the client and sender of an id
//	to=…, stat=…                              deliver.c:logdelivery        a delivery, or a remote refusal
//	to=…, pri=…, stat=… without a mailer      envelope.c:logundelrcpts     a message refused at its end
//	ID: DSN: …, ID: clone: owner=…            savemail.c, deliver.c        a message made from another
//	low on space (…                           queue.c:pickqdir             a message refused for its size
//	NOQUEUE: connect from REL, STARTTLS=server, REL did not issue …, lost input channel from …
//	SYSERR(user): …                           err.c:syserr                 a broken map, a message that cannot be stored
//	collect: relay=…, info=…, status=tempfail collect.c                    a refused message
//
// Two things are told late. The refusal of a recipient names no sender, and one
// without ruleset not even the client: they stand in the from= line that is
// written when the transaction ends, so such records ask to be held. And what a
// filter or a header check says at the end of a message is told by code on its
// own line, and by recipient on a to= line for each of them.
//
// One line gives at most one event. A to= line that lists several recipients,
// which the remote server refused with one answer, names the first.
package sendmail
