package tailer

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestOpenReaderErrors(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "empty.gz"), "")
	for name, want := range map[string]error{
		"missing.log": fs.ErrNotExist, ".": errDirectory, "empty.gz": errEmpty,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, name)
			_, err := OpenReader(path)
			if !errors.Is(err, want) {
				t.Fatalf("error %v, want %v", err, want)
			}
			if e := (*Error)(nil); !errors.As(err, &e) || e.Remedy == "" || !strings.Contains(err.Error(), path) {
				t.Errorf("error %q does not name the path and a remedy", err)
			}
		})
	}
}

// Root may read everything, so that the file system cannot make this one.
func TestPermissionHasARemedy(t *testing.T) {
	err := openError("/var/log/mail.log", &fs.PathError{Op: "open", Path: "/var/log/mail.log", Err: fs.ErrPermission})
	if !errors.Is(err, fs.ErrPermission) || err.Remedy == "" || !strings.Contains(err.Error(), "/var/log/mail.log") {
		t.Errorf("error %q does not name the path and a remedy", err)
	}
}

func TestReference(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.Local)
	written := time.Date(2026, 11, 20, 6, 25, 0, 0, time.Local)
	day := func(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.Local) }
	for name, want := range map[string]time.Time{
		"mail.log": written, "mail.log.1": written, "mail.log.20": written,
		"mail.log-20241231":         day(2025, 1, 1),
		"mail.log-20241231.gz":      day(2025, 1, 1),
		"mainlog.2024-12-31":        day(2025, 1, 1),
		"mail-20241231.log":         day(2025, 1, 1),
		"mail.log-2024123106":       day(2025, 1, 1),
		"mail.log-20241231-0625.xz": day(2025, 1, 1),
		"mail.log-20261121":         written, // the weekly rotation of a quiet log
		"mail.log-20241331":         written, // no date
		"mx20241231":                written,
		"20241231-mail.log":         written,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), name)
			writeFile(t, path, "a\n")
			if err := os.Chtimes(path, written, written); err != nil {
				t.Fatal(err)
			}
			fi, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if got := reference(path, fi, now); !got.Equal(want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}
