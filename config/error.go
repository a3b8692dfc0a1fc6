package config

import (
	"errors"
	"strconv"
	"strings"
)

// Error is one thing that is wrong with a configuration.
type Error struct {
	Where   string // where it was set: "relaylens.yaml:3", "RELAYLENS_LISTEN", "--listen"; empty when not known
	Key     string // "sources[0].path"; empty when the file as a whole is wrong
	Problem string // what is wrong, with the value
	Remedy  string // what to write instead
}

func (e *Error) Error() string {
	var b strings.Builder
	for _, s := range []string{e.Where, e.Key} {
		if s != "" {
			b.WriteString(s)
			b.WriteString(": ")
		}
	}
	b.WriteString(e.Problem)
	if e.Remedy != "" {
		b.WriteString("; ")
		b.WriteString(e.Remedy)
	}
	return b.String()
}

// line is the number in Where, 0 when there is none.
func (e *Error) line() int {
	n, err := strconv.Atoi(e.Where[strings.LastIndexByte(e.Where, ':')+1:])
	if err != nil {
		return 0
	}
	return n
}

// Errors takes apart what Load and Validate return: every single mistake.
func Errors(err error) []*Error {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		var all []*Error
		for _, e := range joined.Unwrap() {
			all = append(all, Errors(e)...)
		}
		return all
	}
	var one *Error
	if errors.As(err, &one) {
		return []*Error{one}
	}
	return nil
}

// maxQuote bounds how much of a wrong value an error repeats.
const maxQuote = 80

// quote writes a value so that nothing in it reaches a terminal raw.
func quote(s string) string {
	if len(s) > maxQuote {
		return strconv.Quote(s[:maxQuote]) + "…"
	}
	return strconv.Quote(s)
}
