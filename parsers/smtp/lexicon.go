package smtp

// Lexicon finds the first of a grammar's own phrases in the text of a reply, the
// way [Wording] does: ignoring case, in one pass, and past what the writer of
// the reply did not choose, as addresses.
type Lexicon struct {
	m *matcher
}

// NewLexicon makes a lexicon of phrases in lower case.
func NewLexicon(phrases ...string) *Lexicon { return &Lexicon{newMatcher(phrases)} }

// First is the index of the earliest phrase of the list that text has; ok is
// false when it has none.
func (l *Lexicon) First(text string) (index int, ok bool) {
	index = l.m.first(text)
	return index, index < l.m.none
}
