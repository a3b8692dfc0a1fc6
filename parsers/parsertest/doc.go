// Package parsertest holds every grammar to the contract of
// [relaylens.Grammar]: it is pure, deterministic and safe for concurrent use,
// it allocates nothing for a line of no interest and leaves the record alone,
// what it reports stands in the line, and neither a line that breaks off nor
// text of the client's choosing changes who the client is.
package parsertest
