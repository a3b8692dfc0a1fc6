package summary

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/relaylens/relaylens"
)

// AppendJSON adds r as one JSON object on lines of its own. Control characters
// and those that move text about are escaped, as in the JSON of events.
func (r *Report) AppendJSON(dst []byte) ([]byte, error) { return appendJSON(dst, r) }

func appendJSON(dst []byte, v any) ([]byte, error) {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return dst, fmt.Errorf("write summary as JSON: %w", err)
	}
	return append(escapeJSON(dst, text), '\n'), nil
}

// appendLine adds v as one JSON object on a line.
func appendLine(dst []byte, v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return dst, fmt.Errorf("write a line of JSON: %w", err)
	}
	return append(escapeJSON(dst, text), '\n'), nil
}

// escapeJSON adds JSON text with what is unsafe to show escaped.
func escapeJSON(dst, text []byte) []byte {
	for len(text) > 0 {
		switch c := text[0]; {
		case c == 0x7f:
			dst = append(dst, `\u007f`...)
		case c < utf8.RuneSelf:
			dst = append(dst, c)
		default:
			_, n := utf8.DecodeRune(text)
			dst = relaylens.AppendEscaped(dst, string(text[:n]), 0)
			text = text[n:]
			continue
		}
		text = text[1:]
	}
	return dst
}
