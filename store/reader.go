package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"zombiezen.com/go/sqlite"
)

const (
	// idleReaders wait for the next question, and no longer than idleTime: each has
	// a cache.
	idleReaders = 4
	idleTime    = time.Minute
)

// readers are connections that read, as many as there are questions at once.
type readers struct {
	path  string
	flags sqlite.OpenFlags
	cache int // kibibytes

	mu     sync.Mutex
	idle   []*sqlite.Conn
	timer  *time.Timer // closes them
	closed bool
}

// take gives a connection whose statements end when ctx does. Its user gives it
// back.
func (r *readers) take(ctx context.Context) (conn *sqlite.Conn, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil, errClosed
	}
	if n := len(r.idle) - 1; n >= 0 {
		conn, r.idle = r.idle[n], r.idle[:n]
	}
	r.mu.Unlock()
	if conn == nil {
		if conn, err = r.open(); err != nil {
			return nil, err
		}
	}
	conn.SetInterrupt(ctx.Done())
	return conn, nil
}

func (r *readers) open() (*sqlite.Conn, error) {
	conn, err := sqlite.OpenConn(r.path, r.flags)
	if err != nil {
		return nil, err
	}
	conn.SetBusyTimeout(busyTimeout)
	w := &writer{conn}
	for _, pragma := range []string{"query_only = 1", fmt.Sprintf("cache_size = -%d", r.cache)} {
		if _, err = w.exec("PRAGMA " + pragma); err != nil {
			break
		}
	}
	if err == nil {
		err = conn.CreateFunction(inNetwork, &sqlite.FunctionImpl{NArgs: 2, Deterministic: true,
			Scalar: func(_ sqlite.Context, args []sqlite.Value) (sqlite.Value, error) {
				if args[0].Type() != sqlite.TypeText || args[1].Type() != sqlite.TypeText {
					return sqlite.IntegerValue(0), nil
				}
				in, err := isInNetwork(args[0].Text(), args[1].Text())
				return sqlite.IntegerValue(in), err
			}})
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// query hands each row to read, which says whether it wants more, and returns its
// error.
func (r *readers) query(ctx context.Context, query string, args []any, read func(*sqlite.Stmt) (more bool, err error)) (err error) {
	conn, err := r.take(ctx)
	if err != nil {
		return err
	}
	defer r.give(conn)
	st, _, err := conn.PrepareTransient(query)
	if err != nil {
		return err
	}
	defer func() {
		if e := st.Finalize(); err == nil && ctx.Err() == nil {
			err = e
		}
	}()
	bind(st, args)
	for {
		more, err := st.Step()
		switch {
		case err != nil && ctx.Err() != nil:
			return ctx.Err()
		case err != nil || !more:
			return err
		}
		if more, err := read(st); err != nil || !more {
			return err
		}
	}
}

// row hands the first row, if there is one, to read.
func (r *readers) row(ctx context.Context, read func(*sqlite.Stmt), query string, args ...any) error {
	return r.query(ctx, query, args, func(st *sqlite.Stmt) (bool, error) {
		read(st)
		return false, nil
	})
}

// give takes a connection back.
func (r *readers) give(conn *sqlite.Conn) {
	conn.SetInterrupt(nil)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || len(r.idle) >= idleReaders {
		closeReader(conn)
		return
	}
	r.idle = append(r.idle, conn)
	if r.timer == nil {
		r.timer = time.AfterFunc(idleTime, r.rest)
		return
	}
	r.timer.Reset(idleTime)
}

// rest closes what nobody asked for.
func (r *readers) rest() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rested()
}

// rested closes what is idle, under the lock.
func (r *readers) rested() {
	for _, conn := range r.idle {
		closeReader(conn)
	}
	r.idle = nil
}

// close has no connection be given out any more; those in use close when they come back.
func (r *readers) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.timer != nil {
		r.timer.Stop()
	}
	r.rested()
}

// closeReader has nothing to lose: what it could not close is memory.
func closeReader(conn *sqlite.Conn) { _ = conn.Close() }
