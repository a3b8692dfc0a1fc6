package main

import (
	"errors"
	"testing"
)

// An error may quote the name of a file, which anybody may have chosen.
func TestErrorsAreEscaped(t *testing.T) {
	err := errors.Join(errors.New("open \x1b[31m\u202e.log:\tno such file"), errors.New("two\n  and how\r"))
	want := "relaylens: open \\x1b[31m\\u202e.log:\tno such file\nrelaylens: two\n  and how\\x0d\n"
	if got := errorLines(err); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
