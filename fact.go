package relaylens

// Fact is what a line tells of a session or a message, beside or instead of an
// event. The correlator remembers it so that later lines can carry the client,
// user and sender that they do not repeat themselves.
type Fact uint8

const (
	FactNone       Fact = iota // nothing to remember
	FactSession                // a client opened the session of this process (or this client address)
	FactSessionEnd             // the session of this process is over
	FactMessage                // the queue id belongs to this client, user or sender; fields that are set are remembered
	FactMessageEnd             // the queue id will not be heard of again
	FactChild                  // Record.Child was made from this queue id: a bounce, a requeued message
	FactDetail                 // explains the refusal that follows in the same session
)

var facts = enum[Fact]{"fact", []string{
	"", "session", "session_end", "message", "message_end", "child", "detail",
}}

func (f Fact) String() string { return facts.name(f) }

// MarshalText implements [encoding.TextMarshaler].
func (f Fact) MarshalText() ([]byte, error) { return facts.text(f) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (f *Fact) UnmarshalText(b []byte) (err error) { *f, err = facts.parse(string(b)); return err }
