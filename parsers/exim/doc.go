// Package exim reads the main, reject and panic log of Exim 4, from its own
// files or through syslog.
//
// The families it knows, by the source that writes them:
//
//	H=HOST … [temporarily ]rejected WHAT: MSG       smtp_in.c, smtp_handle_acl_fail
//	H=HOST … RCPT ARG: discarded by … ACL           smtp_in.c, smtp_setup_msg
//	H=HOST … dropped by 'connect' ACL: MSG          smtp_in.c
//	H=HOST sender verify fail|defer for <A>: MSG    smtp_in.c: explains the refusal after it
//	H=HOST Warning: MSG                             acl.c, acl_warn
//	H=HOST … rejected by local_scan(): MSG          receive.c
//	NAME authenticator failed for HOST: CODE MSG    smtp_in.c, AUTH_CMD
//	NAME authenticator failed H=HOST REPLY          transports/smtp.c: a smarthost refused our login
//	SMTP syntax|protocol error in "CMD" H=HOST MSG  smtp_in.c, synprot_error
//	SMTP protocol synchronization error … H=HOST    smtp_in.c
//	SMTP call from HOST dropped: MSG                smtp_in.c
//	[temporarily ]rejected … from|H=HOST …          smtp_in.c, receive.c
//	[temporarily ]refused connection from HOST …    smtp_in.c, daemon.c
//	unqualified sender|recipient|verify rejected: <A> …  smtp_in.c
//	too many recipients: … sender=<S> H=HOST        smtp_in.c
//	VRFY failed for A H=HOST                        smtp_in.c
//	SMTP connection from HOST …, no MAIL in …       smtp_in.c, daemon.c: context
//	ID <=|(= SENDER …                               receive.c: message taken, or taken and called refused
//	ID =>|->|>>|**|== ADDRESS …, ID H=HOST …: MSG   deliver.c, transports/smtp.c
//	ID PRDR ADDRESS MSG, ID PRDR R=<A> refusal      receive.c
//	ID Completed, cancelled by, removed by          deliver.c
//	TLS error on connection from HOST (cert/key setup …  tls-gnu.c, tls-openssl.c: 454
//	… space check failed: …, Message abandoned: …, local_scan() function …  receive.c: 451 or 452
//	failed to expand …, … gave DEFER                expand.c, search.c: something behind the server failed
//
// No line is read for a command that came out of turn (a protocol error other
// than AUTH's: RCPT without MAIL, DATA without RCPT), which follows from a
// refusal before it, nor for words that are no SMTP command at all; when those
// get a client thrown out, that is one event.
//
// A next hop that refuses the connection is told by the line that names the
// recipient. Where several hosts did, that is the last of them.
//
// HELO, addresses, user names and certificate names are the client's, and Exim
// writes most of them raw. A line that can be read in two ways loses what they
// disagree on, and is Tainted.
package exim
