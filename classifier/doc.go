// Package classifier says why a refusal happened. Per event it gives the best
// cause that the event proves; it reads no clock and does no I/O.
package classifier
