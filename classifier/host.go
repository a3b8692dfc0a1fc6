package classifier

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/bounded"
)

// host is how the logins of one server fare.
type host struct {
	logins      int
	failures    int // since the last login that succeeded
	firstFailed int64
	// honestUsers failed to log in since the last success and went on to send
	// mail as themselves.
	honestUsers bounded.Marks
	outages     []outage
	crowd       crowd // of those who fail
	// refusesUnknown: a sender domain that does not exist gets 5xx here, so that
	// 4xx means that DNS gave no answer. Postfix says "Domain not found" to both.
	refusesUnknown bool
	// softUnknown are sender domains that got 4xx for not being found. Once there
	// are some and none got 5xx, that is how the server is set up.
	softUnknown bounded.Marks
	lapses      []lapse // of helpers, in order
	lookups     lookups
	lists       []list
	smarthosts  []smarthost
}

// outage is a time in which no login could succeed.
type outage struct {
	from, to int64
	// mute is one of which the server does not say that it is about logins: a login
	// that succeeds proves that it is not.
	mute bool
}

const (
	// honestEnough users who cannot log in, and nobody who can, are no coincidence.
	honestEnough = 3
	// outageGap is how far apart two signs of one outage may be.
	outageGap  = int64(15 * 60)
	maxOutages = 32
	// softDomains show that a server says "not found" for now.
	softDomains = 3
)

func (h *host) loggedIn() {
	h.logins++
	h.failures, h.honestUsers = 0, bounded.Marks{}
	if n := len(h.outages) - 1; n >= 0 && h.outages[n].mute {
		h.outages = h.outages[:n]
	}
}

func (h *host) failed(now int64) {
	if h.failures == 0 {
		h.firstFailed = now
	}
	h.failures++
}

// authError is the server's own word that its auth backend fails.
func (h *host) authError(now int64) { h.down(outage{from: now, to: now}) }

// backendError takes the server's word that something behind it fails: a table, where
// passwords may be as well, or what has nothing to do with logins.
func (h *host) backendError(e *relaylens.Event, now int64) {
	said := e.Text
	if relaylens.HelperOf(e) != relaylens.HelperNone {
		return // which a login does not need: restrictions, or room for mail
	}
	for _, other := range []string{"connect to Milter ", "milter ", "malware ", "spam "} {
		if strings.HasPrefix(said, other) {
			return
		}
	}
	lower := strings.ToLower(said)
	mute := e.Stage != relaylens.StageAuth && !strings.Contains(lower, "sasl") && !strings.Contains(lower, "auth")
	if mute && e.MTA == relaylens.Sendmail {
		return // it checks passwords by the SASL library alone, which says so
	}
	h.down(outage{from: now, to: now, mute: mute})
}

func (h *host) honest(user uint64, now int64) {
	h.honestUsers.Add(user)
	if h.honestUsers.Len() >= honestEnough {
		h.down(outage{from: h.firstFailed, to: now})
	}
}

// down records that logins could not succeed in a time.
func (h *host) down(o outage) {
	if n := len(h.outages) - 1; n >= 0 && o.from-h.outages[n].to <= outageGap {
		last := &h.outages[n]
		last.from, last.to, last.mute = min(last.from, o.from), max(last.to, o.to), last.mute && o.mute
		return
	}
	h.outages = pushed(h.outages, o, maxOutages)
}

// pushed is list with v behind, less the first one where there are most already.
func pushed[T any](list []T, v T, most int) []T {
	if len(list) == most {
		list = append(list[:0], list[1:]...)
	}
	return append(list, v)
}

// wasDown reports whether logins could not succeed around a time.
func (h *host) wasDown(at int64) bool { return h.downAt(at, true) }

// saidDown is wasDown by what was said of logins by name.
func (h *host) saidDown(at int64) bool { return h.downAt(at, false) }

func (h *host) downAt(at int64, mute bool) bool {
	const slack = 60
	for _, o := range h.outages {
		if at >= o.from-slack && at <= o.to+slack && (mute || !o.mute) {
			return true
		}
	}
	return false
}
