// Package summary writes what a person reads: listings of events. Everything in
// it that came from a log is escaped, because attackers wrote it.
package summary
