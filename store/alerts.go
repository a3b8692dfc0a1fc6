package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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
	err = s.read.QueryRowContext(ctx, "SELECT state FROM alerts").Scan(&state)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	return state, nil
}
