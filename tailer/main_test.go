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
	// The tracker of nxadm/tail runs until the process ends.
	cancel, err := inotify.subscribe("main_test.go", func() {})
	if err != nil {
		panic(err)
	}
	cancel()
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent())
}
