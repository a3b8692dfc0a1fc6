package relaylens

import "strings"

// Helper is what a server needs before it answers a client. Where it fails, the
// server puts off whoever comes.
type Helper uint8

const (
	HelperNone          Helper = iota
	HelperMilter               // a filter by Sendmail's protocol
	HelperPolicy               // a policy service of Postfix
	HelperTable                // a file, a directory, a database
	HelperFilter               // a content filter before the queue
	HelperScanner              // of spam or viruses, of Exim
	HelperDisk                 // room for the queue
	HelperConfiguration        // rules that the server can read
	HelperBlocklist            // in DNS, that has everybody on it
	HelperCertificate          // its own, with the key
	HelperCapacity             // for one client more
	HelperService              // a program of the server's own, that does not run
	HelperStore                // of mailboxes, or what else mail is handed to at last
)

var helpers = enum[Helper]{"helper", []string{"", "milter", "policy_service", "table", "filter", "scanner", "disk", "configuration", "blocklist", "certificate", "capacity", "service", "mailbox_store"}}

// Names of what has none of its own.
const (
	Disk          = "disk"
	Certificate   = "certificate"
	Capacity      = "capacity"
	Configuration = "configuration" // or this, a colon and the word that cannot be read
	Service       = "service:"      // and the name of the program
	Store         = "store:"        // and by what, or where, it is reached
)

// Helpers lists them.
func Helpers() []Helper { return helpers.all() }

func (h Helper) String() string { return helpers.name(h) }

// filterDown begin the text of a refusal for the want of a filter: no reply is logged,
// so that it is what Postfix says of the filter.
//
// Source: smtpd/smtpd_proxy.c smtpd_proxy_connect, smtpd_proxy_rdwr_error.
var filterDown = [...]string{"connect to proxy filter ", "lost connection with proxy ", "timeout talking to proxy "}

// HelperOf is what failed where a refusal was given for the want of it, or where the server
// says itself that it fails, which is a KindBackendError. Its name is then e.RemoteHost, or
// [Blocklist] of e. HelperNone of all other events, as of an error that is told of again where
// something is refused for it.
func HelperOf(e *Event) Helper {
	if e.Kind == KindBackendError {
		if strings.HasPrefix(e.RemoteHost, "/") { // a file that the server keeps for itself
			return HelperTable
		}
		return ownFault(e.RemoteHost)
	}
	if e.Reason == ReasonDNSBL && e.Cause == CausePolicy && e.Direction == Inbound { // else the cause is that the client is on it
		return HelperBlocklist
	}
	if e.Kind != KindRejected || e.Direction != Inbound || e.RemoteHost == "" || e.RemoteIP.IsValid() { // a callout's server has an address
		return HelperNone
	}
	switch e.Reason {
	case ReasonMilter:
		return HelperMilter
	case ReasonPolicyService:
		return HelperPolicy
	case ReasonContent:
		return HelperScanner
	case ReasonRateLimit:
		if e.RemoteHost == Capacity {
			return HelperCapacity
		}
	case ReasonResources:
		if h := ownFault(e.RemoteHost); h != HelperNone {
			return h
		}
		for _, p := range filterDown {
			if strings.HasPrefix(e.Text, p) {
				return HelperFilter
			}
		}
		return HelperTable
	}
	return HelperNone
}

// ownFault is what has one of the names that are no table's.
func ownFault(name string) Helper {
	switch {
	case name == "":
	case name == Disk:
		return HelperDisk
	case name == Certificate:
		return HelperCertificate
	case name == Capacity:
		return HelperCapacity
	case name == Configuration, strings.HasPrefix(name, Configuration+":"):
		return HelperConfiguration
	case strings.HasPrefix(name, Service):
		return HelperService
	case strings.HasPrefix(name, Store):
		return HelperStore
	}
	return HelperNone
}

// OfFinding reports whether findings are made of e: of refusals, and of what the server says
// itself that fails.
func OfFinding(e *Event) bool {
	return e.Refusal() || e.Kind == KindBackendError && HelperOf(e) != HelperNone
}
