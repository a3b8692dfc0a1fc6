package tailer

import "sync"

// Claims keep a file from being read twice when several paths name it: links,
// bind mounts, patterns that overlap, a pattern that matches rotated files.
// Who comes first reads it; the others wait until it is done, and go on from
// where it ended. Claims are shared by the sources of one process and safe for
// concurrent use.
type Claims struct {
	mu      sync.Mutex
	owners  map[fileID]*follower
	retired []footprint // what was read of content that is no longer followed, newest last
}

// keepRetired bounds Claims.retired; it matters for copies that appear soon after.
const keepRetired = 256

// NewClaims returns a registry without claims.
func NewClaims() *Claims { return &Claims{owners: map[fileID]*follower{}} }

// take reports whether f is the one to read id.
func (c *Claims) take(id fileID, f *follower) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if owner, ok := c.owners[id]; ok && owner != f {
		return false
	}
	c.owners[id] = f
	return true
}

// free reports whether f could take id.
func (c *Claims) free(id fileID, f *follower) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	owner, ok := c.owners[id]
	return !ok || owner == f
}

func (c *Claims) drop(id fileID, f *follower) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.owners[id] == f {
		delete(c.owners, id)
	}
}

func (c *Claims) retire(p *footprint) {
	if p.from == 0 && p.origin.IsZero() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.retired) >= keepRetired {
		c.retired = append(c.retired[:0], c.retired[1:]...)
	}
	c.retired = append(c.retired, *p)
}

// past lists what was retired, newest first.
func (c *Claims) past() []footprint {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]footprint, 0, len(c.retired))
	for i := len(c.retired) - 1; i >= 0; i-- {
		all = append(all, c.retired[i])
	}
	return all
}
