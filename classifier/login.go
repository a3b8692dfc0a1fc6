package classifier

import "github.com/relaylens/relaylens"

const (
	// guessedUsers that one client tries are not one person's.
	guessedUsers = 3
	// guessedFrom is how many addresses one person's devices fail from at most.
	guessedFrom = 4
	// guesses of one client without any success, where the log names no user.
	guesses = 5
	// burst is how many logins fail in one session until it is no device that
	// repeats a password: those hang up and come back later.
	burst = 4
)

// whyFailed says why a login with credentials that were refused failed.
func (h *history) whyFailed(e *relaylens.Event, late bool) relaylens.Cause {
	now := e.Time.Unix()
	c := h.client(e.ClientIP, now)
	if c == nil {
		return relaylens.CauseUnknown
	}
	if c.failUsers.Len() >= guessedUsers || c.burst >= burst {
		return relaylens.CauseCredentialGuessing
	}
	crowd := c.logins == 0 && h.crowd(e)
	if e.User == "" {
		if crowd || c.failures >= guesses && c.logins == 0 {
			return relaylens.CauseCredentialGuessing
		}
		return relaylens.CauseUnknown
	}
	u := h.users.Get(h.user(e), now)
	switch {
	case u == nil:
		return relaylens.CauseUnknown
	case crowd && u.logins == 0:
		return relaylens.CauseCredentialGuessing
	case c.failUsers.Len() == 1 && u.okFrom.Has(h.address(e.ClientIP)):
		return relaylens.CauseStalePassword // whoever else tries
	case u.failFrom.Len() >= guessedFrom:
		return relaylens.CauseCredentialGuessing
	case h.authDown(e) && c.failUsers.Len() == 1:
		return relaylens.CauseAuthBackendUnavailable
	case u.logins > 0 && c.failUsers.Len() == 1 && late:
		return relaylens.CauseStalePassword // from a new address, it might have been one of many guessers
	case u.logins == 0 && h.knowsOurs() && !h.isOurs(relaylens.Domain(e.User), now):
		return relaylens.CauseCredentialGuessing // no such user can be
	}
	return relaylens.CauseUnknown
}

// crowd reports whether so many strangers fail to log in at the server of e that they
// are a botnet, though each tries hardly anything.
func (h *history) crowd(e *relaylens.Event) bool {
	host := h.known(e, e.Time.Unix())
	return host != nil && host.crowd.guesses() && !host.wasDown(e.Time.Unix())
}

// whyNotOffered is for a login that nobody offered: where others log in, AUTH is
// on offer to clients that do their part, as a rule under TLS.
func (h *history) whyNotOffered(e *relaylens.Event, _ bool) relaylens.Cause {
	if host := h.known(e, e.Time.Unix()); host != nil && host.logins > 0 {
		return relaylens.CauseClientNotAuthenticated
	}
	return relaylens.CauseAuthNotOffered
}
