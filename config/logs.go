package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

// usualLogs are where packaged mail servers write, in the order in which they
// are looked for.
var usualLogs = []struct{ path, who string }{
	{"/var/log/mail.log", "Debian, Ubuntu: Postfix, Sendmail"},
	{"/var/log/maillog", "RHEL, Fedora, FreeBSD, Plesk: Postfix, Sendmail"},
	{"/var/log/mail", "SUSE: Postfix, Sendmail"},
	{"/var/log/postfix.log", "Postfix with maillog_file"},
	{"/var/log/exim4/mainlog", "Debian, Ubuntu: Exim"},
	{"/var/log/exim/main.log", "RHEL, Fedora, SUSE: Exim"},
	{"/var/log/exim/mainlog", "FreeBSD, Alpine, DirectAdmin: Exim"},
	{"/var/log/exim_mainlog", "cPanel: Exim"},
	{"/var/log/exim/exim_main.log", "Gentoo: Exim"},
	{"/var/spool/exim/log/mainlog", "Exim as its authors ship it"},
}

// UsualLogs lists the files that are looked for when no sources are set.
func UsualLogs() []string {
	var paths []string
	for _, l := range usualLogs {
		paths = append(paths, l.path)
	}
	return paths
}

// FindLogs returns the usual logs that exist below root, which is "/" but in
// tests. A file that has two names is returned once; a directory is no log. A
// log that may not be read is returned: to find it and say so is better than
// to miss it.
func FindLogs(root string) []string {
	var found []string
	var seen []fs.FileInfo
next:
	for _, path := range UsualLogs() {
		path = filepath.Join(root, path)
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		for _, other := range seen {
			if os.SameFile(info, other) {
				continue next
			}
		}
		seen = append(seen, info)
		found = append(found, path)
	}
	return found
}

// journals are where systemd keeps the journal: for good, or until the next boot.
var journals = []string{"/var/log/journal", "/run/log/journal"}

// hasJournal reports whether systemd keeps a journal below root: a directory named by the
// id of the machine, which has files.
func hasJournal(root string) bool {
	for _, dir := range journals {
		if files, err := filepath.Glob(filepath.Join(root, dir, "*", "*.journal")); err == nil && len(files) > 0 {
			return true
		}
	}
	return false
}

// FindSources returns the sources that are set or, when there are none, one for
// each of the usual logs below root; where there is no such log, the journal.
func (c *Config) FindSources(root string) []Source {
	if len(c.Sources) > 0 {
		return c.Sources
	}
	var sources []Source
	for _, path := range FindLogs(root) {
		sources = append(sources, Source{Type: TypeFile, Path: path, MTA: "auto", Start: "end"})
	}
	if len(sources) == 0 && hasJournal(root) {
		sources = []Source{{Type: TypeJournal, MTA: "auto", Start: "end"}}
	}
	return sources
}

// NoSources is the error of a configuration without sources on a machine where
// none was found.
func NoSources() error {
	return &Error{Key: "sources", Problem: "none is set, and neither one of the usual logs exists nor a journal: " + strings.Join(UsualLogs(), ", "),
		Remedy: "name the log: relaylens serve FILE, or sources: [{path: FILE}] in the configuration file"}
}

// Check looks at the machine, as Validate does not. The error is what keeps the
// daemon from starting; warnings are what it starts with all the same.
func (c *Config) Check() (warnings []string, err error) {
	return c.check("/")
}

func (c *Config) check(root string) (warnings []string, err error) {
	sources := c.FindSources(root)
	if len(sources) == 0 {
		return nil, NoSources()
	}
	for i, s := range sources {
		if w := s.check(); w != "" {
			warnings = append(warnings, fmt.Sprintf("sources[%d].%s: %s", i, s.nameKey(), w))
		}
	}
	if c.exposed() {
		warnings = append(warnings, fmt.Sprintf("listen: %s can be reached from other machines, and web.config_file sets no passwords: what is shown is personal data", quote(c.Listen)))
	}
	warnings = append(warnings, c.NATS.check()...)
	if info, err := os.Stat(c.DataDir); err == nil && !info.IsDir() {
		return warnings, &Error{Key: "data_dir", Problem: quote(c.DataDir) + " is not a directory", Remedy: "name a directory"}
	}
	if c.Web.ConfigFile != "" {
		if err := readable(c.Web.ConfigFile); err != nil {
			return warnings, &Error{Key: "web.config_file", Problem: quote(c.Web.ConfigFile) + " cannot be read: " + err.Error(), Remedy: "name a file that the daemon's user can read"}
		}
	}
	return warnings, nil
}

// exposed reports whether anybody on the network may ask.
func (c *Config) exposed() bool {
	host := strings.TrimSuffix(c.Listen[:strings.LastIndex(c.Listen, ":")+1], ":")
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	loopback := err == nil && addr.IsLoopback() || host == "localhost"
	return !loopback && c.Web.ConfigFile == ""
}

// check tells what is wrong with the source now; it may be mended while the
// daemon runs.
func (s *Source) check() string {
	switch {
	case s.Stdin(), s.Type == TypeNATS:
		return ""
	case s.Type == TypeSyslog:
		if s.Remote() {
			return quote(s.Listen) + " can be reached from other machines: whoever can send to it can make up refusals"
		}
		return ""
	case s.Type == TypeJournal:
		if _, err := os.Stat(s.Directory); s.Directory != "" && err != nil {
			return quote(s.Directory) + " cannot be read: " + cause(err).Error()
		}
		return ""
	case s.Type == TypePipe:
		if info, err := os.Stat(s.Path); err != nil {
			return quote(s.Path) + " cannot be read: " + cause(err).Error()
		} else if info.Mode().Type() != fs.ModeNamedPipe {
			return quote(s.Path) + " is no named pipe: make it with mkfifo, or leave out type: pipe"
		}
		return ""
	}
	return checkPath(s.Path)
}

// checkPath tells what is wrong with a path or pattern.
func checkPath(path string) string {
	paths := []string{path}
	if strings.ContainsAny(path, `*?[\`) {
		// Validate has refused what is no pattern.
		paths, _ = filepath.Glob(path)
		if len(paths) == 0 {
			return "no file matches " + quote(path) + " yet"
		}
	}
	var wrong []string
	for _, p := range paths {
		if err := readable(p); errors.Is(err, fs.ErrNotExist) {
			wrong = append(wrong, quote(p)+" does not exist yet")
		} else if err != nil {
			wrong = append(wrong, quote(p)+" cannot be read: "+err.Error())
		}
	}
	return strings.Join(wrong, "; ")
}

// readable opens a regular file, and only that: opening a pipe would wait.
func readable(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return cause(err)
	case info.IsDir():
		return errors.New("it is a directory")
	case !info.Mode().IsRegular():
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return cause(err)
	}
	return f.Close()
}

// cause leaves out operation and path, which the message has already.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
