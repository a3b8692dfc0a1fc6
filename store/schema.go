package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"net/url"
	"slices"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

//go:embed migrations/*.sql
var migrations embed.FS

// urlPath escapes a file path for a URI file name.
type urlPath struct{ path string }

func (p *urlPath) String() string { return (&url.URL{Path: p.path}).EscapedPath() }

// latestVersion is the schema that this program reads and writes: the number of
// migrations.
func latestVersion() int {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return 0
	}
	return len(names)
}

func schemaVersion(ctx context.Context, db *sql.DB) (int, error) {
	var version int
	err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version)
	return version, err
}

func checkVersion(version int) error {
	if latest := latestVersion(); version > latest {
		return fmt.Errorf("%w: its schema is %d, this one knows %d; update relaylens or set another data_dir", ErrNewer, version, latest)
	}
	return nil
}

// migrate brings the schema to the latest version, each step in a transaction
// of its own, so that a crash in between leaves a version that goes on.
func migrate(ctx context.Context, w *writer) error {
	var version int
	if _, err := w.row(func(st *sqlite.Stmt) { version = st.ColumnInt(0) }, "PRAGMA user_version"); err != nil {
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
	for i, name := range names[version:] {
		if err := apply(ctx, w, name, version+i+1); err != nil {
			return fmt.Errorf("apply %s: %w", name, err)
		}
	}
	return nil
}

func apply(ctx context.Context, w *writer, name string, version int) error {
	script, err := migrations.ReadFile(name)
	if err != nil {
		return err
	}
	return w.transact(ctx, func(w *writer) error {
		if err := sqlitex.ExecuteScript(w.conn, string(script), nil); err != nil {
			return err
		}
		_, err := w.exec(fmt.Sprintf("PRAGMA user_version = %d", version))
		return err
	})
}
