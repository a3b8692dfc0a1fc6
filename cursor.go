package relaylens

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Cursor names the place of one event in a listing. It stays the same for the
// store and for the files that the store was filled from.
type Cursor struct {
	ID   ID
	Time time.Time
}

// CursorOf is the place of e.
func CursorOf(e *Event) Cursor { return Cursor{e.ID, e.Time} }

// String is the form that [ParseCursor] reads.
func (c Cursor) String() string {
	return "i=" + c.ID.String() + ";t=" + strconv.FormatInt(c.Time.UnixNano(), 16)
}

// ParseCursor is the inverse of String.
func ParseCursor(s string) (Cursor, error) {
	id, at, ok := strings.Cut(s, ";t=")
	id, named := strings.CutPrefix(id, "i=")
	var c Cursor
	if !ok || !named || c.ID.UnmarshalText([]byte(id)) != nil {
		return Cursor{}, fmt.Errorf("cursor %q: it is none that --show-cursor printed", Escaped(s, 100))
	}
	n, err := strconv.ParseInt(at, 16, 64)
	if err != nil {
		return Cursor{}, fmt.Errorf("cursor %q: it is none that --show-cursor printed", Escaped(s, 100))
	}
	c.Time = time.Unix(0, n).UTC()
	return c, nil
}
