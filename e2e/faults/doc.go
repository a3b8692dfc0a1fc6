// Package faults breaks everything around a running relaylens that breaks in
// the life of a mail server, and then counts: every refusal that was written to
// a log is in the event store exactly once, and nothing else is.
//
// A round is made from a number, its seed: which servers write, how they write,
// how their logs are rotated, and what happens to the daemon meanwhile. It is
// killed, at random or in a certain system call; it is stopped, frozen and told
// to read its configuration again; its disk fills up, turns read-only or
// reports errors; another program holds the database locked. Then the faults
// end, the daemon has time to read what there is, and the store is compared
// with what was written.
//
//	go test -tags e2e ./e2e/faults -seed 4711 -rounds 1
//
// repeats a round. What happened at which moment depends on the machine too, so
// that a failure may want several runs; a failed round keeps its directory,
// with the logs, the database, what the daemon wrote and a trace of all that was
// done. The tests carry the tag e2e; they take root and strace.
package faults
