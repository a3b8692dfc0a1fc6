// Package live reads the configuration of the mail server on this machine, with
// the server's own tools. It changes nothing.
package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/doctor"
)

const (
	// toolTime is how long one tool may take.
	toolTime = 20 * time.Second
	// maxText bounds a file or what a tool prints.
	maxText = 16 << 20
)

// sendmailCf is where Sendmail reads its configuration.
const sendmailCf = "/etc/mail/sendmail.cf"

// Machine is this machine.
type Machine struct{ ctx context.Context }

// New makes a machine whose tools are stopped when the context ends.
func New(ctx context.Context) *Machine { return &Machine{ctx} }

// tool finds a program, also where only root's PATH leads.
func tool(names ...string) string {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
		for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/sbin"} {
			path := filepath.Join(dir, name)
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
				return path
			}
		}
	}
	return ""
}

// Find lists the mail servers that are installed and configured.
func (m *Machine) Find() []relaylens.MTA {
	var found []relaylens.MTA
	if tool("postconf") != "" && m.Exists("/etc/postfix/main.cf") != doctor.No {
		found = append(found, relaylens.Postfix)
	}
	if tool("exim4", "exim") != "" {
		found = append(found, relaylens.Exim)
	}
	if len(found) == 0 && m.Exists(sendmailCf) == doctor.Yes {
		found = append(found, relaylens.Sendmail)
	}
	return found
}

// Read reads the configuration of one server.
func (m *Machine) Read(mta relaylens.MTA) (doctor.Server, error) {
	switch mta {
	case relaylens.Postfix:
		return m.postfix()
	case relaylens.Exim:
		return m.exim()
	case relaylens.Sendmail:
		text, err := os.ReadFile(sendmailCf)
		if err != nil {
			return nil, fmt.Errorf("read Sendmail configuration: %w", err)
		}
		return doctor.ReadSendmail(string(text), sendmailCf, nil, m)
	case relaylens.MTANone:
	}
	return nil, errors.New("read configuration: no mail server is named")
}

func (m *Machine) postfix() (doctor.Server, error) {
	var texts [3]string
	for i, flag := range []string{"-n", "-d", "-M"} {
		text, err := m.run(tool("postconf"), flag)
		if err != nil {
			return nil, err
		}
		texts[i] = text
	}
	return doctor.ReadPostfix(texts[0], texts[1], texts[2], m)
}

func (m *Machine) exim() (doctor.Server, error) {
	exim := tool("exim4", "exim")
	config, err := m.run(exim, "-bP", "config")
	if err != nil {
		return nil, err
	}
	options, err := m.run(exim, "-bP")
	if err != nil {
		return nil, err
	}
	file, err := m.run(exim, "-bP", "configure_file")
	if err != nil {
		return nil, err
	}
	return doctor.ReadExim(config, options, strings.TrimSpace(file), m)
}

// run gives what a tool prints.
func (m *Machine) run(path string, args ...string) (string, error) {
	if path == "" {
		return "", errors.New("read configuration: the server's tools are not installed; give what they print, as the flags of relaylens doctor say")
	}
	ctx, cancel := context.WithTimeout(m.ctx, toolTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...) //nolint:gosec // one of the server's own tools, found by its fixed name
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.WaitDelay = time.Second
	var out, complaints limited
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return "", fmt.Errorf("run %s %s: %w: %s", path, strings.Join(args, " "), err, relaylens.Escaped(complaints.String(), 500))
	}
	return out.String(), nil
}

// limited keeps the beginning of what is written to it.
type limited struct{ bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if room := maxText - l.Len(); room > 0 {
		l.Buffer.Write(p[:min(len(p), room)])
	}
	return len(p), nil
}

// Exists implements [doctor.System].
func (m *Machine) Exists(path string) doctor.Truth {
	_, err := os.Stat(path)
	switch {
	case err == nil:
		return doctor.Yes
	case errors.Is(err, fs.ErrNotExist):
		return doctor.No
	}
	return doctor.Unknown
}

// ReadFile implements [doctor.System].
func (m *Machine) ReadFile(path string) (string, bool) {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return "", false
	}
	f, err := os.Open(path)
	if err != nil {
		return "", false
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxText))
	return string(text), err == nil
}

// Lookup implements [doctor.System], with postmap -q.
func (m *Machine) Lookup(table, key string) doctor.Truth {
	postmap := tool("postmap")
	if postmap == "" || key == "" || strings.HasPrefix(key, "-") || strings.HasPrefix(table, "-") {
		return doctor.Unknown
	}
	ctx, cancel := context.WithTimeout(m.ctx, toolTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, postmap, "-q", key, table) //nolint:gosec // no shell, and the key is no option
	cmd.WaitDelay = time.Second
	var complaints limited
	cmd.Stderr = &complaints
	err := cmd.Run()
	exit := (*exec.ExitError)(nil)
	switch {
	case err == nil:
		return doctor.Yes
	case errors.As(err, &exit) && exit.ExitCode() == 1 && complaints.Len() == 0:
		return doctor.No
	}
	return doctor.Unknown
}
