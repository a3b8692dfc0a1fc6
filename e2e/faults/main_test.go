//go:build e2e

package faults

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

var (
	seedFlag     = flag.Uint64("seed", 1, "seed of the first round; the following ones count up")
	roundsFlag   = flag.Int("rounds", 24, "how many rounds")
	parallelFlag = flag.Int("jobs", 4*runtime.NumCPU(), "how many rounds at once")
	keepFlag     = flag.Bool("keep", false, "keep the directory of every round")
)

// insideEnv is set in the test process that runs in the namespaces.
const insideEnv = "FAULTS_INSIDE"

func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv(insideEnv) == "" {
		os.Exit(again())
	}
	if err := enter(); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// again runs this test binary once more, in namespaces of its own: what it
// mounts is seen by nobody else, and what it starts ends with it.
func again() int {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), insideEnv+"=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID, Pdeathsig: syscall.SIGKILL}
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.ExitCode()
	} else if err != nil {
		fmt.Fprintln(os.Stderr, "faults: run in namespaces (it takes root):", err)
		return 1
	}
	return 0
}

func enter() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	return nil
}

// program is the program under test; built by `make`, or once per run.
var program = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("E2E_RELAYLENS"); path != "" {
		return path, nil
	}
	path := filepath.Join(os.TempDir(), "relaylens-faults")
	out, err := exec.Command("go", "build", "-o", path, "../../cmd/relaylens").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build relaylens: %w\n%s", err, out)
	}
	return path, nil
})
