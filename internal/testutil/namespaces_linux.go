package testutil

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// insideEnv is set in the test process that runs in the namespaces.
const insideEnv = "TESTUTIL_INSIDE"

// Inside reports whether this is the test process that [Namespaces] has made.
func Inside() bool { return os.Getenv(insideEnv) != "" }

// Namespaces runs the tests of m and returns the exit code for [os.Exit]. They
// run in the same binary once more, as the first process of a pid namespace, so
// that all that it starts ends with it; with mounts that nobody else sees, a
// /proc of its own, and the namespaces of further, which are flags of clone(2).
// There enter is called before the tests. It takes root.
func Namespaces(m *testing.M, further uintptr, enter func() error) int {
	if !Inside() {
		return again(unix.CLONE_NEWNS | unix.CLONE_NEWPID | further)
	}
	if err := errors.Join(isolate(), enter()); err != nil {
		fmt.Fprintln(os.Stderr, "enter namespaces:", err)
		return 1
	}
	return m.Run()
}

// again runs this test binary once more.
func again(namespaces uintptr) int {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...) //nolint:gosec,noctx // itself, which ends with this process
	cmd.Env = append(os.Environ(), insideEnv+"=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces, Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread() // whose end would be the child's
	defer runtime.UnlockOSThread()
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.ExitCode()
	} else if err != nil {
		fmt.Fprintln(os.Stderr, "run in namespaces (it takes root):", err)
		return 1
	}
	return 0
}

func isolate() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	return nil
}
