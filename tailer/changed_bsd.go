//go:build darwin || freebsd

package tailer

import (
	"syscall"
	"time"
)

// changed is when the inode was changed, by a rename for one.
func changed(st *syscall.Stat_t) time.Time { return time.Unix(st.Ctimespec.Unix()) }
