package alertmanager

import (
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/relaylens/relaylens"
)

// Limits of what is written, in bytes. A page is read on a telephone.
const (
	maxLabel    = 128
	maxQuoted   = 160 // of one text that somebody else chose
	maxEvidence = 900
	maxFixes    = 1500
)

// harmless takes from a text that somebody else chose what templates, HTML and
// the markup of chat services would act upon: template actions, tags and entities,
// mentions such as <!channel>, links, and code.
var harmless = strings.NewReplacer("{{", "{ {", "}}", "} }", "<", "‹", ">", "›", "&", "＆", "`", "'", "](", "] (", "@everyone", "@ everyone", "@here", "@ here", "@channel", "@ channel")

// quoted is a text that somebody else chose, fit to be read: escaped, without
// markup, and cut at limit bytes.
func quoted(s string, limit int) string {
	text := harmless.Replace(relaylens.Escaped(s, limit))
	for strings.Contains(text, "{{") || strings.Contains(text, "}}") { // as of {{{
		text = harmless.Replace(text)
	}
	return text
}

// labelValue is quoted for a label. Texts that are cut stay apart by a hash.
func labelValue(s string) string {
	if len(s) <= maxLabel {
		return quoted(s, 0)
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(s)) // never fails
	return fmt.Sprintf("%s%08x", quoted(s, maxLabel), h.Sum32())
}

// cutAtLine ends a text of several lines after the last line that fits.
func cutAtLine(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	if end := strings.LastIndexByte(s[:limit], '\n'); end > 0 {
		return s[:end] + "\n…"
	}
	return relaylens.Escaped(s, limit)
}
