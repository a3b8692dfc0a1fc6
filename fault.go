package relaylens

// Fault is the party that has to change something for a cause to go away.
type Fault uint8

const (
	FaultNone     Fault = iota // nobody, or not known
	FaultServer                // the owner of this server
	FaultClient                // the owner of the client
	FaultRemote                // the owner of the other server
	FaultAttacker              // nobody who will help
)

var faults = enum[Fault]{"fault", []string{
	"", "server", "client", "remote", "attacker",
}}

// Faults lists every fault.
func Faults() []Fault { return faults.all() }

// ParseFault is the inverse of String.
func ParseFault(s string) (Fault, error) { return faults.parse(s) }

func (f Fault) String() string { return faults.name(f) }

// MarshalText implements [encoding.TextMarshaler].
func (f Fault) MarshalText() ([]byte, error) { return faults.text(f) }

// UnmarshalText implements [encoding.TextUnmarshaler]. An empty text is FaultNone.
func (f *Fault) UnmarshalText(b []byte) (err error) {
	if len(b) == 0 {
		*f = FaultNone
		return nil
	}
	*f, err = faults.parse(string(b))
	return err
}
