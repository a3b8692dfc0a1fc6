package tailer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

var (
	errDirectory  = errors.New("it is a directory")
	errNotRegular = errors.New("it is not a regular file")
	errNotPipe    = errors.New("it is not a named pipe")
	errEmpty      = errors.New("the archive is empty, 0 bytes")
	errCompressed = errors.New("it is compressed")
)

// Error tells what could not be read and what to do about it.
type Error struct {
	Op     string // "open", "read"
	Path   string
	Err    error
	Remedy string
}

func (e *Error) Error() string {
	s := e.Op + " " + e.Path + ": " + e.Err.Error()
	if e.Remedy != "" {
		s += ": " + e.Remedy
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// openError gives err the remedy that a person needs.
func openError(path string, err error) *Error {
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		err = pe.Err
	}
	e := &Error{Op: "open", Path: path, Err: err}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Remedy = "check the path, and which file the syslog daemon or the MTA writes to"
	case errors.Is(err, fs.ErrPermission):
		e.Remedy = permissionRemedy(path)
	case errors.Is(err, errDirectory):
		e.Remedy = "name the log file in it, or a pattern such as " + path + "/*.log"
	case errors.Is(err, errNotRegular):
		e.Remedy = "name a log file; a pipe is read as standard input"
	case errors.Is(err, errEmpty):
		e.Remedy = "it was cut off when it was written; leave it out, or take it from a backup"
	case errors.Is(err, errCompressed):
		e.Remedy = "only plain files are followed; read archives with `relaylens parse`"
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		e.Remedy = "raise the limit of open files (LimitNOFILE=)"
	}
	return e
}

// permissionRemedy names the group that may read path, where there is one.
func permissionRemedy(path string) string {
	const groupRead = 0o040
	fi, err := os.Stat(path)
	if err != nil {
		return "a directory on the way is closed to this user"
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok || fi.Mode().Perm()&groupRead == 0 {
		return fmt.Sprintf("its mode is %04o; run as its owner, or let a group read it (chmod g+r)", fi.Mode().Perm())
	}
	group := strconv.FormatUint(uint64(st.Gid), 10)
	if g, err := user.LookupGroupId(group); err == nil {
		group = g.Name
	}
	return "run as a member of the group " + group
}
