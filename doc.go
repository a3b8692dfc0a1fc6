// Package relaylens holds the words that every room of the program speaks:
// what a log line is, what an event is, and the closed lists its fields come
// from. It depends on the standard library alone and does no I/O.
//
// The way of a line is source, envelope, route, parse, correlate, classify,
// count, commit, alert. [Line] is what a source hands on, [Envelope] what the
// syslog framing told, [Record] what a grammar read, [Event] what everybody
// after it counts, stores and shows.
package relaylens
