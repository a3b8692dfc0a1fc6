// Package alertmanager sends alerts to Prometheus Alertmanagers, by version 2 of
// their API.
//
// What it sends is the present state and not a stream of messages: every alert
// that is active is sent again each minute and would end by itself four minutes
// after the last time, as Prometheus does it. So a message that is lost, an
// Alertmanager that forgot everything, and a short absence of this program
// change nothing. Each Alertmanager has its own goroutine and keeps its own
// account of what it accepted: one that hangs delays no other.
package alertmanager
