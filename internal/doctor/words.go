package doctor

import (
	"strings"

	"github.com/relaylens/relaylens/classifier/knowledge"
)

func sayStep(text string) knowledge.Step { return knowledge.Step{Say: text} }

func runStep(command string) knowledge.Step { return knowledge.Step{Run: command} }

func writeStep(file, text string) knowledge.Step { return knowledge.Step{File: file, Text: text} }

// needsNoQuotes reports whether a name can stand in a configuration or a command as it
// is: letters, digits, dots, hyphens, and what addresses have.
func needsNoQuotes(s string) bool {
	for _, c := range s {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-', c == '_', c == ':', c == '/':
		default:
			return false
		}
	}
	return s != "" && s[0] != '-'
}

// domainOrPlaceholder is a domain as a fix can have it.
func domainOrPlaceholder(s string) string {
	if needsNoQuotes(s) {
		return s
	}
	return "DOMAIN"
}

// shortened cuts a value that is shown.
func shortened(s string) string {
	const most = 300
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
