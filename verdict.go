package relaylens

// Verdict is what a grammar says of a line.
type Verdict uint8

const (
	Ignored   Verdict = iota // understood, and nothing in it for us
	Parsed                   // the record holds an event, a fact or both
	Malformed                // begins like a line of this grammar that matters, and could not be read
)

var verdicts = enum[Verdict]{"verdict", []string{
	"ignored", "parsed", "malformed",
}}

func (v Verdict) String() string { return verdicts.name(v) }

// MarshalText implements [encoding.TextMarshaler].
func (v Verdict) MarshalText() ([]byte, error) { return verdicts.text(v) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (v *Verdict) UnmarshalText(b []byte) (err error) {
	*v, err = verdicts.parse(string(b))
	return err
}
