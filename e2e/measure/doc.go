// Package measure times the daemon from outside, as its users meet it: from a
// line's write to the metric and the row, a backlog, a thousand files, a start
// with a large store. `make measure` prints the figures; none of them is judged,
// as they are true of one machine only. The tests need the build tag e2e.
package measure
