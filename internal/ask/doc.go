// Package ask answers questions over the event store or over log files:
// listings, summaries and findings. The commands and the HTTP API ask it alike.
//
// A question ([Events], [Summary], [Findings], [Hosts]) is a value, with a span and a
// match; it is asked once, of a store that the caller opened and closes, or of [Files],
// which are parsed and classified on the way as the daemon does. Answers are values of
// the package summary, or events that are valid during the call they come in. Nothing
// is written but temporary files, where the events of files are too many for memory.
package ask
