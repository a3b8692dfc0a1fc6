package doctor

import (
	"cmp"
	"slices"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier/knowledge"
)

// Check names what is wrong with a configuration.
type Check string

// The checks. Each names one mistake, whatever the server.
const (
	RestrictionOrder      Check = "restriction_order"       // users who logged in are refused
	SASLOff               Check = "sasl_off"                // no login is on offer anywhere
	BackendMissing        Check = "auth_backend_missing"    // what logins are checked with is not there
	SubmissionMissing     Check = "submission_missing"      // no port for users
	SubmissionWithoutAuth Check = "submission_without_auth" // a port for users that offers no login
	SubmissionWithoutTLS  Check = "submission_without_tls"  // a port for users that encrypts nothing
	NetworksTooWide       Check = "networks_too_wide"       // strangers are in the networks that may relay
	ClientMissing         Check = "client_not_in_networks"  // the log shows a client of ours that may not relay
	DomainMissing         Check = "domain_not_configured"   // the log shows a domain that is not ours and should be
	DomainTwice           Check = "domain_in_two_classes"   // one domain is configured in two ways
	OpenRelay             Check = "open_relay"              // strangers may relay
	SenderCallout         Check = "sender_callout"          // strangers' senders are verified by callout
	DeadDNSBL             Check = "dead_dnsbl"              // a blocklist that is no more
)

// Checks lists every check.
func Checks() []Check {
	return []Check{OpenRelay, NetworksTooWide, RestrictionOrder, BackendMissing, SASLOff, SubmissionMissing, SubmissionWithoutAuth,
		SubmissionWithoutTLS, DomainMissing, DomainTwice, ClientMissing, SenderCallout, DeadDNSBL}
}

// causes are the refusals that a mistake leads to, the most frequent first.
var causes = map[Check][]relaylens.Cause{
	RestrictionOrder:      {relaylens.CauseRestrictionOrder},
	SASLOff:               {relaylens.CauseAuthNotOffered, relaylens.CauseClientNotAuthenticated},
	BackendMissing:        {relaylens.CauseAuthBackendUnavailable},
	SubmissionMissing:     {relaylens.CauseClientNotAuthenticated, relaylens.CauseAuthNotOffered},
	SubmissionWithoutAuth: {relaylens.CauseAuthNotOffered, relaylens.CauseClientNotAuthenticated},
	SubmissionWithoutTLS:  {relaylens.CauseAuthNotOffered},
	NetworksTooWide:       {relaylens.CauseRemoteBlocklisted},
	ClientMissing:         {relaylens.CauseClientNotInMynetworks},
	DomainMissing:         {relaylens.CauseRecipientDomainNotConfigured},
	DomainTwice:           {relaylens.CausePolicy},
	OpenRelay:             {relaylens.CauseRemoteBlocklisted},
	SenderCallout:         {relaylens.CauseRemoteBlocklisted, relaylens.CauseCalloutBlocked, relaylens.CauseCalloutDeferred, relaylens.CauseCalloutRelayDenied},
	DeadDNSBL:             {relaylens.CauseClientBlocklisted},
}

// Complaint is one mistake in a configuration. Texts may quote the configuration
// and the log: they are escaped where they are written.
type Complaint struct {
	Check Check           `json:"check"`
	Cause relaylens.Cause `json:"cause"` // of the refusals that it leads to
	MTA   relaylens.MTA   `json:"mta"`
	// Services are the ports or services that it holds for, none if for all.
	Services []string `json:"services,omitempty"`
	// Subject is the domain, network, client or blocklist in question.
	Subject string `json:"subject,omitempty"`
	Setting string `json:"setting"`
	Value   string `json:"value"` // as configured
	File    string `json:"file"`
	Text    string `json:"text"` // what is wrong, and what comes of it

	Fixes      []knowledge.Step `json:"fixes"`
	References []string         `json:"references"`

	// Finding is what the log shows of it, nil where it shows nothing. The two
	// confirm each other.
	Finding *relaylens.Finding `json:"finding,omitempty"`
}

// Report is what the configuration of one server says.
type Report struct {
	MTA        relaylens.MTA `json:"mta"`
	Complaints []Complaint   `json:"complaints"`
	// Unexplained are the findings whose fault is the server's and of which its
	// configuration shows nothing.
	Unexplained []relaylens.Finding `json:"unexplained"`
	// Unknown names what could not be judged, and why.
	Unknown []string `json:"unknown"`
}

// Truth is an answer that may not be had.
type Truth uint8

// What is known of a question.
const (
	Unknown Truth = iota
	No
	Yes
)

func truth(b bool) Truth {
	if b {
		return Yes
	}
	return No
}

// or is Yes when either is, and No when both are.
func (t Truth) or(u Truth) Truth {
	switch {
	case t == Yes || u == Yes:
		return Yes
	case t == Unknown || u == Unknown:
		return Unknown
	}
	return No
}

// System answers what a configuration only points to. All names are the
// server's own.
type System interface {
	// Exists reports whether a file, directory or socket is there.
	Exists(path string) Truth
	// ReadFile gives a text; ok is false when it cannot be had.
	ReadFile(path string) (text string, ok bool)
	// Lookup reports whether a Postfix table, "hash:/etc/postfix/x", has the key.
	Lookup(table, key string) Truth
}

// Elsewhere is the System of a configuration that came from another machine: of
// what it points to nothing is known.
type Elsewhere struct{}

// Exists implements [System].
func (Elsewhere) Exists(string) Truth { return Unknown }

// ReadFile implements [System].
func (Elsewhere) ReadFile(string) (string, bool) { return "", false }

// Lookup implements [System].
func (Elsewhere) Lookup(string, string) Truth { return Unknown }

// Server is a configuration that can be judged.
type Server interface {
	mta() relaylens.MTA
	// examine complains of what the configuration alone shows.
	examine(r *Report)
	// domainMissing complains if mail for a domain is not taken, and reports
	// whether the configuration has it.
	domainMissing(r *Report, domain string) Truth
	// clientMissing complains if an address may not relay, and reports whether it may.
	clientMissing(r *Report, address string) Truth
}

// Examine judges a configuration, and holds the findings of its log against it.
func Examine(s Server, findings []relaylens.Finding) *Report {
	r := &Report{MTA: s.mta(), Complaints: []Complaint{}, Unexplained: []relaylens.Finding{}, Unknown: []string{}}
	s.examine(r)
	for i := range findings {
		if f := &findings[i]; f.MTA == s.mta() || f.MTA == relaylens.MTANone {
			r.hold(s, f)
		}
	}
	slices.SortStableFunc(r.Complaints, func(a, b Complaint) int {
		return cmp.Compare(slices.Index(Checks(), a.Check), slices.Index(Checks(), b.Check))
	})
	return r
}

// complain adds a complaint, or a service to one that says the same.
func (r *Report) complain(c Complaint) {
	c.MTA, c.Cause = r.MTA, causes[c.Check][0]
	if c.Fixes == nil {
		c.Fixes = []knowledge.Step{}
	}
	for i := range r.Complaints {
		if old := &r.Complaints[i]; old.same(&c) {
			for _, s := range c.Services {
				if !slices.Contains(old.Services, s) {
					old.Services = append(old.Services, s)
				}
			}
			return
		}
	}
	r.Complaints = append(r.Complaints, c)
}

func (c *Complaint) same(d *Complaint) bool {
	return c.Check == d.Check && c.Setting == d.Setting && c.Value == d.Value && c.File == d.File && c.Subject == d.Subject
}

// unknown notes, once, what could not be judged.
func (r *Report) unknown(why string) {
	if !slices.Contains(r.Unknown, why) {
		r.Unknown = append(r.Unknown, why)
	}
}
