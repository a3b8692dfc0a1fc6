//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/relaylens/relaylens/internal/testutil"
)

// machine is a system on which the packages of one server look installed: an
// overlay of this system's root whose changes stay in memory.
type machine struct {
	t    *testing.T
	root string
}

func newMachine(t *testing.T, server string) *machine {
	t.Helper()
	needServers(t)
	base := filepath.Join("/mnt", server, strings.ReplaceAll(t.Name(), "/", "-"))
	m := &machine{t: t, root: filepath.Join(base, "root")}
	for _, dir := range []string{"upper", "work", "root"} {
		m.must(os.MkdirAll(filepath.Join(base, dir), 0o755))
	}
	m.must(unix.Mount("overlay", m.root, "overlay", 0,
		fmt.Sprintf("lowerdir=/,upperdir=%[1]s/upper,workdir=%[1]s/work", base)))
	t.Cleanup(func() {
		m.killAll()
		unix.Unmount(m.root, unix.MNT_DETACH)
	})

	m.must(unix.Mount("proc", m.path("/proc"), "proc", 0, ""))
	m.must(unix.Mount("tmpfs", m.path("/run"), "tmpfs", 0, "mode=0755"))
	m.must(unix.Mount("tmpfs", m.path("/dev"), "tmpfs", 0, "mode=0755"))
	for _, device := range []string{"null", "zero", "full", "random", "urandom"} {
		m.write("/dev/"+device, "")
		m.must(unix.Mount("/dev/"+device, m.path("/dev/"+device), "", unix.MS_BIND, ""))
	}
	debs, err := filepath.Glob(filepath.Join(os.Getenv(packagesEnv), server, "*.deb"))
	m.must(err)
	if len(debs) == 0 {
		t.Fatalf("no packages of %s were fetched", server)
	}
	for _, deb := range debs {
		m.must(run("sh", "-c", `dpkg-deb --fsys-tarfile "$1" | tar -x --keep-directory-symlink -C "$2"`, "sh", deb, m.root))
	}
	m.write("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:30 attempts:2\n")
	m.write("/etc/hosts", "127.0.0.1 localhost\n192.0.2.1 mx1.example.com mx1\n")
	m.write("/etc/mailname", "mx1.example.com\n")
	return m
}

func (m *machine) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// path is where the test finds what the machine calls name.
func (m *machine) path(name string) string { return filepath.Join(m.root, name) }

func (m *machine) write(name, text string) {
	m.t.Helper()
	m.must(os.MkdirAll(filepath.Dir(m.path(name)), 0o755))
	m.must(os.WriteFile(m.path(name), []byte(text), 0o644))
}

// addUser adds a system user with a group of its own.
func (m *machine) addUser(name string, id int) {
	m.t.Helper()
	m.add("/etc/passwd", fmt.Sprintf("%s:x:%d:%d::/nonexistent:/usr/sbin/nologin\n", name, id, id))
	m.add("/etc/group", fmt.Sprintf("%s:x:%d:\n", name, id))
}

func (m *machine) add(name, text string) {
	m.t.Helper()
	f, err := os.OpenFile(m.path(name), os.O_APPEND|os.O_WRONLY, 0)
	m.must(err)
	_, err = f.WriteString(text)
	m.must(err)
	m.must(f.Close())
}

// sh runs a shell script on the machine.
func (m *machine) sh(script string) {
	m.t.Helper()
	m.must(run("chroot", m.root, "sh", "-ec", script))
}

// start runs a server in the foreground until the test ends.
func (m *machine) start(args ...string) *exec.Cmd {
	m.t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: m.root, Setpgid: true}
	cmd.Dir = "/"
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = time.Second // its children hold the pipe
	m.must(cmd.Start())
	m.t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		cmd.Wait()
		if m.t.Failed() {
			m.t.Logf("%s wrote:\n%s", args[0], out.Bytes())
		}
	})
	return cmd
}

// killAll ends every process whose root is the machine's: daemons leave the
// process group of who started them.
func (m *machine) killAll() {
	m.waitFor("the servers to end", func() error {
		links, err := filepath.Glob("/proc/[0-9]*/root")
		if err != nil {
			return err
		}
		left := 0
		for _, link := range links {
			if root, err := os.Readlink(link); err != nil || root != m.root {
				continue
			}
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link)))
			if err != nil {
				return err
			}
			syscall.Kill(pid, syscall.SIGKILL)
			left++
		}
		if left > 0 {
			return fmt.Errorf("%d processes are left", left)
		}
		return nil
	})
}

// startSyslog runs rsyslog as Debian configures it, with its traditional format.
func (m *machine) startSyslog(log string) *exec.Cmd {
	m.t.Helper()
	m.write("/etc/rsyslog-e2e.conf", fmt.Sprintf(`module(load="imuxsock")
$ActionFileDefaultTemplate RSYSLOG_TraditionalFileFormat
$FileCreateMode 0640
mail.* -%s
`, log))
	cmd := m.start("/usr/sbin/rsyslogd", "-n", "-f", "/etc/rsyslog-e2e.conf", "-i", "/run/rsyslogd.pid")
	m.waitFor("rsyslog's socket", func() error {
		_, err := os.Stat(m.path("/dev/log"))
		return err
	})
	return cmd
}

// waitForPort waits until something listens on address.
func (m *machine) waitForPort(address string) {
	m.t.Helper()
	m.waitFor("port "+address, func() error {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return err
		}
		return conn.Close()
	})
}

func (m *machine) waitFor(what string, try func() error) {
	m.t.Helper()
	testutil.WaitFor(m.t, what, try)
}
