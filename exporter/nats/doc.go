// Package nats carries events between machines over NATS JetStream: a [Shipper]
// publishes what a store holds, a [Source] hands it on to a pipeline elsewhere.
//
// A message is a batch of events of one server. Its subject is
// relaylens.FLEET.HOST.MTA.KIND, so that the server can hold a shipper to its own
// host and readers can share the hosts out; its payload is described in
// events.proto. Messages bear a Nats-Msg-Id that is made of the ids of their
// events, and whatever comes twice all the same is known by those ids.
package nats
