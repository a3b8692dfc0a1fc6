// Package watch runs detection over a stream of events in event time: causes
// told again by what came later, findings, spikes, and the alerts that follow.
// The daemon and the backtest both use it, so that what a backtest tells is what
// the daemon would have done.
package watch
