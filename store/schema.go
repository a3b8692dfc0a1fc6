package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
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
func migrate(ctx context.Context, db *sql.DB) error {
	version, err := schemaVersion(ctx, db)
	if err != nil {
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
		if err := apply(ctx, db, name, version+i+1); err != nil {
			return fmt.Errorf("apply %s: %w", name, err)
		}
	}
	return nil
}

func apply(ctx context.Context, db *sql.DB, name string, version int) error {
	script, err := migrations.ReadFile(name)
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, string(script)); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version)); err != nil {
		return err
	}
	return tx.Commit()
}
