// Package stack runs relaylens with real neighbours: Prometheus that scrapes it,
// an Alertmanager that it sends to, and a pager that shows what arrives. All of
// them listen on loopback, live in one directory, and need no privilege. The
// end-to-end tests and `make stack` use it; nothing of it is in the program.
package stack
