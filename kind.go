package relaylens

// Kind says what happened. The first four kinds are refusals: the server
// answered an SMTP command with 4xx or 5xx. The others are context, from which
// causes are told.
type Kind uint8

const (
	KindNone Kind = iota // the line reports no event
	// KindRelayDenied: the server will not relay for this client. The text and the
	// rule decide, never the code.
	KindRelayDenied
	// KindSenderVerify: the server tried to verify the envelope sender and could not.
	KindSenderVerify
	// KindAuthFailed: an AUTH command did not succeed, for whatever reason.
	KindAuthFailed
	// KindRejected: any other refusal; its Reason says which.
	KindRejected

	// KindAccepted: a message was taken from a client or a local user.
	KindAccepted
	// KindDelivered: a message reached a mailbox, a program or the next server.
	KindDelivered
	// KindAuthOK: a client logged in.
	KindAuthOK
	// KindBackendError: something the server needs for its answer failed: a lookup
	// table, the auth daemon, a milter, a policy service.
	KindBackendError
	// KindConnection: a client connected or left.
	KindConnection
)

var kinds = enum[Kind]{"kind", []string{"", "relay_denied", "sender_verify", "auth_failed", "rejected",
	"accepted", "delivered", "auth_ok", "backend_error", "connection"}}

// Kinds lists every kind an event can have.
func Kinds() []Kind { return kinds.all() }

// RefusalKinds lists the kinds that are refusals.
func RefusalKinds() []Kind {
	return []Kind{KindRelayDenied, KindSenderVerify, KindAuthFailed, KindRejected}
}

// ParseKind is the inverse of String.
func ParseKind(s string) (Kind, error) { return kinds.parse(s) }

// Refusal reports whether events of this kind are refusals.
func (k Kind) Refusal() bool { return k >= KindRelayDenied && k <= KindRejected }

func (k Kind) String() string { return kinds.name(k) }

// MarshalText implements [encoding.TextMarshaler].
func (k Kind) MarshalText() ([]byte, error) { return kinds.text(k) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (k *Kind) UnmarshalText(b []byte) (err error) { *k, err = kinds.parse(string(b)); return err }
