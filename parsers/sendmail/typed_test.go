package sendmail

import (
	"strings"
	"testing"

	"github.com/relaylens/relaylens/parsers/smtp"
)

// TestCutTyped has the rest of a line begin at the comma behind the address.
func TestCutTyped(t *testing.T) {
	for typed, address := range map[string]string{
		"<a@example.net>":                     "a@example.net",
		"<>":                                  "",
		"a@example.net":                       "a@example.net",
		"a@example.net,b@example.net":         "a@example.net,b@example.net",
		`<"a b, c"@example.net>`:              `"a b, c"@example.net`,
		`<"a\" b>"@example.net>`:              `"a\" b>"@example.net`,
		`<x\"y@example.net>`:                  `x\"y@example.net`,
		`<(")x@example.net>`:                  "x@example.net",
		`<(\)" x)x@example.net (y z)>`:        "x@example.net",
		`(", x)<a@example.net>(c "d)`:         "a@example.net",
		`"A. (User"<a@example.net>`:           "a@example.net",
		"((a b) c)x@example.net":              "x@example.net",
		"<a, b@example.net>":                  "a, b@example.net",
		"<a<b>@example.net>":                  "a<b>@example.net",
		"<@relay.example:a@example.net>":      "@relay.example:a@example.net",
		`a\`:                                  `a\`,
		"<<a@example.net>>":                   "<a@example.net>",
		"(only a comment)":                    "",
		"<a@example.net>" + "(" + ", x" + ")": "a@example.net",
	} {
		for _, rest := range []string{", relay=[203.0.113.9]", `, relay=x "<( [203.0.113.9]`} {
			got, after, ok := cutTyped(typed+rest, ",")
			if !ok || got != typed || after != rest {
				t.Errorf("cutTyped(%q) = %q, %q, %v", typed+rest, got, after, ok)
			}
		}
		if got := mailbox(typed); got != address {
			t.Errorf("mailbox(%q) = %q, want %q", typed, got, address)
		}
	}
	for _, s := range []string{"", "<", "<a", "<a b", `"a, b`, "(a, b", "a b, c", "a", "<a>", "<a>,"} {
		if typed, rest, ok := cutTyped(s, ","); ok {
			t.Errorf("cutTyped(%q) = %q, %q", s, typed, rest)
		}
	}
}

func TestCutRecipient(t *testing.T) {
	for s, want := range map[string]string{
		"<a@x>":                           "a@x",
		"<a@x>,<b@x>":                     "a@x",
		"<a@x>,b@x [more]":                "a@x",
		"<a@x> [more]":                    "a@x",
		"joe,root":                        "joe",
		`<(",b@x, delay=)a@x>`:            "a@x",
		`<"a, delay=1, stat=Sent"@x>,c@x`: `"a, delay=1, stat=Sent"@x`,
	} {
		for _, rest := range []string{", delay=00:00:01, stat=Sent", ", ctladdr=<a@x> (1/1), delay=00:00:01, stat=Sent"} {
			if first, after, ok := cutRecipient(s + rest); !ok || first != want || after != rest {
				t.Errorf("cutRecipient(%q) = %q, %q, %v", s+rest, first, after, ok)
			}
		}
	}
}

func TestCutEcho(t *testing.T) {
	long := "<" + strings.Repeat("x", 150) + "..." + strings.Repeat("y", 90) + "@example.net>"
	for _, c := range []struct{ typed, text, said string }{
		{"<a@x>", "<a@x>... no", "no"},
		{"<a... b@x>", "<a... b@x>... no", "no"},
		{"<\xe9@x>", "<i@x>... no", "no"},
		{long, long[:100] + "..." + long[len(long)-100:] + "... no", "no"},
		{"<a@x>", "Try again... later", "Try again... later"},
		{"", "... no", "... no"},
		{long, long + "... no", long + "... no"},
	} {
		if said, ok := cutEcho(c.text, c.typed); said != c.said || ok != (said != c.text) {
			t.Errorf("cutEcho(%q, %q) = %q, %v", c.text, c.typed, said, ok)
		}
	}
}

// What is skipped without a look means nothing to Sendmail.
func TestPlainMeansNothing(t *testing.T) {
	for c := range 256 {
		eight := strings.Repeat(string([]byte{byte(c)}), 8)
		if smtp.PlainLength(eight) > 0 && special[c] {
			t.Errorf("%q is plain", byte(c))
		}
		if ofName(eight) != hostChars[c] {
			t.Errorf("%q is of a name: %t", byte(c), ofName(eight))
		}
	}
}
