// Package relaylens holds the types that every package of the program shares:
// what a log line is, what an event is, and the closed lists its fields come
// from. It depends on the standard library alone and does no I/O.
//
// A line takes this way; each arrow is what one step hands to the next:
//
//	tailer ─[Batch of Line]─► parsers/syslog ─[Envelope]─► parsers/<mta> ─[Record]─► parsers ─[Event]─►
//	classifier ─[Event with a Cause]─► internal/aggregate, store, exporter
//
// A [Line] knows its place in its source, and an [Event] has an [ID] made of that
// place, so that reading a line again gives the same event. Strings of lines,
// envelopes and records alias memory of their batch: who keeps them longer clones
// them ([Event.Clone]). internal/app puts the steps together.
package relaylens
