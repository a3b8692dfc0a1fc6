//go:build e2e

package e2e

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/relaylens/relaylens/internal/testutil"
)

var recordDir = flag.String("record", "", "write the logs of the servers below `DIR`")

// Environment of the test process that runs in the namespaces.
const (
	packagesEnv = "E2E_PACKAGES" // directory of the fetched packages
	lackEnv     = "E2E_LACK"     // why there are no servers
)

func TestMain(m *testing.M) {
	flag.Parse()
	if !testutil.Inside() {
		packages, err := fetch()
		if err != nil {
			// The tests that need servers skip and say why; the others run.
			os.Setenv(lackEnv, err.Error())
			os.Exit(m.Run())
		}
		os.Setenv(packagesEnv, packages)
	}
	os.Exit(testutil.Namespaces(m, unix.CLONE_NEWNET|unix.CLONE_NEWUTS|unix.CLONE_NEWIPC, enter))
}

// enter makes the namespaces a small world: scratch memory on /mnt, and a
// loopback that all documentation addresses lead to.
func enter() error {
	if err := unix.Mount("tmpfs", "/mnt", "tmpfs", 0, "mode=0755"); err != nil {
		return fmt.Errorf("mount scratch memory: %w", err)
	}
	if err := unix.Sethostname([]byte("mx1")); err != nil {
		return fmt.Errorf("set host name: %w", err)
	}
	return run("sh", "-ec", `
		ip link set lo up
		for net in 192.0.2.0/24 198.51.100.0/24 203.0.113.0/24; do ip route add local $net dev lo; done
		for addr in 192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.25; do ip addr add $addr/32 dev lo; done
		ip route add local 10.0.0.0/8 dev lo
		ip -6 route add local 2001:db8::/32 dev lo
		ip -6 addr add 2001:db8::1/128 dev lo`)
}

// packages of each server; rsyslog writes the logs of those that only know syslog.
var packages = map[string][]string{
	"postfix":  {"postfix", "rsyslog", "sasl2-bin", "libsasl2-modules"},
	"exim":     {"exim4-daemon-heavy", "exim4-base"},
	"sendmail": {"sendmail-bin", "rsyslog", "sasl2-bin", "libsasl2-modules", "m4"},
	"reports":  {"pflogsumm", "exim4-base"}, // other counters
}

// fetch gets the packages and what they need, without installing anything, and
// returns where they are. They are kept for the next run.
func fetch() (string, error) {
	if os.Getuid() != 0 {
		return "", errors.New("real servers need root")
	}
	for _, tool := range []string{"apt-get", "dpkg-deb", "ip"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "", fmt.Errorf("real servers need %s: %w", tool, err)
		}
	}
	dir, err := filepath.Abs("../bin/e2e-packages")
	if err != nil {
		return "", err
	}
	updated := false
	for server, names := range packages {
		into := filepath.Join(dir, server)
		if _, err := os.Stat(filepath.Join(into, "complete")); err == nil {
			continue
		}
		if !updated {
			if err := run("apt-get", "update", "-qq"); err != nil {
				return "", err
			}
			updated = true
		}
		if err := os.MkdirAll(filepath.Join(into, "partial"), 0o755); err != nil {
			return "", err
		}
		args := []string{"install", "--download-only", "--reinstall", "-qq", "-y", "--no-install-recommends",
			"-o", "Dir::Cache::archives=" + into, "-o", "APT::Sandbox::User=root", "-o", "Debug::NoLocking=1"}
		if err := run("apt-get", append(args, names...)...); err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(into, "complete"), nil, 0o644); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// run runs a program to its end; the error has what it wrote.
func run(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("run %s: %w\n%s", name, err, out)
	}
	return nil
}

// needServers skips a test where no real server can run.
func needServers(t *testing.T) {
	t.Helper()
	if why := os.Getenv(lackEnv); why != "" {
		t.Skip(why)
	}
}
