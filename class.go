package relaylens

// Class is the first digit of an SMTP reply: whether a refusal is for now or for good.
type Class uint8

const (
	ClassNone Class = iota // not a refusal
	Class4xx               // temporary
	Class5xx               // permanent
)

var classes = enum[Class]{"reply class", []string{
	"", "4xx", "5xx",
}}

// Classes lists every reply class.
func Classes() []Class { return classes.all() }

// ParseClass is the inverse of String.
func ParseClass(s string) (Class, error) { return classes.parse(s) }

func (c Class) String() string { return classes.name(c) }

// MarshalText implements [encoding.TextMarshaler].
func (c Class) MarshalText() ([]byte, error) { return classes.text(c) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (c *Class) UnmarshalText(b []byte) (err error) { *c, err = classes.parse(string(b)); return err }
