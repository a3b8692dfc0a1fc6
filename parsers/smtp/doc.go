// Package smtp holds the pieces of RFC 5321 that the logs of all three MTAs
// show: paths, reply codes, client addresses, and what the wording of a reply
// says. Nothing here allocates, and every function works on text that an
// attacker may have written.
package smtp
