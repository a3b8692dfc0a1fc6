package classifier

import "github.com/relaylens/relaylens/internal/bounded"

const (
	// crowdSize is how many clients that never logged in fail to within crowdTime or
	// twice that until they are a botnet, where for each of oneInTen at most one fails
	// that did: where passwords are not checked any more, those fail as well.
	crowdSize = 50
	oneInTen  = 10
	crowdTime = int64(30 * 60)
)

// crowd is who fails to log in at a server these days.
type crowd struct {
	since              int64 // begin of the time that is counted
	strangers, regular *bounded.Hashes
	before, beforeReg  int // of the time before
}

func (c *crowd) add(client uint64, loggedIn bool, now int64) {
	if c.strangers == nil || now-c.since >= crowdTime {
		last := *c
		*c = crowd{since: now, strangers: bounded.NewHashes(crowdSize), regular: bounded.NewHashes(crowdSize)}
		if last.strangers != nil && now-last.since < 2*crowdTime {
			c.before, c.beforeReg = last.strangers.Len(), last.regular.Len()
		}
	}
	if loggedIn {
		c.regular.Add(uint32(client))
	} else {
		c.strangers.Add(uint32(client))
	}
}

// guesses reports whether a crowd of strangers fails, and those who belong here do not.
func (c *crowd) guesses() bool {
	if c.strangers == nil {
		return false
	}
	n := c.strangers.Len() + c.before
	return n >= crowdSize && (c.regular.Len()+c.beforeReg)*oneInTen <= n
}
