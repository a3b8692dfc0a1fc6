package relaylens

import (
	"fmt"
	"regexp"
	"strings"
)

// Phrases are texts of a site's own configuration that a grammar cannot know:
// a plain phrase is found anywhere in the server's text, ignoring ASCII case;
// one between slashes is an RE2 expression. The zero value matches nothing.
type Phrases struct {
	plain []string
	exprs []*regexp.Regexp
}

// NewPhrases compiles texts. An empty text or a wrong expression is an error
// that quotes it.
func NewPhrases(texts []string) (Phrases, error) {
	var p Phrases
	for _, t := range texts {
		switch {
		case strings.TrimSpace(t) == "" || t == "//":
			return Phrases{}, fmt.Errorf("compile phrase %q: it would match every text", t)
		case len(t) > 2 && t[0] == '/' && t[len(t)-1] == '/':
			re, err := regexp.Compile(t[1 : len(t)-1])
			if err != nil {
				return Phrases{}, fmt.Errorf("compile phrase %q: %w", t, err)
			}
			p.exprs = append(p.exprs, re)
		default:
			p.plain = append(p.plain, strings.ToLower(t))
		}
	}
	return p, nil
}

// Match reports whether one of the phrases is in text, which is what the server
// said, without addresses that the client chose.
func (p *Phrases) Match(text string) bool {
	if len(p.plain) == 0 && len(p.exprs) == 0 {
		return false
	}
	lower := strings.ToLower(text)
	for _, s := range p.plain {
		if strings.Contains(lower, s) {
			return true
		}
	}
	for _, re := range p.exprs {
		if re.MatchString(text) {
			return true
		}
	}
	return false
}

// Texts are the site-defined texts of one MTA.
type Texts struct {
	RelayDenied  Phrases
	SenderVerify Phrases
}
