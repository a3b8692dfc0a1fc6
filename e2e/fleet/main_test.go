//go:build e2e

package fleet

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

var (
	shippersFlag = flag.Int("shippers", 4, "how many machines ship")
	eventsFlag   = flag.Int("events", 12_000, "how many events all of them ship while things break")
	roundsFlag   = flag.Int("rounds", 1, "how often each thing breaks")
	seedFlag     = flag.Uint64("seed", 1, "what decides the order in which things break")
	speedFlag    = flag.Int("speed", 0, "measure the speed with so many events")
)

// insideEnv is set in the test process that runs in the namespaces.
const insideEnv = "FLEET_INSIDE"

func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv(insideEnv) == "" {
		os.Exit(again())
	}
	if err := enter(); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// again runs this test binary once more, in namespaces of its own: its network
// is nobody else's, and what it starts ends with it.
func again() int {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), insideEnv+"=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.ExitCode()
	} else if err != nil {
		fmt.Fprintln(os.Stderr, "fleet: run in namespaces (it takes root):", err)
		return 1
	}
	return 0
}

// The servers are reached at hub. What runs in the namespace called away reaches
// them over a cable that can be pulled.
const (
	hub    = "10.77.0.1"
	away   = "away"
	awayIP = "10.77.0.2"
)

func enter() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
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
