package smtp

import (
	"slices"
	"strings"
)

// phrases finds the needles of wordings in one pass over a text.
var phrases = newMatcher(func() []string {
	needles := make([]string, len(wordings))
	for i := range wordings {
		needles[i] = wordings[i].needle
	}
	return needles
}())

// matcher is an automaton after Aho and Corasick: its states are the heads of
// the needles, and one step is one byte of text.
type matcher struct {
	class [256]uint8 // letters of the needles, case folded; 0 is any other byte
	width int        // classes
	next  []uint16   // by state and class
	found []uint16   // by state: the first needle that ends there, or the number of needles
	none  int
}

func newMatcher(needles []string) *matcher {
	m := &matcher{none: len(needles)}
	letters := uint8(0)
	for _, needle := range needles {
		for i := 0; i < len(needle); i++ {
			if c := needle[i]; m.class[c] == 0 {
				letters++
				m.class[c] = letters
			}
		}
	}
	m.width = int(letters) + 1
	for c := byte('A'); c <= 'Z'; c++ {
		m.class[c] = m.class[c|0x20]
	}
	for _, c := range [...]byte{'\t', '\n', '\r'} {
		m.class[c] = m.class[' ']
	}
	m.grow()
	for i, needle := range needles {
		m.add(needle, uint16(i))
	}
	m.link()
	m.next, m.found = slices.Clone(m.next), slices.Clone(m.found)
	return m
}

func (m *matcher) grow() uint16 {
	state := uint16(len(m.found))
	m.next = append(m.next, make([]uint16, m.width)...)
	m.found = append(m.found, uint16(m.none))
	return state
}

// step is where a class leads from a state.
func (m *matcher) step(state uint16, class uint8) *uint16 {
	return &m.next[int(state)*m.width+int(class)]
}

// steps are where a state leads.
func (m *matcher) steps(state uint16) []uint16 { return m.next[int(state)*m.width:][:m.width] }

func (m *matcher) add(needle string, number uint16) {
	state := uint16(0)
	for i := 0; i < len(needle); i++ {
		c := m.class[needle[i]]
		if *m.step(state, c) == 0 {
			s := m.grow()
			*m.step(state, c) = s
		}
		state = *m.step(state, c)
	}
	m.found[state] = min(m.found[state], number)
}

// link completes every state's steps: where a needle goes on with other bytes,
// the longest tail that is a head of some needle is the next state.
func (m *matcher) link() {
	fail := make([]uint16, len(m.found))
	var queue []uint16
	for _, s := range m.steps(0) {
		if s != 0 {
			queue = append(queue, s)
		}
	}
	for len(queue) > 0 {
		state := queue[0]
		queue = queue[1:]
		m.found[state] = min(m.found[state], m.found[fail[state]])
		steps := m.steps(state)
		for c, other := range m.steps(fail[state]) {
			if s := steps[c]; s != 0 {
				fail[s] = other
				queue = append(queue, s)
			} else {
				steps[c] = other
			}
		}
	}
}

// first is the lowest number of a needle in text, or the number of needles.
// A run of spaces counts as one, and so does an Exim line break, which is
// written as a backslash and an n.
func (m *matcher) first(text string) int {
	best, state := uint16(m.none), uint16(0)
	space := m.class[' ']
	last := space
	ats := strings.IndexByte(text, '@') >= 0
	for i := 0; i < len(text); i++ {
		b := text[i]
		c := m.class[b]
		if b == '<' || b == '\\' || last == space && (ats || b == '4' || b == '5') {
			if n := skip(text[i:], ats && last == space); n > 0 {
				i += n - 1
				c = space
			}
		}
		if c == space && last == space {
			continue
		}
		last = c
		state = *m.step(state, c)
		best = min(best, m.found[state])
	}
	return int(best)
}

// skip is the length of what text begins with and the writer of the reply did
// not choose: an address, a line break, the code of a further line. Words with
// an @ are looked for only when ats says that there is one.
func skip(text string, ats bool) int {
	switch c := text[0]; {
	case c == '<':
		if i := strings.IndexByte(text, '>'); i > 0 {
			return i + 1
		}
		return 0
	case c == '\\':
		if len(text) > 1 && text[1] == 'n' {
			return 2
		}
		return 0
	case c == '4' || c == '5':
		if n := skipCode(text); n > 0 {
			return n
		}
	}
	if ats {
		end := strings.IndexByte(text, ' ')
		if end < 0 {
			end = len(text)
		}
		if strings.IndexByte(text[:end], '@') >= 0 {
			return end
		}
	}
	return 0
}

// skipCode is the length of "550-", "550 5.7.1 " or "5.7.1 ".
func skipCode(text string) int {
	n := 0
	if len(text) > 3 && digit(text[1]) && digit(text[2]) && (text[3] == '-' || text[3] == ' ') {
		n = 4
	}
	if enhanced, rest := CutEnhanced(text[n:]); enhanced != "" {
		n = len(text) - len(rest)
	}
	return n
}
