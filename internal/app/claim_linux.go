package app

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// claim keeps a directory for this process until it is closed or dies. Where the
// file system knows no locks, nobody has claimed it.
func claim(dir string) (io.Closer, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errors.Join(errClaimed, f.Close())
	}
	return f, nil
}
