package relaylens

// Direction says which side refused.
type Direction uint8

const (
	DirectionNone Direction = iota // neither side refused
	Inbound                        // this server refused a client
	Outbound                       // a remote server refused this one
)

var directions = enum[Direction]{"direction", []string{
	"", "inbound", "outbound",
}}

// Directions lists every direction.
func Directions() []Direction { return directions.all() }

// ParseDirection is the inverse of String.
func ParseDirection(s string) (Direction, error) { return directions.parse(s) }

func (d Direction) String() string { return directions.name(d) }

// MarshalText implements [encoding.TextMarshaler].
func (d Direction) MarshalText() ([]byte, error) { return directions.text(d) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *Direction) UnmarshalText(b []byte) (err error) {
	*d, err = directions.parse(string(b))
	return err
}
