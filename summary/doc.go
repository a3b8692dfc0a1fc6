// Package summary puts into words what is known: for a person on a terminal or in
// a mail, and as JSON or CSV for a program.
//
// Events go in one by one and are not kept. A [Builder] counts them for a [Report],
// [Groups] count them by any fields for a [GroupTable], and a [Listing] writes each as
// it comes. A [Diagnosis] is a finding in words, an [Explanation] what a line, a reply
// or a word means. Reports, tables and diagnoses of several servers are merged here, as
// a client of theirs does that asked them all.
//
// A Report belongs to who asked for it. Memory is bounded, whatever the events hold.
// Everything that came from a log is escaped, because attackers wrote it.
package summary
