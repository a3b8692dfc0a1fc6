// Package spike tells when there are more refusals than there should be. It
// learns what is usual by hour of day and day of week, how bursty that is, and
// states its surprise as a probability, so that one setting, how many false
// pages a month are acceptable, means the same on every server.
//
// It is pure: event time only, and the same log gives the same spikes.
package spike
