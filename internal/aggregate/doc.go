// Package aggregate counts in bounded memory, whatever attackers send. It is
// pure: the same calls give the same counts, and nothing in it asks for the time.
package aggregate
