package relaylens

import "time"

// Position says how far a source was read. A source that is started with it
// goes on with the byte after the last line it handed out, in the same file,
// wherever that has been moved to.
type Position struct {
	Source string        `json:"source"`
	Device uint64        `json:"device,omitempty"`
	Inode  uint64        `json:"inode,omitempty"`
	Origin Origin        `json:"origin,omitzero"`
	Offset int64         `json:"offset"`
	Number int64         `json:"number,omitempty"`
	Cursor string        `json:"cursor,omitempty"` // of a journal
	State  PositionState `json:"state,omitempty"`  // of a file
	Time   time.Time     `json:"time,omitzero"`    // event time of the last line
	Saved  time.Time     `json:"saved,omitzero"`   // when the line was read, by the clock
}

// PositionState says whether a file is to be read on.
type PositionState uint8

const (
	PositionOpen    PositionState = iota // from the offset
	PositionEnded                        // when it has grown: it was read to its end, and its writer has left it
	PositionSkipped                      // never: it was there when following began
)

var positionStates = enum[PositionState]{"state of a position", []string{
	"open", "ended", "skipped",
}}

// ParsePositionState is the inverse of String.
func ParsePositionState(s string) (PositionState, error) { return positionStates.parse(s) }

func (s PositionState) String() string { return positionStates.name(s) }

// MarshalText implements [encoding.TextMarshaler].
func (s PositionState) MarshalText() ([]byte, error) { return positionStates.text(s) }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *PositionState) UnmarshalText(b []byte) (err error) {
	*s, err = positionStates.parse(string(b))
	return err
}
