package store

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"
)

// SaveAlerts keeps the state of the alerts, in place of what was kept before.
func (s *Store) SaveAlerts(ctx context.Context, state []byte) error {
	const query = "INSERT INTO alerts (one, state) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET state = excluded.state"
	return s.transact(ctx, "save alerts", func(w *writer) error {
		_, err := w.exec(query, state)
		return err
	})
}

// Alerts is what SaveAlerts kept last; nil when it never did.
func (s *Store) Alerts(ctx context.Context) (state []byte, err error) {
	err = s.read.row(ctx, func(st *sqlite.Stmt) {
		state = make([]byte, st.ColumnLen(0))
		st.ColumnBytes(0, state)
	}, "SELECT state FROM alerts")
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	return state, nil
}
