package knowledge

import (
	"strings"
	"testing"

	"github.com/relaylens/relaylens"
)

// What a client chose freely is quoted in commands, and stays a placeholder in pieces of
// configuration, where no quoting is known.
func TestSnippetKeepsFreeText(t *testing.T) {
	e := &relaylens.Event{User: "joe", Recipient: "b@lost.example.com"}
	const template = "{user} {recipient_domain} {recipient} {nobody}"
	if got, want := snippet(template, e), "{user} lost.example.com {recipient} {nobody}"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := Command(template, e), "joe lost.example.com b@lost.example.com {nobody}"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// A name that is longer than DNS allows is none.
func TestLongName(t *testing.T) {
	for n, want := range map[int]bool{1: true, 253: true, 254: false} {
		if got := name(strings.Repeat("a", n)) != ""; got != want {
			t.Errorf("%d letters: a name %v", n, got)
		}
	}
}

// Codes tell wordings apart by the reply's code, and by the enhanced one only where there
// is no other.
func TestHasCode(t *testing.T) {
	w := &Wording{Codes: []string{"554 5.7.1", "550"}}
	for _, tt := range []struct {
		code     uint16
		enhanced string
		want     bool
	}{{554, "5.7.1", true}, {554, "", true}, {550, "5.1.1", true}, {450, "5.7.1", false}, {0, "5.7.1", true}, {0, "5.1.1", false}, {0, "", false}} {
		if got := w.hasCode(tt.code, tt.enhanced); got != tt.want {
			t.Errorf("%d %q: %v", tt.code, tt.enhanced, got)
		}
	}
}

// Of no text more settings are named than one can look at.
func TestFewWordings(t *testing.T) {
	for _, w := range load().Texts {
		if n := len(Wordings(relaylens.MTANone, 0, "", strings.ReplaceAll(w.Text, "*", "x"))); n > maxWordings {
			t.Errorf("%q: %d", w.Text, n)
		}
	}
}
