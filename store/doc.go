// Package store keeps events and source positions in one SQLite database, so
// that both move in one transaction: after a crash at any instant the database
// holds every event up to the position exactly once. Ids make every write
// repeatable.
//
// The file is events.db in the data directory. It is meant to be opened by a
// person as well: see the views refusals and hourly, and docs/store.md.
package store
