// Package alerting runs relaylens with a real Prometheus and Alertmanager: what
// pages, how often, and whether everything shipped for them works. The tests
// carry the tag e2e and need Debian's packages prometheus and
// prometheus-alertmanager.
package alerting
