// Package api answers questions about the event store by HTTP: /api/v1/ gives JSON
// to programs, / is a page for people. It parses and checks the request, has
// internal/ask answer it, and writes the answer as it comes.
//
// It only reads. An [API] does not open or close the store that it is given, and
// listens nowhere by itself: internal/app serves it. Whoever can connect may be
// hostile, and so is the text in the store. So parameters, questions at a time,
// followers and the time of an answer are bounded, and what is shown is escaped.
package api
