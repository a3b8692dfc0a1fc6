// Package simulate makes up months of a mail server's refusals, by seed: days and
// weeks, bursts, busy and quiet days, and among them incidents, of which it tells
// the truth. It is what spike detection is tuned and judged on.
package simulate
