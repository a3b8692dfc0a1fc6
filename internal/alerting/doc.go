// Package alerting makes alerts of findings and spikes: one for each problem of
// the real world, that begins once, lasts, and ends.
//
// Two ways lead to an alert. Evidence: a finding whose fault is the server's
// (a lost domain, a dead auth backend, a restriction in the wrong place) is an
// alert by itself, however few refusals it made. Volume: a spike is one; spikes
// of several series that the same refusals made are one, under the most narrow
// name that explains them, and a finding that explains them gives its cause.
// What attackers do all day is none until there is ten times as much of it, or
// so much that it threatens the service.
//
// It is pure and knows event time only: the same log gives the same alerts.
package alerting
