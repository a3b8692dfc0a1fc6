package relaylens

// MTA is the mail server program that wrote a log.
type MTA uint8

const (
	MTANone MTA = iota // not known
	Postfix
	Exim
	Sendmail
)

var mTAs = enum[MTA]{"MTA", []string{
	"", "postfix", "exim", "sendmail",
}}

// MTAs lists every MTA.
func MTAs() []MTA { return mTAs.all() }

// ParseMTA is the inverse of String.
func ParseMTA(s string) (MTA, error) { return mTAs.parse(s) }

func (m MTA) String() string { return mTAs.name(m) }

// MarshalText implements [encoding.TextMarshaler].
func (m MTA) MarshalText() ([]byte, error) { return mTAs.text(m) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (m *MTA) UnmarshalText(b []byte) (err error) { *m, err = mTAs.parse(string(b)); return err }
