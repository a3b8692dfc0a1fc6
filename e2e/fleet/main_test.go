//go:build e2e

package fleet

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/relaylens/relaylens/internal/testutil"
)

var (
	shippersFlag = flag.Int("shippers", 4, "how many machines ship")
	eventsFlag   = flag.Int("events", 12_000, "how many events all of them ship while things break")
	roundsFlag   = flag.Int("rounds", 1, "how often each thing breaks")
	seedFlag     = flag.Uint64("seed", 1, "what decides the order in which things break")
	speedFlag    = flag.Int("speed", 0, "measure the speed with so many events")
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(testutil.Namespaces(m, unix.CLONE_NEWNET, enter))
}

// The servers are reached at hub. What runs in the namespace called away reaches
// them over a cable that can be pulled.
const (
	hub    = "10.77.0.1"
	away   = "away"
	awayIP = "10.77.0.2"
)

func enter() error {
	if err := unix.Mount("tmpfs", "/run", "tmpfs", 0, "mode=0755"); err != nil {
		return fmt.Errorf("mount /run: %w", err)
	}
	return sh(`ip link set lo up
		ip netns add ` + away + `
		ip link add cable type veth peer name cable2
		ip link set cable2 netns ` + away + `
		ip addr add ` + hub + `/24 dev cable
		ip link set cable up
		ip -n ` + away + ` link set lo up
		ip -n ` + away + ` addr add ` + awayIP + `/24 dev cable2
		ip -n ` + away + ` link set cable2 up`)
}

func sh(script string) error {
	if out, err := exec.Command("sh", "-ec", script).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", script, err, out)
	}
	return nil
}
