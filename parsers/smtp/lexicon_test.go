package smtp

import "testing"

func TestLexicon(t *testing.T) {
	l := NewLexicon("not spam", "spam", "black list")
	for text, want := range map[string]int{
		"This is SPAM":                     1,
		"found as Not  Spam":               0,
		"a black\\n550-list, spam":         1,
		"in a black\\n550-list":            2,
		"mail of <spam@example.com>":       -1,
		"mail of spam@example.com refused": -1,
		"":                                 -1,
	} {
		got, ok := l.First(text)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q: phrase %d, want %d", text, got, want)
		}
	}
}
