//go:build e2e

package faults

import (
	"flag"
	"os"
	"runtime"
	"testing"

	"github.com/relaylens/relaylens/internal/testutil"
)

var (
	seedFlag     = flag.Uint64("seed", 1, "seed of the first round; the following ones count up")
	roundsFlag   = flag.Int("rounds", 24, "how many rounds")
	parallelFlag = flag.Int("jobs", 4*runtime.NumCPU(), "how many rounds at once")
	keepFlag     = flag.Bool("keep", false, "keep the directory of every round")
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(testutil.Namespaces(m, 0, func() error { return nil }))
}
