package classifier

import (
	"fmt"
	"slices"
	"strings"

	"github.com/relaylens/relaylens"
)

const (
	// helperRefusals are no moment in which a helper was started anew.
	helperRefusals = 3
	// helperGap is how far apart two refusals of one outage may be.
	helperGap = int64(15 * 60)
	// maxLapses bounds what is remembered of a host.
	maxLapses = 16
	// plenty of mail, for each refusal, that the server took from others meanwhile, does
	// without what failed: it answers mostly, or is asked about few.
	plenty = 5
)

// lapse is a time in which a helper of a server's did not answer, at least at times.
type lapse struct {
	from, to int64
	refused  int
	taken    int // messages from other servers
	stored   int // and delivered on this machine
}

// lapsed notes a refusal for the want of a helper.
func (h *host) lapsed(now int64) {
	if n := len(h.lapses) - 1; n >= 0 && now-h.lapses[n].to <= helperGap {
		l := &h.lapses[n]
		l.from, l.to, l.refused = min(l.from, now), max(l.to, now), l.refused+1
		return
	}
	h.lapses = pushed(h.lapses, lapse{from: now, to: now, refused: 1}, maxLapses)
}

// lapse notes that a helper failed, and counts what is taken while one does.
func (h *history) lapse(e *relaylens.Event, now int64) {
	switch {
	case (e.Refusal() || e.Kind == relaylens.KindBackendError) && relaylens.HelperOf(e) != relaylens.HelperNone:
		h.hostEntry(e, now).lapsed(now)
		h.lapsed = max(h.lapsed, now)
	case e.Kind == relaylens.KindDelivered && h.lapsed != 0 && now-h.lapsed <= helperGap && (deliveredHere(e) || e.RemoteIP.IsLoopback()):
		if l := h.lastLapse(e, now); l != nil {
			l.stored++
		}
	case e.Kind == relaylens.KindAccepted && h.lapsed != 0 && now-h.lapsed <= helperGap && e.User == "" && e.ClientIP.IsValid() && !h.site.internal(e.ClientIP):
		if l := h.lastLapse(e, now); l != nil {
			l.taken++
		}
	}
}

// lastLapse is the one that the host of e is in; nil where it is in none.
func (h *history) lastLapse(e *relaylens.Event, now int64) *lapse {
	host := h.known(e, now)
	if host == nil || len(host.lapses) == 0 {
		return nil
	}
	if l := &host.lapses[len(host.lapses)-1]; now-l.to <= helperGap {
		return l
	}
	return nil
}

// mostlyWell reports whether a server took plenty of mail in the time of a finding
// about a helper of its own.
func (h *history) mostlyWell(p *relaylens.Finding) bool {
	l := h.lapseOf(p)
	return l != nil && l.taken > plenty*l.refused
}

// lapseOf is the lapse that the latest of a finding is in.
func (h *history) lapseOf(p *relaylens.Finding) *lapse {
	host := h.hosts.Get(h.name(p.Host), p.Last.Unix())
	if host == nil {
		return nil
	}
	i := slices.IndexFunc(host.lapses, func(l lapse) bool { return l.from <= p.Last.Unix() && p.Last.Unix() <= l.to })
	if i < 0 {
		return nil
	}
	return &host.lapses[i]
}

// helperEntity is what failed. A database is one, however many of its tables were
// asked; where Sendmail does not tell the map, the server is all that is known.
func helperEntity(e *relaylens.Event) relaylens.Entity {
	name := e.RemoteHost
	switch relaylens.HelperOf(e) {
	case relaylens.HelperBlocklist:
		zone, _ := relaylens.Blocklist(e)
		if zone == "" {
			zone = "postscreen_dnsbl_sites" // of which none is named
		}
		name = strings.ToLower(zone)
	case relaylens.HelperTable:
		if e.MTA == relaylens.Sendmail && strings.HasPrefix(name, "check_") {
			return relaylens.Entity{Kind: relaylens.EntityServer, Value: e.Host}
		}
		kind, server, _ := strings.Cut(strings.TrimPrefix(name, "proxy:"), ":")
		if database := databases[strings.ToLower(kind)]; database != "" {
			name = database
		} else if end := strings.LastIndexByte(server, ':'); kind == "socketmap" && end > 0 {
			name = kind + ":" + server[:end] // less the name of the map
		}
	}
	return relaylens.Entity{Kind: relaylens.EntityHelper, Value: name}
}

var databases = map[string]string{"mysql": "mysql", "pgsql": "pgsql", "postgresql": "pgsql", "ldap": "ldap", "mongodb": "mongodb", "redis": "redis", "oracle": "oracle", "memcache": "memcache"}

// helperConfidence is how sure a finding about a helper is.
func (f *Findings) helperConfidence(g *group, p *relaylens.Finding, evidence []relaylens.Event) (probability float64, why string) {
	failed := relaylens.HelperOf(&evidence[0])
	what := lacks[failed]
	if p.Events == 0 {
		return f.faultConfidence(g, p, evidence)
	}
	switch {
	case failed == relaylens.HelperBlocklist:
		return 0.95, "clients that mail came from are on it as well, or it says itself that it does not answer; hardly anybody else gets through"
	case f.history.mostlyWell(p):
		return 0.7, fmt.Sprintf("the server says itself that %s, and takes plenty of other mail meanwhile", what)
	case p.Clients == 1 && p.Events > 1 && p.Entity.Value != relaylens.Disk: // whose room nobody else takes
		return 0.7, fmt.Sprintf("the server says itself that %s, of one client only", what)
	}
	var names []string
	for i := range evidence {
		n := strings.TrimPrefix(evidence[i].RemoteHost, relaylens.Configuration+":")
		if n != "" && !slices.Contains([]string{relaylens.Disk, relaylens.Configuration, relaylens.Certificate, relaylens.Capacity}, n) && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	if len(names) > 0 {
		what += ": " + relaylens.Escaped(strings.Join(names, ", "), 300)
	}
	return 0.97, "the server says itself that " + what
}

// lacks is what a server says itself of each helper that failed.
var lacks = map[relaylens.Helper]string{
	relaylens.HelperMilter:        "a milter does not answer",
	relaylens.HelperPolicy:        "a policy service does not answer",
	relaylens.HelperTable:         "a table does not answer",
	relaylens.HelperFilter:        "the filter before the queue does not answer",
	relaylens.HelperScanner:       "a scanner does not answer",
	relaylens.HelperDisk:          "its disk is full, or cannot be written",
	relaylens.HelperConfiguration: "it cannot read its configuration",
	relaylens.HelperCertificate:   "it cannot use its certificate",
	relaylens.HelperCapacity:      "it has as many clients as it may have, or too much to do",
	relaylens.HelperService:       "a program of its own does not run",
	relaylens.HelperStore:         "the mailbox store, or what else mail is handed to, does not answer",
}
