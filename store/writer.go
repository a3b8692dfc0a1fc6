package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
)

// writer is the one connection that changes the database. Like those that read, it is
// not one of database/sql's: what that puts between the program and a statement, and
// copies for it, took as long as the statement.
type writer struct{ conn *sqlite.Conn }

// busyTimeout is how long a statement waits for another program's lock.
const busyTimeout = 2 * time.Second

// openWriter opens the database in path, and makes it if it is not there.
func openWriter(path string) (*writer, error) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite, sqlite.OpenCreate)
	if err != nil {
		return nil, err
	}
	conn.SetBusyTimeout(busyTimeout)
	w := &writer{conn}
	for _, pragma := range []string{
		"auto_vacuum = incremental", // before the first table is made
		"journal_mode = wal", "synchronous = normal", "journal_size_limit = 16777216", "wal_autocheckpoint = 4000", fmt.Sprintf("cache_size = -%d", writeCache),
	} {
		if _, err := w.exec("PRAGMA " + pragma); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	return w, nil
}

func (w *writer) close() error { return w.conn.Close() }

// exec runs one statement and reports how many rows it changed.
func (w *writer) exec(query string, args ...any) (int64, error) {
	st, err := w.conn.Prepare(query)
	if err != nil {
		return 0, err
	}
	bind(st, args)
	return w.run(st)
}

// run does what a statement says, with what is bound to it.
func (w *writer) run(st *sqlite.Stmt) (int64, error) {
	for {
		if more, err := st.Step(); err != nil {
			return 0, err
		} else if !more {
			break
		}
	}
	return int64(w.conn.Changes()), st.Reset()
}

// row runs a statement and hands its first row, if there is one, to scan.
func (w *writer) row(scan func(*sqlite.Stmt), query string, args ...any) (found bool, err error) {
	st, err := w.conn.Prepare(query)
	if err != nil {
		return false, err
	}
	bind(st, args)
	if found, err = st.Step(); err != nil {
		return false, err
	}
	if found {
		scan(st)
	}
	return found, st.Reset()
}

// bind gives a statement its arguments.
func bind(st *sqlite.Stmt, args []any) {
	for i, a := range args {
		switch v := a.(type) {
		case nil:
			st.BindNull(i + 1)
		case string:
			st.BindText(i+1, v)
		case []byte:
			st.BindBytes(i+1, v)
		case int64:
			st.BindInt64(i+1, v)
		case int:
			st.BindInt64(i+1, int64(v))
		default: // it would keep what was bound before
			panic(fmt.Sprintf("no column holds a %T", a))
		}
	}
}

// during runs do on the connection, which ends its statement when ctx does.
func (w *writer) during(ctx context.Context, do func(*writer) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w.conn.SetInterrupt(ctx.Done())
	defer w.conn.SetInterrupt(nil)
	err := do(w)
	if err != nil && sqlite.ErrCode(err).ToPrimary() == sqlite.ResultInterrupt && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// transact runs do in a transaction, of which nothing stays when it returns an error.
func (w *writer) transact(ctx context.Context, do func(*writer) error) error {
	err := w.during(ctx, func(w *writer) error {
		_, err := w.exec("BEGIN IMMEDIATE")
		if err == nil {
			err = do(w)
		}
		if err == nil {
			_, err = w.exec("COMMIT")
		}
		return err
	})
	if err != nil && !w.conn.AutocommitEnabled() {
		_, undo := w.exec("ROLLBACK")
		return errors.Join(err, undo)
	}
	return err
}
