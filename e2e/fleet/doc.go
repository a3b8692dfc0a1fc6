// Package fleet runs a whole fleet: three NATS servers, shippers that follow
// logs, and readers, and breaks each of them while events flow. In the end the
// readers' stores hold what the shippers' stores hold, every event once.
//
// The servers run with the permissions of docs/fleet/nats-server.conf, so that
// what the documentation allows a machine is all that it needs.
//
//	make fleet-faults
//
// runs it long. The tests carry the tag e2e; they take root, for a network of
// their own.
package fleet
