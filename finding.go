package relaylens

import "time"

// EntityKind says what a finding is about: the field of the events that they
// have in common.
type EntityKind uint8

const (
	EntityNone EntityKind = iota
	EntityServer
	EntityClient
	EntityUser
	EntitySender
	EntitySenderDomain
	EntityRecipientDomain
	EntityRemoteHost
	EntityHelper // of the server: no field has it; see HelperOf
)

// OfServer reports whether an entity of this kind is a server, or a part of one, so that
// there is another of the same name at each host. One that is not told is taken for such.
func (k EntityKind) OfServer() bool {
	return k == EntityNone || k == EntityServer || k == EntityHelper
}

var entityKinds = enum[EntityKind]{"entity", []string{"", "host", "client_ip", "user", "sender", "sender_domain", "recipient_domain", "remote_host", "helper"}}

// ParseEntityKind is the inverse of String.
func ParseEntityKind(s string) (EntityKind, error) { return entityKinds.parse(s) }

func (k EntityKind) String() string { return entityKinds.name(k) }

// MarshalText implements [encoding.TextMarshaler].
func (k EntityKind) MarshalText() ([]byte, error) { return entityKinds.text(k) }

// UnmarshalText implements [encoding.TextUnmarshaler]. An empty text is
// EntityNone, as of a finding that is about no server in particular.
func (k *EntityKind) UnmarshalText(b []byte) (err error) {
	if len(b) == 0 {
		*k = EntityNone
		return nil
	}
	*k, err = entityKinds.parse(string(b))
	return err
}

// Entity is whom or what a finding is about. Value may be a client's text.
type Entity struct {
	Kind  EntityKind `json:"kind"`
	Value string     `json:"value"`
}

// Status is how a finding stands.
type Status uint8

const (
	StatusOpen     Status = iota // it was seen lately
	StatusResolved               // it has been quiet for a while
)

var statuses = enum[Status]{"status", []string{"open", "resolved"}}

func (s Status) String() string { return statuses.name(s) }

// MarshalText implements [encoding.TextMarshaler].
func (s Status) MarshalText() ([]byte, error) { return statuses.text(s) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *Status) UnmarshalText(b []byte) (err error) { *s, err = statuses.parse(string(b)); return err }

// Finding is one problem of the real world, however many refusals it made.
type Finding struct {
	Cause  Cause  `json:"cause"`
	Fault  Fault  `json:"fault"`
	Entity Entity `json:"entity"`
	Host   string `json:"host,omitempty"` // the server that refused; empty when several did
	MTA    MTA    `json:"mta"`

	Events  int       `json:"events"`           // refusals
	Errors  int       `json:"errors,omitempty"` // lines in which the server itself says what fails; they are no refusals
	Clients int       `json:"clients"`          // distinct; a lower bound where there are many
	Users   int       `json:"users"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`

	// Status is open until the problem was quiet for a while: for an hour, and if
	// it comes at intervals for four of them, three days at most. The latest event
	// of the log says what time it is.
	Status Status `json:"status"`
	// Since is when it opened: First, or when it came back.
	Since time.Time `json:"since"`
	// Resolved is when it had been quiet for long enough, zero while it is open.
	Resolved time.Time `json:"resolved,omitzero"`
	// Returns is how often it came back after it was resolved.
	Returns int `json:"returns,omitempty"`

	// Evidence are up to three of the events: the first, the last, and one of
	// another client between.
	Evidence []Event `json:"-"`
	// Confidence is the probability that the cause is right, and Why the reason
	// for it in words.
	Confidence float64 `json:"confidence"`
	Why        string  `json:"why"`
}
