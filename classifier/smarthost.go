package classifier

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/relaylens/relaylens"
)

const (
	// maxSmarthosts bounds the relay hosts of a host that are remembered.
	maxSmarthosts = 8
	// loginGap is how far apart two logins at a relay host may be that are refused for one
	// reason: while it refuses, Exim asks it a few times an hour.
	loginGap = int64(60 * 60)
)

// smarthost is a relay host that refused the login of a server of ours.
type smarthost struct {
	name      uint64
	from, to  int64
	delivered int // to it since
}

// loginRefused reports whether the next server refuses this one's own login, for good.
func loginRefused(e *relaylens.Event) bool {
	return e.Direction == relaylens.Outbound && e.Stage == relaylens.StageAuth && e.Refusal() && e.ReplyClass() == relaylens.Class5xx && e.RemoteHost != ""
}

// relayed notes how a server's logins at its relay hosts fare.
func (h *history) relayed(e *relaylens.Event, now int64) {
	refused := loginRefused(e)
	if !refused && (e.Kind != relaylens.KindDelivered || h.loginRefusedAt == 0 || now-h.loginRefusedAt > loginGap || e.RemoteHost == "") {
		return
	}
	host := h.hostEntry(e, now)
	s := host.smarthost(h.name(e.RemoteHost), now)
	switch {
	case !refused:
		if s != nil {
			s.delivered++
		}
		return
	case s == nil:
		host.smarthosts = pushed(host.smarthosts, smarthost{name: h.name(e.RemoteHost), from: now, to: now}, maxSmarthosts)
	default:
		s.to = max(s.to, now)
	}
	h.loginRefusedAt = max(h.loginRefusedAt, now)
}

// smarthost is one that refused a login lately; nil where it did not.
func (h *host) smarthost(name uint64, now int64) *smarthost {
	for i := len(h.smarthosts) - 1; i >= 0; i-- {
		if s := &h.smarthosts[i]; s.name == name && s.from <= now && now-s.to <= loginGap {
			return s
		}
	}
	return nil
}

// tellLogins makes those findings the server's own that are about a relay host which refuses
// its login: no message goes out, whatever the recipient's domain.
func (f *Findings) tellLogins(list []*problem) []*problem {
	for _, p := range list {
		if p.Cause != relaylens.CauseRemoteRelayDenied || p.Entity.Kind != relaylens.EntityRemoteHost || !f.ofLogin(p) {
			continue
		}
		p.Fault = relaylens.FaultServer
		p.Why = fmt.Sprintf("%s refuses this server's login, and no message went there since", relaylens.Escaped(p.Entity.Value, 100))
		if host := f.history.hosts.Get(f.history.name(p.Host), p.Last.Unix()); host != nil {
			if s := host.smarthost(f.history.name(p.Entity.Value), p.Last.Unix()); s != nil && s.delivered > 0 {
				p.Confidence, p.Why = 0.7, "the relay host refuses a login of this server's, and takes other mail from it: of one account, or for a moment"
			}
		}
	}
	return list
}

// ofLogin reports whether a refused login is among what shows a problem.
func (f *Findings) ofLogin(p *problem) bool {
	events := f.view(p.witnesses)
	for i := range events {
		if loginRefused(&events[i]) {
			return true
		}
	}
	return false
}

// organisations that refuse a server for its reputation are no whim of one of them.
const organisations = 2

// organisation is whose server refused: those of one that has many, for domains of many, have
// names that end alike.
func (h *history) organisation(e *relaylens.Event) uint64 {
	name := strings.TrimSuffix(e.RemoteHost, ".")
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); name == "" || err == nil {
		return h.recipient(e).key
	}
	return h.name(lastTwo(name))
}
