// Package app is the daemon as a value: built, started, reloaded and stopped in
// order, as often as one likes in one process. Signals, flags and exit codes
// are for cmd.
//
// Sources, each a goroutine, send batches of lines into one bounded channel;
// one goroutine takes them out, parses, classifies and counts. That goroutine
// alone owns the parser, so nothing on the way of a line takes a lock.
package app
