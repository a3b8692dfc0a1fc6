package parsers

import (
	"strings"

	"github.com/relaylens/relaylens"
)

// route says which grammars may read the lines of a program.
type route struct {
	mta   relaylens.MTA // MTANone: not known
	sure  bool          // the name alone proves it; its lines are never foreign
	tries int           // lines of an unknown program still looked at by every grammar
}

const (
	// maxRoutes bounds the programs remembered. A log has some dozens; a relay
	// that collects from a site with wild tags may have more.
	maxRoutes = 4096
	// maxTries is how many lines of a program with an unknown name are shown to
	// every grammar before its lines count as foreign.
	maxTries = 32
)

// router finds the grammar by the program's name and remembers what it found.
type router struct {
	routes map[string]*route
}

func newRouter() *router { return &router{routes: make(map[string]*route)} }

func (r *router) find(program string) *route {
	if rt, ok := r.routes[program]; ok {
		return rt
	}
	mta := mtaOfProgram(program)
	rt := &route{mta: mta, sure: mta != relaylens.MTANone, tries: maxTries}
	if len(r.routes) >= maxRoutes {
		clear(r.routes)
	}
	r.routes[strings.Clone(program)] = rt
	return rt
}

// postfixDaemons are the programs of Postfix's master.cf, the last component of
// the tag whatever syslog_name an instance or service has.
var postfixDaemons = map[string]bool{
	"smtpd": true, "smtp": true, "lmtp": true, "qmgr": true, "nqmgr": true, "oqmgr": true, "cleanup": true,
	"bounce": true, "defer": true, "trace": true, "pickup": true, "local": true, "virtual": true, "pipe": true,
	"error": true, "retry": true, "discard": true, "trivial-rewrite": true, "anvil": true, "scache": true,
	"verify": true, "proxymap": true, "proxywrite": true, "postscreen": true, "dnsblog": true, "tlsproxy": true,
	"tlsmgr": true, "master": true, "postfix-script": true, "postlog": true, "postlogd": true, "postsuper": true,
	"postdrop": true, "sendmail": true, "postqueue": true, "postmap": true, "postalias": true, "spawn": true,
	"flush": true, "showq": true, "qmqpd": true, "rewrite": true, "postkick": true, "postmulti": true,
}

// mtaOfProgram tells the MTA by the usual names of its programs: formats of the
// tag are configuration, so a name that it does not know proves nothing.
func mtaOfProgram(program string) relaylens.MTA {
	if i := strings.LastIndexByte(program, '/'); i >= 0 {
		if postfixDaemons[program[i+1:]] {
			return relaylens.Postfix
		}
		if strings.HasPrefix(program, "postfix") {
			return relaylens.Postfix // a cloned service, or a tag cut at 32 characters
		}
		return relaylens.MTANone
	}
	switch name := strings.ToLower(program); {
	case strings.HasPrefix(name, "postfix"):
		return relaylens.Postfix
	case name == "exim", strings.HasPrefix(name, "exim4"), strings.HasPrefix(name, "exim-"):
		return relaylens.Exim
	case name == "sendmail", strings.HasPrefix(name, "sendmail-"), strings.HasPrefix(name, "sm-"):
		return relaylens.Sendmail
	}
	return relaylens.MTANone
}
