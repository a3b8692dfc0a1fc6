package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"zombiezen.com/go/sqlite"
)

// Damaged reports whether err says that the file is not, or no longer, a
// database that SQLite can read.
func Damaged(err error) bool { return err != nil && FailureOf(err) == FailureDamaged }

// OpenOrReplace opens the database in dir. When the one that is there is
// damaged, it is put aside beside the new one, under a name with the time now,
// and aside is its path: nothing is ever deleted, and what can be saved of it
// can be with sqlite3's .recover. It calls updating before it brings a database of
// an older version up to date.
func OpenOrReplace(ctx context.Context, dir string, now time.Time, updating Updating) (s *Store, aside string, err error) {
	s, err = openDir(ctx, dir, updating)
	if err == nil || !Damaged(err) {
		return s, "", err
	}
	path := filepath.Join(dir, FileName)
	aside = fmt.Sprintf("%s.damaged-%s", path, now.UTC().Format("20060102T150405Z"))
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(path+suffix, aside+suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, "", fmt.Errorf("put damaged event store aside: %w", err)
		}
	}
	s, err = Open(ctx, dir)
	return s, aside, err
}

// Check reads the whole database and reports the first inconsistency. It takes
// about a second for each gigabyte; commits go on meanwhile.
func (s *Store) Check(ctx context.Context) error {
	var result string
	if err := s.read.row(ctx, func(st *sqlite.Stmt) { result = st.ColumnText(0) }, "PRAGMA quick_check(1)"); err != nil {
		return fmt.Errorf("check event store %s: %w", s.path, err)
	}
	if result != "ok" {
		return fmt.Errorf("check event store %s: %s; stop relaylens, keep a copy, and try sqlite3's .recover", s.path, result)
	}
	return nil
}
