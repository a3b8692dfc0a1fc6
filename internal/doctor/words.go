package doctor

import (
	"strings"

	"github.com/relaylens/relaylens/classifier/knowledge"
)

func say(text string) knowledge.Step { return knowledge.Step{Say: text} }

func run(command string) knowledge.Step { return knowledge.Step{Run: command} }

func write(file, text string) knowledge.Step { return knowledge.Step{File: file, Text: text} }

// plain reports whether a name can stand in a configuration or a command as it
// is: letters, digits, dots, hyphens, and what addresses have.
func plain(s string) bool {
	for _, c := range s {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-', c == '_', c == ':', c == '/':
		default:
			return false
		}
	}
	return s != "" && s[0] != '-'
}

// named is a domain as a fix can have it.
func named(s string) string {
	if plain(s) {
		return s
	}
	return "DOMAIN"
}

// short cuts a value that is shown.
func short(s string) string {
	const most = 300
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
