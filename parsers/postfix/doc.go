// Package postfix reads the log lines of Postfix 3.4 to 3.12.
//
// A line is chosen by the program that wrote it, the last part of the syslog tag,
// and by its own text where the tag was cut. These families are understood:
//
//   - smtpd: "{id}: reject: RCPT from {client}: …" with every action and stage,
//     milter-reject and its kin, proxy-reject, "client=", connect and disconnect,
//     failed and aborted AUTH, the limits of anvil, addresses and commands that
//     cannot be read, and a SASL library that cannot start;
//   - cleanup: header and body checks, milters, MIME errors, lookup problems;
//   - smtp, lmtp and the other delivery agents: recipients that were delivered
//     or that a remote server refused, also when the next server is tried;
//   - qmgr, pickup, bounce, postsuper: the life of a queue id;
//   - postscreen: refused recipients and connections;
//   - all programs: tables, databases and services that do not answer.
//
// Everything a client may choose stands behind its address in the lines of
// smtpd, so the address is read from the left. What stands behind the server's
// text repeats the client's words, and is believed only when there is one way to
// read it to the end of the line; otherwise Record.Tainted is set and the fields
// are left empty.
package postfix
