// Package syslog reads what stands around an MTA's own text: time, host,
// program and pid, in every framing that mail logs come in.
//
//   - RFC 3164 with its missing year, also as raw datagrams without a host,
//     postlogd's zero-padded form, journalctl -o short and short-precise
//   - RFC 3339 stamps (rsyslog's FileFormat, syslog-ng's ISODATE, journalctl
//     -o short-iso and short-iso-precise), journalctl -o short-full, short-unix
//   - RFC 5424, with or without priority, octet counted or not
//   - either of these with facility and severity, as busybox, FreeBSD's syslogd -v
//     and socklog write them
//   - journalctl -o json, json-pretty, json-seq, json-sse, export and verbose
//   - what shippers and stores of logs make of a line or of its parts: Elasticsearch,
//     Logstash, Fluentd, Fluent Bit, Vector, Graylog, Loki, Splunk, rsyslog, CloudWatch; as
//     one JSON object each, in an array, or in a table whose first line names the columns
//   - Papertrail's archives, aws logs --output text, and log show of macOS in every style
//   - any of these in colours, as ccze, journalctl and grep write them
//   - the syslogd of Solaris, AIX and macOS, syslog-ng's FULLDATE, UTF-16 as Windows writes it
//   - Exim's own files, and the second stamp of Exim over syslog
//   - Docker's json-file, Kubernetes CRI, and the prefixes of docker compose,
//     kubectl, stern, podman and docker logs, aws logs tail, logcli and grep around any of these
//
// # Joined records
//
// Exim over syslog, Sendmail, Docker and CRI cut long records into pieces; the
// [Decoder] joins them. Only Docker, CRI and Exim say which piece is the last.
// Sendmail marks all but the last with a trailing " ...", which its text may
// end in too: then the record is complete when another line of the same
// process comes, and [Decoder.Pop] hands it out.
//
// A record that Exim cut at a newline is its first line; what follows is a
// continuation, as it is in Exim's own files.
//
// # Memory
//
// Whatever comes in, a Decoder keeps at most 32 unfinished records of 32 KiB
// with their last line, two unfinished container lines of [relaylens.MaxLine],
// one entry of an exported journal of four times that length, and the last record
// of 16 hosts up to 8 KiB each.
package syslog
