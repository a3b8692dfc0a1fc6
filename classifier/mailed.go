package classifier

import "github.com/relaylens/relaylens/internal/bounded"

// mailed are the domains that mail was accepted from. It is hardly ever asked about
// them, and told of one by every message, so that what it is told waits until there is
// some of it: then memory is waited for once, not for each domain.
type mailed struct {
	domains *bounded.Table[struct{}]
	keys    [32]uint64
	times   [32]int64
	waiting int
}

func newMailed() *mailed {
	return &mailed{domains: bounded.NewTable[struct{}](maxDomains, memory, nil)}
}

// add takes in the domain with a key.
func (m *mailed) add(key uint64, now int64) {
	m.keys[m.waiting], m.times[m.waiting] = key, now
	if m.waiting++; m.waiting == len(m.keys) {
		m.settle()
	}
}

// settle takes in what waits, in its order.
func (m *mailed) settle() {
	keys := m.keys[:m.waiting]
	m.domains.Reach(keys)
	for i, key := range keys {
		m.domains.Put(key, m.times[i])
	}
	m.waiting = 0
}

// has reports whether mail was accepted from the domain with a key.
func (m *mailed) has(key uint64, now int64) bool {
	m.settle()
	return m.domains.Get(key, now) != nil
}
