// Package watch runs detection over a stream of events in event time: causes
// told again by what came later, findings, spikes, and the alerts that follow.
// The daemon and the backtest both use it, so that what a backtest tells is what
// the daemon would have done.
//
// Every event goes in once, by Classify and, if it is stored, Keep; time goes on with
// what is read (Observe) and, where nothing is, by Advance. What was found comes out as a
// [Step], every 15 seconds of event time at the most, and is valid during that call.
package watch
