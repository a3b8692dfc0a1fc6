package tailer

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	flag.Parse()
	// What runs in parallel waits most of the time.
	if p := flag.Lookup("test.parallel"); p.Value.String() == p.DefValue {
		check(p.Value.Set("8"))
	}
	// Every test proves on its way that nobody reads released memory.
	poisonReleased = flag.Lookup("test.bench").Value.String() == ""
	// The tracker of nxadm/tail runs until the process ends.
	cancel, err := inotify.subscribe("main_test.go", func() {})
	check(err)
	cancel()
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent())
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
