// Package ask answers questions over the event store or over log files:
// listings, summaries and findings. The commands and the HTTP API ask it alike.
package ask
