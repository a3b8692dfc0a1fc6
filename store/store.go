package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"zombiezen.com/go/sqlite"
)

// FileName is the name of the database in the data directory.
const FileName = "events.db"

// ErrNewer is returned for a database that a newer version of the program made.
var ErrNewer = errors.New("the database was made by a newer version of relaylens")

// Store is an open database. Its methods may be used by several goroutines;
// writes are done one after the other.
type Store struct {
	path  string
	read  readers
	using chan struct{} // holds a token while somebody uses write; nil where the store is only read
	write *writer       // nil where the store is only read
	ships atomic.Bool   // there is an outbox
	daily bool          // there is daily_top
	waits bool          // there is hours_waiting
	lists bool          // there is hourly_lists
	tops  limits

	// Of whoever writes.
	stmts   statements
	totals  totals
	waiting waiting
}

// Open opens the database in directory dir, and makes both when they are not
// there. A database that SQLite cannot read is put aside, never deleted: see
// [OpenOrReplace].
func Open(ctx context.Context, dir string) (*Store, error) { return openDir(ctx, dir, nil) }

func openDir(ctx context.Context, dir string, updating Updating) (*Store, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil { //nolint:gosec,nolintlint // the directory is the operator's to name; gosec does not see it each time
		return nil, fmt.Errorf("make data directory: %w; set data_dir to a directory that relaylens may write", err)
	}
	s := &Store{path: filepath.Join(dir, FileName), tops: limits{topValues, topDaily}, totals: totals{}, using: make(chan struct{}, 1)}
	if err := s.open(ctx, updating); err != nil {
		s.Close()
		return nil, fmt.Errorf("open event store %s: %w", s.path, err)
	}
	return s, nil
}

// OpenReadOnly opens the database for questions only, while a daemon writes it
// or not. It fails when there is none.
func OpenReadOnly(ctx context.Context, dir string) (*Store, error) {
	s := &Store{path: filepath.Join(dir, FileName), tops: limits{topValues, topDaily}}
	s.read.path, s.read.flags, s.read.cache = s.path, sqlite.OpenReadOnly, readCache
	if _, err := os.Stat(s.path); err != nil { //nolint:gosec // the directory is the operator's to name
		return nil, fmt.Errorf("open event store: %w; is data_dir right, and did the daemon run?", err)
	}
	version := 0
	err := s.read.row(ctx, func(st *sqlite.Stmt) { version = st.ColumnInt(0) }, "PRAGMA user_version")
	s.daily, s.waits, s.lists = version >= dailyVersion, version >= waitingVersion, version >= listsVersion
	switch {
	case err != nil:
		err = s.unreadable(err)
	case version == 0:
		err = errors.New("there is nothing in it; is data_dir right, and did the daemon run?")
	default:
		err = checkVersion(version)
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("open event store %s: %w", s.path, err)
	}
	return s, nil
}

// unreadable says why, and what to do, where SQLite only says that it cannot open the
// file.
func (s *Store) unreadable(err error) error {
	if FailureOf(err) != FailureReadOnly {
		return err
	}
	file, failed := os.Open(s.path)
	if failed != nil {
		return errors.Unwrap(failed) // permission denied
	}
	_ = file.Close()
	return fmt.Errorf("%w; who reads what a daemon did not close has to write beside it: copy events.db and events.db-wal to a directory of your own and name it with --data-dir", err)
}

func (s *Store) open(ctx context.Context, updating Updating) (err error) {
	if s.write, err = openWriter(s.path); err != nil {
		return err
	}
	s.daily, s.waits, s.lists = true, true, true
	if err := s.migrate(ctx, updating); err != nil {
		return err
	}
	s.read.path, s.read.flags, s.read.cache = s.path, sqlite.OpenReadWrite, readCache
	if err := s.read.row(ctx, func(st *sqlite.Stmt) { s.ships.Store(st.ColumnBool(0)) }, "SELECT EXISTS (SELECT 1 FROM outbox)"); err != nil {
		return err
	}
	if err := s.stmts.prepare(s.write.conn); err != nil {
		return err
	}
	return s.recover(ctx)
}

// Kibibytes of pages that the daemon's connections keep. Each page takes twice its
// size, and a sort takes as much as the pages do.
const (
	writeCache = 4000
	readCache  = 1000
)

// Close ends all statements and closes the file.
func (s *Store) Close() error {
	s.read.close()
	if err := s.closeWriter(); err != nil {
		return fmt.Errorf("close event store %s: %w", s.path, err)
	}
	return nil
}

// closeTime is how long Close waits for a write, as on a disk that hangs. What is
// not closed then ends with the program, and loses nothing.
const closeTime = 5 * time.Second

func (s *Store) closeWriter() error {
	if s.using == nil {
		return nil // it only reads
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	err := s.writing(ctx, "end writing", func(w *writer) error {
		s.write = nil
		return w.close()
	})
	if errors.Is(err, errClosed) {
		return nil
	}
	return err
}
