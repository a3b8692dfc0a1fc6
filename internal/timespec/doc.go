// Package timespec reads times as systemd.time(7) and journalctl(1) do, and RFC
// 3339 besides. It has no clock: what is relative is relative to a time that
// the caller gives.
package timespec
