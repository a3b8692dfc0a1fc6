package relaylens

import "time"

// Shipment is what one relaylens hands another about one server: events in
// place of log lines.
type Shipment struct {
	Events  []Event
	Revised []Revision // of events of earlier shipments or of this one
	Context []Tally
}

// Len is the number of things in it.
func (s *Shipment) Len() int { return len(s.Events) + len(s.Revised) + len(s.Context) }

// Revision is another cause of an event that is known by its id: later events
// told more.
type Revision struct {
	ID    ID
	Cause Cause
	Time  time.Time // of the event: what the log's own clock showed is what counts, by which it is found sooner. Zero when it is not known
}

// Tally is how often an event that is no refusal happened within a minute:
// what causes are told from needs no more. Event has the minute as its time,
// and of the addresses only what [Event.Context] keeps.
type Tally struct {
	Event Event
	Count uint32
}

// Context is what of an event that is no refusal is worth telling to others: who
// did what at which server. Messages that went elsewhere and sessions that ended
// tell nothing beyond the server itself, and ok is false for them.
func (e *Event) Context() (c Event, ok bool) {
	c = Event{Host: e.Host, MTA: e.MTA, Kind: e.Kind, Direction: e.Direction, ClientIP: e.ClientIP, User: e.User}
	switch e.Kind {
	case KindAccepted:
		c.SetSender(e.Sender)
		return c, true
	case KindAuthOK:
		return c, true
	case KindDelivered:
		if e.RemoteIP.IsValid() || e.RemoteHost != "" {
			return Event{}, false
		}
		c.ClientIP, c.User = cloneAddr(c.ClientIP), ""
		if d := e.RecipientDomain(); d != "" {
			c.Recipient = "@" + d // no mailbox: whose domain it is is all that counts
		}
		return c, true
	case KindBackendError:
		return c, true
	}
	return Event{}, false
}

// Parcel is what an outbox gives to be shipped together.
type Parcel struct {
	Events []Event
	// Revised are events that the fleet has, of which id, time, cause, host, MTA
	// and kind are set.
	Revised []Event
	Context []Tally
	// Marks say to the outbox that gave the parcel where it ends.
	Marks [3]int64
}

// Backlog is what waits in an outbox.
type Backlog struct {
	Events int64     // an upper bound
	Others bool      // something else than events waits
	Oldest time.Time // event time of the first of them; zero when there is none
	Lost   int64     // deleted for the sake of the store's size before they were shipped
}
