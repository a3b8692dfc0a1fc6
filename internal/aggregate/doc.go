// Package aggregate counts in bounded memory, whatever attackers send. It is
// pure: the same calls give the same counts, and nothing in it asks for the time.
//
// [Windows] take refusals and tell, as a [Snapshot], who had the most of them within the
// last minute, five minutes, hour and day of event time. They are made of what others
// use by itself: [Top] is a Space-Saving list with known errors, [Distinct] a HyperLogLog,
// [Key] what an event counts under.
package aggregate
