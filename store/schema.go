package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

//go:embed migrations/*.sql
var migrations embed.FS

// latestVersion is the schema that this program reads and writes: the number of
// migrations.
func latestVersion() int {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return 0
	}
	return len(names)
}

func checkVersion(version int) error {
	if latest := latestVersion(); version > latest {
		return fmt.Errorf("%w: its schema is %d, this one knows %d; update relaylens or set another data_dir", ErrNewer, version, latest)
	}
	return nil
}

// Update is what a database of an older version needs to be brought up to date.
type Update struct {
	From, To int   // versions of the schema
	Bytes    int64 // the size of the database
	// About is how long it takes where the disk is not what takes it.
	About time.Duration
}

// Updating is told what is about to be done, and returns what is called when it is
// done, with the error if there was one.
type Updating func(Update) (done func(error))

// perByte is how long a step takes for each byte of the database, of those that
// read every event: 1 to 2 s for a million, which are 400 MB.
var perByte = map[int]float64{6: 5}

func (s *Store) update(from, to int) (Update, error) {
	u := Update{From: from, To: to}
	_, err := s.write.row(func(st *sqlite.Stmt) { u.Bytes = st.ColumnInt64(0) }, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
	for v := from + 1; v <= to; v++ {
		u.About += time.Duration(perByte[v] * float64(u.Bytes))
	}
	return u, err
}

// migrate brings the schema to the latest version, each step in a transaction
// of its own, so that a crash in between leaves a version that goes on.
func (s *Store) migrate(ctx context.Context, updating Updating) error {
	var version int
	if _, err := s.write.row(func(st *sqlite.Stmt) { version = st.ColumnInt(0) }, "PRAGMA user_version"); err != nil {
		return err
	}
	if err := checkVersion(version); err != nil {
		return err
	}
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	slices.Sort(names)
	done := func(error) {}
	if version > 0 && version < len(names) && updating != nil {
		u, err := s.update(version, len(names))
		if err != nil {
			return err
		}
		done = updating(u)
	}
	err = s.upgrade(ctx, names, version)
	done(err)
	return err
}

func (s *Store) upgrade(ctx context.Context, names []string, version int) error {
	for i, name := range names[version:] {
		script, err := migrations.ReadFile(name)
		if err == nil {
			err = apply(ctx, s.write, string(script), version+i+1)
		}
		if err != nil {
			return fmt.Errorf("apply %s: %w", name, err)
		}
	}
	return nil
}

// apply makes the schema the given version with a script: all of it, or nothing.
func apply(ctx context.Context, w *writer, script string, version int) error {
	return w.transact(ctx, func(w *writer) error {
		if err := sqlitex.ExecuteScript(w.conn, script, nil); err != nil {
			return err
		}
		_, err := w.exec(fmt.Sprintf("PRAGMA user_version = %d", version))
		return err
	})
}
