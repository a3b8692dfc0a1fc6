package classifier

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"strings"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/bounded"
)

// Bounds of what is remembered, and for how long in event time. An entry is
// some 100 to 400 bytes.
const (
	maxClients  = 40_000
	maxUsers    = 20_000
	maxDomains  = 20_000
	maxSenders  = 20_000
	maxSessions = 20_000
	maxHosts    = 1_000
	day         = int64(24 * 60 * 60)
	memory      = 30 * day
	sessionTime = int64(60 * 60)
)

// history is what earlier events told, of everybody whom a later event may be
// about.
type history struct {
	site       site
	latest     time.Time // of the events
	seed       maphash.Seed
	random     uint64 // made of seed
	clients    *bounded.Table[client]
	users      *bounded.Table[user]
	denied     *bounded.Table[deniedDomain]
	own        *bounded.Table[ownDomain]
	ownLengths uint64 // a bit for each length, modulo 64, that a domain of own has or had
	senders    *bounded.Table[sender]
	mailed     *mailed
	sessions   *bounded.Table[session]
	hosts      *bounded.Table[host]
	fleet      *fleet
	servers    servers
	lapsed     int64 // when a helper of any server failed last; 0 is never
	silentAt   int64 // when DNS told any server nothing last; 0 is never
	// loginRefusedAt is when a relay host of any server refused its login last; 0 is never.
	loginRefusedAt int64
	current        current
}

// client is one address. There are many, so that it is as small as can be. What a
// login changes stands first, beside the key of its entry.
type client struct {
	okAt   int64  // last login
	logins uint32 // that succeeded
	looks  looks  // at worst; 0 is not known
	ours   bool   // a name in one of our domains
	// Of the last day: where it was refused, and whether it is welcome anywhere, as it
	// logged in, or mail was taken from it.
	welcome    bool
	daySeen    int64  // when any of it was seen last
	failures   uint32 // logins
	burst      uint32 // most logins that failed in one session
	failedAt   int64
	failedUser uint64
	denied     uint32 // relaying
	backendAt  int64  // last login that failed for the backend's sake
	failUsers  bounded.Marks
	denDomains bounded.Marks
	hosts      bounded.Marks
}

// user is one SASL login name.
type user struct {
	logins   uint32
	okFrom   bounded.Marks
	failFrom bounded.Marks
}

// ownDomain is a domain whose mail or users are ours, by how often it showed.
type ownDomain struct{ seen int }

// sender is an envelope address that mail was accepted from.
type sender struct {
	from   bounded.Marks // client addresses
	byUser bool          // it belonged to somebody who had logged in
}

// session is one stay of a client with one server process.
type session struct {
	denied   bool
	loggedIn bool
	failures uint32 // logins
}

func newHistory() *history {
	seed := maphash.MakeSeed()
	return &history{
		seed:     seed,
		random:   maphash.String(seed, "address"),
		clients:  bounded.NewTable[client](maxClients, memory, nil),
		users:    bounded.NewTable[user](maxUsers, memory, nil),
		denied:   bounded.NewTable[deniedDomain](maxDomains, memory, nil),
		own:      bounded.NewTable[ownDomain](maxDomains, memory, nil),
		senders:  bounded.NewTable[sender](maxSenders, memory, nil),
		mailed:   newMailed(),
		sessions: bounded.NewTable[session](maxSessions, sessionTime, nil),
		hosts:    bounded.NewTable[host](maxHosts, memory, nil),
		fleet:    newFleet(),
	}
}

// entry is the entry of key, a zero one if it is new.
func entry[V any](t *bounded.Table[V], key uint64, now int64) *V {
	v, isNew := t.Put(key, now)
	if isNew {
		var zero V
		*v = zero
	}
	return v
}

func (h *history) name(s string) uint64 { return h.lowered(relaylens.Lower(s)) }

// lowered is name for what is in small letters, as domains of events are.
func (h *history) lowered(s string) uint64 { return maphash.String(h.seed, s) }

func (h *history) address(a netip.Addr) uint64 {
	if h.current.address != a || h.current.key == 0 {
		b := a.As16()
		family := uint64(a.BitLen())
		key := bounded.Mix(bounded.Mix(h.random, binary.NativeEndian.Uint64(b[:])), binary.NativeEndian.Uint64(b[8:])+family)
		h.current.address, h.current.key, h.current.client = a, key, nil
	}
	return h.current.key
}

// client is what is known of an address; nil when nothing is. It is valid until
// another address is asked for.
func (h *history) client(a netip.Addr, now int64) *client {
	key := h.address(a)
	if h.current.client == nil || h.current.at != now {
		h.current.client, h.current.at = h.clients.Get(key, now), now
	}
	return h.current.client
}

// clientEntry is client for an address of which something is to be remembered.
func (h *history) clientEntry(a netip.Addr, now int64) *client {
	if c := h.client(a, now); c != nil {
		return c
	}
	h.current.client = entry(h.clients, h.current.key, now)
	return h.current.client
}

func (h *history) sessionKey(e *relaylens.Event) uint64 {
	return bounded.Mix(bounded.Mix(h.server(e).writer, h.address(e.ClientIP)), uint64(uint32(e.PID)))
}

// learn takes in an event, refusal or not.
func (h *history) learn(e *relaylens.Event) {
	now := e.Time.Unix()
	if e.Time.After(h.latest) {
		h.latest = e.Time
	}
	if !e.Kind.Refusal() {
		h.context(e, now)
		return
	}
	h.lapse(e, now)
	h.lookup(e, now)
	h.relayed(e, now)
	if e.Action == relaylens.ActionRefuse && e.Direction == relaylens.Inbound && !h.site.isMonitor(e) {
		h.refused(e, now)
	}
}

// context takes in an event that is no refusal.
func (h *history) context(e *relaylens.Event, now int64) {
	switch e.Kind {
	case relaylens.KindDelivered:
		if deliveredHere(e) {
			h.ours(h.recipient(e), now)
		}
		if h.lapsed != 0 {
			h.lapse(e, now)
		}
		h.relayed(e, now)
	case relaylens.KindAccepted:
		h.accepted(e, now)
		h.lapse(e, now)
	case relaylens.KindAuthOK:
		h.loggedIn(e, now)
	case relaylens.KindBackendError:
		h.complained(e, now)
	case relaylens.KindConnection:
		h.left(e, now)
	}
	if h.silentLately(now) {
		h.answered(e, now)
	}
}

// refused takes in a refusal of this server's.
func (h *history) refused(e *relaylens.Event, now int64) {
	switch {
	case e.Kind == relaylens.KindAuthFailed:
		h.failed(e, now)
	case e.Kind == relaylens.KindRelayDenied, e.Reason == relaylens.ReasonAuthRequired:
		h.relayDenied(e, now)
	case e.Reason == relaylens.ReasonDomainNotFound && e.ReplyClass() == relaylens.Class5xx:
		h.hostEntry(e, now).refusesUnknown = true
	case e.Reason == relaylens.ReasonDomainNotFound && e.ReplyClass() == relaylens.Class4xx:
		h.hostEntry(e, now).softUnknown.Add(h.from(e).key)
	case e.Reason == relaylens.ReasonUnknownRecipient:
		h.ours(h.recipient(e), now) // who is unknown here would be known here
	}
}

// deliveredHere reports whether a message came to a mailbox of ours: no other
// server took it, or one that speaks LMTP did, which mailbox stores speak and
// nobody across the Internet (RFC 2033, 5).
func deliveredHere(e *relaylens.Event) bool {
	if e.Kind != relaylens.KindDelivered {
		return false
	}
	return !e.RemoteIP.IsValid() && e.RemoteHost == "" || e.Service == "lmtp" || strings.HasSuffix(e.Service, "/lmtp")
}

func (h *history) ours(d domain, now int64) {
	if d.name != "" {
		entry(h.own, d.key, now).seen++
		h.ownLengths |= 1 << (len(d.name) % 64)
	}
}

func (h *history) isOurs(domain string, now int64) bool {
	return domain != "" && h.hasOurs(domain, h.lowered(domain), now)
}

// ourSender reports whether e's sender is in a domain of ours.
func (h *history) ourSender(e *relaylens.Event, now int64) bool {
	d := h.from(e)
	return d.name != "" && h.hasOurs(d.name, d.key, now)
}

// hasOurs is isOurs for a domain with its key.
func (h *history) hasOurs(domain string, key uint64, now int64) bool {
	return h.own.Get(key, now) != nil || h.site.has(domain)
}

// knowsOurs reports whether any domain is known to be ours.
func (h *history) knowsOurs() bool { return len(h.site.domains) > 0 || h.own.Len() > 0 }

// inOurs reports whether a host's name is in one of our domains.
func (h *history) inOurs(name string, now int64) bool {
	name = relaylens.Lower(name)
	for name != "" {
		if asLong := h.ownLengths>>(len(name)%64)&1 != 0; (asLong || len(h.site.domains) > 0) && h.isOurs(name, now) {
			return true
		}
		_, name, _ = strings.Cut(name, ".")
	}
	return false
}

func (h *history) accepted(e *relaylens.Event, now int64) {
	if e.Sender == "" {
		return
	}
	domain := h.from(e)
	h.mailed.add(domain.key, now)
	if e.User == "" && h.senders.Len() >= maxSenders && !h.hasOurs(domain.name, domain.key, now) {
		return // nobody asks about senders of others: they take no room from ours
	}
	s := entry(h.senders, h.sender(e), now)
	if e.ClientIP.IsValid() {
		s.from.Add(h.address(e.ClientIP))
	}
	if e.User != "" {
		s.byUser = true
		h.ours(domain, now)
	}
}

func (h *history) loggedIn(e *relaylens.Event, now int64) {
	if e.ClientIP.IsValid() {
		c := h.clientEntry(e.ClientIP, now)
		c.logins++
		c.okAt = now
	}
	h.hostEntry(e, now).loggedIn()
	if e.User == "" {
		return
	}
	u := entry(h.users, h.user(e), now)
	u.logins++
	if e.ClientIP.IsValid() {
		u.okFrom.Add(h.address(e.ClientIP))
	}
	h.ours(h.domain(relaylens.Domain(e.User)), now)
}

// left reads what Postfix counts at the end of a session. It logs no login as
// such, so that auth=1 is all that shows one after which nothing was accepted.
func (h *history) left(e *relaylens.Event, now int64) {
	if h.sessions.Len() == 0 {
		return
	}
	s := h.sessions.Get(h.sessionKey(e), now)
	if s == nil {
		return
	}
	s.failures = 0
	if s.denied && loggedIn(e.Text) {
		s.loggedIn = true
	}
}

// loggedIn reports whether command counters tell of a login that succeeded:
// "auth=1" or "auth=1/2", not "auth=0/1".
func loggedIn(counters string) bool {
	const auth = "auth="
	i := strings.Index(counters, auth)
	for i > 0 && counters[i-1] != ' ' { // "xauth="
		next := strings.Index(counters[i+1:], auth)
		if next < 0 {
			return false
		}
		i += 1 + next
	}
	n := i + len(auth)
	return i >= 0 && n < len(counters) && counters[n] != '0' && counters[n] != ' '
}

func (h *history) failed(e *relaylens.Event, now int64) {
	host := h.hostEntry(e, now)
	if e.Reason == relaylens.ReasonBackend {
		host.authError(now)
	}
	if e.Reason != relaylens.ReasonBackend && e.Reason != relaylens.ReasonCredentials {
		return
	}
	var name uint64
	if e.User != "" {
		name = h.user(e)
		u := entry(h.users, name, now)
		if e.ClientIP.IsValid() {
			u.failFrom.Add(h.address(e.ClientIP))
		}
	}
	if !e.ClientIP.IsValid() {
		return
	}
	c := h.clientEntry(e.ClientIP, now)
	c.failures++
	host.crowd.add(h.address(e.ClientIP), c.logins > 0, now)
	if e.PID != 0 {
		s := entry(h.sessions, h.sessionKey(e), now)
		s.failures++
		c.burst = max(c.burst, s.failures)
	}
	c.failedAt, c.failedUser = now, name
	if name != 0 {
		c.failUsers.Add(name)
	}
	if e.Reason == relaylens.ReasonBackend {
		c.backendAt = now
	}
	host.failed(now)
}

func (h *history) relayDenied(e *relaylens.Event, now int64) {
	entry(h.sessions, h.sessionKey(e), now).denied = true
	if !e.ClientIP.IsValid() {
		return
	}
	key := h.address(e.ClientIP)
	c := h.clientEntry(e.ClientIP, now)
	c.denied++
	if l := looksOf(e); c.looks == 0 || l < c.looks {
		c.looks = l
	}
	c.ours = c.ours || h.inOurs(e.ClientName, now)
	if d := h.recipient(e); d.name != "" {
		c.denDomains.Add(d.key)
		if c.maybeHonest() && !h.ofProvider(d.name, now) {
			h.want(d, key, h.from(e).key, now)
		}
	}
	if c.failedUser != 0 && now-c.failedAt <= sessionTime && e.Sender != "" && c.failedUser == h.sender(e) {
		// Somebody whose login failed goes on to send as himself: no guesser does.
		h.hostEntry(e, now).honest(c.failedUser, now)
	}
}
