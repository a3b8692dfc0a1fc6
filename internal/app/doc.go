// Package app is the daemon as a value: built, started, reloaded and stopped in
// order, as often as one likes in one process. Signals, flags and exit codes
// are for cmd.
//
// Sources, each a goroutine, send batches of lines into one bounded channel; one
// goroutine, the pipeline, takes them out, parses, classifies and counts. It alone owns
// the parser, the classifier and the windows, so nothing on the way of a line takes a
// lock; who wants something of them hands it a function.
//
// What was counted waits in the ledger until the committer, another goroutine, has
// written events and positions in one transaction. A slow store fills the ledger, a full
// ledger stops the pipeline, and the logs wait on disk. The shipper reads the store and
// the alerter is told the steps of the watch, each at its own pace. The end goes the same way:
// sources, pipeline, last commit, what ships and alerts, web server, store.
package app
