package store

import (
	"context"
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"
)

// Failure is why a write did not succeed, from a closed list, and what to do.
type Failure uint8

const (
	FailureOther    Failure = iota
	FailureDiskFull         // no space on the device, or a quota
	FailureReadOnly         // of the file, its directory or its file system
	FailureLocked           // by another program for too long
	FailureIO               // the device reports an error
	FailureDamaged          // the file is no database any more
	numFailures
)

var failures = [numFailures]struct{ name, remedy string }{
	FailureOther:    {"other", "see the error"},
	FailureDiskFull: {"disk_full", "make space on the disk of data_dir, or set store.max_size lower"},
	FailureReadOnly: {"read_only", "make data_dir and the files in it writable for relaylens"},
	FailureLocked:   {"locked", "end the program that holds events.db locked, such as a sqlite3 shell in a transaction"},
	FailureIO:       {"io", "check the disk of data_dir; the kernel log tells more"},
	FailureDamaged:  {"damaged", "restart relaylens: it puts the damaged events.db aside and begins another"},
}

func (f Failure) String() string {
	if f < numFailures {
		return failures[f].name
	}
	return fmt.Sprintf("Failure(%d)", uint8(f))
}

// Remedy is what to do about it.
func (f Failure) Remedy() string {
	if f < numFailures {
		return failures[f].remedy
	}
	return ""
}

// Failures lists every failure.
func Failures() []Failure {
	fs := make([]Failure, numFailures)
	for i := range fs {
		fs[i] = Failure(i)
	}
	return fs
}

// FailureOf says why a write did not succeed.
func FailureOf(err error) Failure {
	if errors.Is(err, context.DeadlineExceeded) {
		return FailureLocked
	}
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultFull:
		return FailureDiskFull
	case sqlite.ResultReadOnly, sqlite.ResultCantOpen, sqlite.ResultPerm:
		return FailureReadOnly
	case sqlite.ResultBusy, sqlite.ResultLocked:
		return FailureLocked
	case sqlite.ResultIOErr:
		return FailureIO
	case sqlite.ResultCorrupt, sqlite.ResultNotADB:
		return FailureDamaged
	}
	return FailureOther
}
