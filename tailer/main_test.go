package tailer

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	flag.Parse()
	// Every test proves on its way that nobody reads released memory.
	poisonReleased = flag.Lookup("test.bench").Value.String() == ""
	goleak.VerifyTestMain(m)
}
