//go:build e2e

package faults

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/relaylens/relaylens/store"
)

// found is what the store holds of one name.
type found struct {
	n              int
	client, sender string
}

// query hands the rows of an answer of the round's database, which it cannot change, to row.
func (r *round) query(query string, row func(*sqlite.Stmt)) error {
	conn, err := sqlite.OpenConn(filepath.Join(r.data, store.FileName), sqlite.OpenReadOnly)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetBusyTimeout(5 * time.Second)
	ctx, cancel := context.WithTimeout(context.Background(), stormTime)
	defer cancel()
	conn.SetInterrupt(ctx.Done())
	return sqlitex.ExecuteTransient(conn, query, &sqlitex.ExecOptions{ResultFunc: func(st *sqlite.Stmt) error {
		row(st)
		return nil
	}})
}

// look lists what the store holds.
func (r *round) look() (map[string]*found, error) {
	all := map[string]*found{}
	err := r.query("SELECT coalesce(recipient, user, ''), count(*), min(client_ip), min(sender) FROM events GROUP BY 1", func(st *sqlite.Stmt) {
		all[st.ColumnText(0)] = &found{st.ColumnInt(1), st.ColumnText(2), st.ColumnText(3)}
	})
	return all, err
}

// settle waits until everything has come, or nothing comes any more.
func (r *round) settle() {
	last, since := -1, time.Now()
	for {
		all, err := r.look()
		if err == nil {
			missing, n := r.missing(all)
			if len(missing) == 0 {
				break
			}
			if n != last {
				last, since = n, time.Now()
			}
		}
		select {
		case <-r.daemon.ended:
			r.problem("the daemon ended by itself: %v", r.daemon.err)
			return
		case <-time.After(20 * time.Millisecond):
		}
		if time.Since(since) > settleTime {
			r.trace("nothing came for %v: %v", settleTime, err)
			return
		}
	}
	time.Sleep(100 * time.Millisecond) // for what should not come
}

// missing lists what has not come, and how much has.
func (r *round) missing(all map[string]*found) (missing []*refusal, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, f := range r.refusals {
		if got := all[key]; got != nil {
			n += got.n
			if got.n >= f.want {
				continue
			}
		}
		if f.doubtful == "" {
			missing = append(missing, f)
		}
	}
	return missing, n
}

func (r *round) verdict() {
	if r.daemon != nil {
		page, err := r.daemon.get("/metrics")
		if err != nil || !strings.Contains(page, "relaylens_store_up 1") {
			r.problem("the metrics do not say that the store is up: %v", err)
		}
		r.term()
	}
	if r.seed%4 == 0 { // whoever starts again finds nothing new
		r.up()
		time.Sleep(300 * time.Millisecond)
		r.term()
	}
	r.compare()
	r.sound()
}

// compare holds the store against the truth.
func (r *round) compare() {
	all, err := r.look()
	check(err)
	missing, n := r.missing(all)
	r.trace("%d refusals, %d events, %d missing", len(r.refusals), n, len(missing))
	var lost, twice, wrong, alien []string
	for _, f := range missing {
		lost = append(lost, fmt.Sprintf("%s of generation %d", f.key, f.gen.id))
	}
	for key, got := range all {
		switch f := r.refusals[key]; {
		case f == nil:
			alien = append(alien, key)
		case got.n > f.want:
			twice = append(twice, fmt.Sprintf("%s of generation %d: %d times", key, f.gen.id, got.n))
		case !f.is(got, r.forgot != ""):
			wrong = append(wrong, fmt.Sprintf("%s of generation %d is of %s %s, not %s %s", key, f.gen.id, got.client, got.sender, f.client, f.sender))
		}
	}
	r.list("lost", lost)
	r.list("double", twice)
	r.list("never written", alien)
	r.list("of somebody else", wrong)
}

// is reports whether the store says of f what the log does. A field may be
// missing where the log tells it in another file, or the daemon may forget.
func (f *refusal) is(got *found, forgot bool) bool {
	torn := forgot || f.session.torn()
	return (got.client == f.client || torn && got.client == "") && (got.sender == f.sender || torn && got.sender == "")
}

// list reports some of what is wrong.
func (r *round) list(what string, texts []string) {
	if len(texts) == 0 {
		return
	}
	slices.Sort(texts)
	text := fmt.Sprintf("%d %s:", len(texts), what)
	for _, t := range texts[:min(len(texts), 8)] {
		text += "\n  " + t
	}
	r.problem("%s", text)
}

// sound checks that the database itself is in order.
func (r *round) sound() {
	check(r.query("SELECT (SELECT count(*) FROM events), (SELECT coalesce(sum(events), 0) FROM hourly_totals)", func(st *sqlite.Stmt) {
		if events, hourly := st.ColumnInt(0), st.ColumnInt(1); events != hourly {
			r.problem("%d events, but the hours add up to %d", events, hourly)
		}
	}))
	check(r.query("PRAGMA integrity_check(1)", func(st *sqlite.Stmt) {
		if said := st.ColumnText(0); said != "ok" {
			r.problem("the database is not sound: %s", said)
		}
	}))
}
