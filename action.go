package relaylens

// Action is what the server did about what a line complains of. Only ActionRefuse
// is a refusal; the others are listed on request and counted apart.
type Action uint8

const (
	ActionRefuse  Action = iota // answered 4xx or 5xx
	ActionWarn                  // only logged: Postfix warn_if_reject, Exim warn
	ActionHold                  // accepted and quarantined
	ActionDiscard               // accepted and thrown away
)

var actions = enum[Action]{"action", []string{
	"refuse", "warn", "hold", "discard",
}}

// Actions lists every action.
func Actions() []Action { return actions.all() }

// ParseAction is the inverse of String.
func ParseAction(s string) (Action, error) { return actions.parse(s) }

func (a Action) String() string { return actions.name(a) }

// MarshalText implements [encoding.TextMarshaler].
func (a Action) MarshalText() ([]byte, error) { return actions.text(a) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (a *Action) UnmarshalText(b []byte) (err error) { *a, err = actions.parse(string(b)); return err }
