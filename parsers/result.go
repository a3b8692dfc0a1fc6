package parsers

import "fmt"

// Result is what became of a physical line. Each line has exactly one.
type Result uint8

const (
	ResultRefusal   Result = iota // reported at least one refusal
	ResultContext                 // told something about a session or message
	ResultWarned                  // reported what was not enforced: reject_warning, hold, discard
	ResultIgnored                 // of an MTA, and without interest
	ResultForeign                 // of another program
	ResultMalformed               // should have been understood and was not
	numResults
)

var resultNames = [numResults]string{"refusal", "context", "warned", "ignored", "foreign", "malformed"}

func (r Result) String() string {
	if r < numResults {
		return resultNames[r]
	}
	return fmt.Sprintf("Result(%d)", uint8(r))
}

// Results lists every result.
func Results() []Result {
	rs := make([]Result, numResults)
	for i := range rs {
		rs[i] = Result(i)
	}
	return rs
}

// Counts holds the number of lines of each result.
type Counts [numResults]uint64

// Lines is the number of all lines.
func (c *Counts) Lines() uint64 {
	var n uint64
	for _, k := range c {
		n += k
	}
	return n
}
