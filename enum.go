package relaylens

import "fmt"

// enum is a closed list: the names of the values 0…n-1 of T, in order. An empty
// name belongs to a value that is never written, the zero value of most lists.
type enum[T ~uint8] struct {
	what  string // what the list is of, for errors: "kind"
	names []string
}

func (e enum[T]) name(v T) string {
	if int(v) < len(e.names) {
		return e.names[v]
	}
	return fmt.Sprintf("%s(%d)", e.what, uint8(v))
}

func (e enum[T]) text(v T) ([]byte, error) {
	if int(v) >= len(e.names) {
		return nil, fmt.Errorf("marshal %s: %d is not one of its %d values", e.what, uint8(v), len(e.names))
	}
	return []byte(e.names[v]), nil
}

func (e enum[T]) parse(text string) (T, error) {
	for v, name := range e.names {
		if name == text && name != "" {
			return T(v), nil
		}
	}
	return 0, fmt.Errorf("unknown %s %q", e.what, text)
}

// all lists the named values.
func (e enum[T]) all() []T {
	var vs []T
	for v, name := range e.names {
		if name != "" {
			vs = append(vs, T(v))
		}
	}
	return vs
}
