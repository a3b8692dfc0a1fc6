package exim

import (
	"strings"

	"github.com/relaylens/relaylens"
)

// scanner names what an ACL could not have the message scanned by, from the line that
// says so: "malware acl condition: clamd /run/clamd.ctl : why".
// malware.c, m_panic_defer; spam.c, spam
func scanner(s string) (name string) {
	if said, ok := strings.CutPrefix(s, "malware acl condition: "); ok {
		name, _, _ = strings.Cut(said, " : ")
		if len(name) == len(said) || len(name) > maxName {
			return ""
		}
		return strings.TrimSpace(name)
	}
	if strings.HasPrefix(s, "spam acl condition: ") && strings.Contains(s, "spamd") {
		return "spamd"
	}
	return ""
}

// maxName is longer than the name of any file or socket.
const maxName = 200

// lookedUp names the table, database or socket whose failure Exim itself gives as the
// reason of a temporary refusal; s is the text. What was looked up may be the client's:
// it stands before the last "gave DEFER: ". DNS, which has no words there, is no table
// of this server's.
// expand.c, search.c, lookups/*.c
func lookedUp(s string) (name string) {
	if at := strings.LastIndex(s, deferred); at >= 0 && hasAnyPrefix(s, "failed to expand ", `lookup of "`) {
		return failure(s[at+len(deferred):])
	}
	if name = failure(s); name != "" || !strings.HasPrefix(s, "failed to expand ") {
		return name
	}
	for rest, more := s, true; more && name == ""; {
		if _, rest, more = strings.Cut(rest, `": `); more {
			name = failure(rest)
		}
	}
	return name
}

const deferred = `" gave DEFER: `

// failure reads what a lookup says of itself. That a query cannot be read is due to
// what was asked.
func failure(s string) (name string) {
	switch {
	case strings.Contains(s, "query failed") && (strings.Contains(s, "syntax") || strings.Contains(s, "invalid byte sequence")), strings.HasSuffix(s, "no data found"):
		return ""
	case hasAnyPrefix(s, "MYSQL connection failed", "MYSQL: ", "PGSQL connection failed", "PGSQL: ", "REDIS connection failed", "REDIS: ", "REDIS Authentication failed",
		"ORACLE ", "MySQL server ", "PostgreSQL server ", "Redis server "):
		name = s[:strings.IndexAny(s, ": ")]
	case hasAnyPrefix(s, "failed to bind the LDAP connection to server ", "failed to initialize for LDAP server "):
		name = "LDAP"
	case hasAnyPrefix(s, "ldap_result ", "ldap_search failed"):
		name = "ldap"
	case strings.HasPrefix(s, "failed to open "):
		name, _, _ = strings.Cut(s[len("failed to open "):], " ")
	case strings.HasPrefix(s, "failed to connect to socket "):
		name, _, _ = strings.Cut(s[len("failed to connect to socket "):], ": ")
	case strings.HasPrefix(s, "failed to connect to any address for "):
		name, _, _ = strings.Cut(s[len("failed to connect to any address for "):], ": ")
	case s == "unable to open database file":
		name = "database"
	}
	if len(name) > maxName || strings.IndexByte(name, ' ') >= 0 {
		return ""
	}
	return name
}

// lacking says what the refusal is for, where Exim's own words tell: of a lookup that
// failed, and after a scanner that did, which gives no words.
func lacking(c *claim, rec *relaylens.Record) {
	e := &rec.Event
	if !c.temporary || c.verb != rejected || e.Kind != relaylens.KindRejected {
		return
	}
	if c.msg == "" {
		if c.stage == relaylens.StageEOD {
			rec.Helper = relaylens.HelperScanner
		}
		return
	}
	if name := scanner(c.msg); name != "" {
		e.Reason, e.RemoteHost = relaylens.ReasonContent, name
	} else if name := lookedUp(c.msg); name != "" {
		e.Reason, e.RemoteHost = relaylens.ReasonResources, name
	} else if misread(c.msg) {
		e.Reason, e.RemoteHost = relaylens.ReasonResources, relaylens.Configuration
	}
}

// misread reports whether Exim says that it cannot make sense of its own configuration.
// What depends on the client's words, such as a number that is none, is not among it.
// acl.c, acl_read, acl_check_condition; expand.c
func misread(s string) bool {
	if hasAnyPrefix(s, `unknown ACL `, `malformed ACL line "`, `failed to open ACL file "`, `ACL error: `, `error in arguments to "ratelimit" condition: `) {
		return true
	}
	if !strings.HasPrefix(s, "failed to expand ") || strings.Contains(s, `lookup of "`) {
		return false
	}
	for rest, more := s, true; more; {
		if _, rest, more = strings.Cut(rest, `": `); more && (hasAnyPrefix(rest, `unknown condition "`, "unknown lookup type ", "unknown variable ", "unknown expansion ",
			"curly-bracket problem ", "missing ", "too few arguments ", "condition name expected", `"${`, "$ not followed by ", "letter or digit expected ", "} expected after ",
			"A setting of perl_startup is needed ", "support for ", "Tainted ", "tainted ") || strings.HasPrefix(rest, `"`) && strings.Contains(rest, `" is not a known operator`)) {
			return true
		}
	}
	return false
}
