package relaylens

import (
	"strings"
	"testing"
)

func TestLower(t *testing.T) {
	// Every byte at every place of a word, with all that may carry into it beside it.
	for c := range 256 {
		for _, around := range []string{"abcdefghijklmnopqrst", "zzzzzzzzzzzzzzzzzzzz", "@@@@@@@@@@[[[[[[[[[[", "\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f"} {
			for at := range len(around) {
				s := around[:at] + string([]byte{byte(c)}) + around[at+1:]
				if got, want := Lower(s), strings.ToLower(s); got != want {
					t.Fatalf("%q: %q, want %q", s, got, want)
				}
			}
		}
	}
	if Lower("") != "" {
		t.Error("something of nothing")
	}
}

func TestValidTextLooksAtEveryByte(t *testing.T) {
	for c := range 256 {
		for _, around := range []string{"abcdefghijklmnopqrst", "abc", "\x01\x01\x01\x01\x01\x01\x01\x01\x01", "\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f"} {
			for at := range len(around) {
				s := around[:at] + string([]byte{byte(c)}) + around[at+1:]
				want := s
				if c == 0 || c >= 0x80 {
					want = around[:at] + "\ufffd" + around[at+1:]
				}
				if got := ValidText(s); got != want {
					t.Fatalf("%q: %q, want %q", s, got, want)
				}
			}
		}
	}
	if got := ValidText("größe \xff\xfe\x00"); got != "größe \ufffd\ufffd" {
		t.Errorf("%q", got)
	}
}

func BenchmarkLower(b *testing.B) {
	for b.Loop() {
		Lower("someone.or.other@mail.example.com")
	}
}
