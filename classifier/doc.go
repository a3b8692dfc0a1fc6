// Package classifier says why a refusal happened. In go all events in the order
// of the log, also those that are no refusals: who logged in and whose mail was
// accepted is what causes are told from. Out come a [relaylens.Cause] for each
// refusal and, over many of them, [relaylens.Finding]s.
//
// A [Classifier] remembers clients, users, senders, domains, sessions and servers.
// Classify gives the best cause so far, at once. Later lines may tell more, so
// Revise asks again for a recent event, and Final once the log is read to its end.
//
// [Findings] gathers refusals into problems: one cause, whom it is about, three
// events as evidence, and how sure that is. Package knowledge has the words and
// the fixes.
//
// Nothing here reads a clock or does I/O. What is remembered is bounded and ages by
// the time of the events, so the same log gives the same causes. A Classifier and
// its Findings belong to one goroutine.
package classifier
