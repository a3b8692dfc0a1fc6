package relaylens

import "time"

// Severity says how soon somebody has to look.
type Severity uint8

const (
	// SeverityWarning can wait for the morning.
	SeverityWarning Severity = iota
	// SeverityCritical wakes somebody.
	SeverityCritical
)

var severities = enum[Severity]{"severity", []string{"warning", "critical"}}

// Severities lists every severity, the mildest first.
func Severities() []Severity { return severities.all() }

func (s Severity) String() string { return severities.name(s) }

// MarshalText implements [encoding.TextMarshaler].
func (s Severity) MarshalText() ([]byte, error) { return severities.text(s) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *Severity) UnmarshalText(b []byte) (err error) {
	*s, err = severities.parse(string(b))
	return err
}

// Alert is one problem that somebody is to be told of, however many refusals,
// clients and servers it has. Its texts may quote a client: they are for people
// and are escaped where they are written.
type Alert struct {
	// Name is from a closed list: what kind of alert it is.
	Name     string   `json:"alert"`
	Severity Severity `json:"severity"`
	// Kind and Cause are zero where the problem has several.
	Kind   Kind   `json:"kind"`
	Cause  Cause  `json:"cause"`
	Fault  Fault  `json:"fault"`
	Host   string `json:"host,omitempty"` // empty when several servers refused
	Entity Entity `json:"entity"`

	// StartsAt is when the problem began, EndsAt when it was over, both in event
	// time; EndsAt is zero while it lasts.
	StartsAt time.Time `json:"startsAt"`
	EndsAt   time.Time `json:"endsAt"`
	// Value is how many refusals there were within Window, Expected how many the
	// baseline foresaw. Both are zero where evidence pages and not volume.
	Value    float64       `json:"value"`
	Expected float64       `json:"expected"`
	Window   time.Duration `json:"-"`
	// Finding is the problem behind it, where one was found.
	Finding *Finding `json:"finding,omitempty"`
}
