package doctor

import "strings"

// attempt is a client that wants mail relayed to a foreign domain. A stranger
// chooses his sender, his HELO and whether to encrypt.
type attempt struct {
	loggedIn bool
	by       *statement // that decided; nil for the end of the ACL
	steps    int
}

// maxSteps bounds the statements that are looked at, however ACLs call each other.
const maxSteps = 1_000

// judge walks an ACL for an attempt that no list of ours has anything of.
// Unsettled conditions decide nothing, but leave the answer open.
func (x *Exim) judge(acl string, a *attempt, depth int) verdict {
	list, known := x.acls[acl]
	if depth > maxNested || !known {
		return x.judgeWord(acl)
	}
	open := false
	for i := range list {
		s := &list[i]
		if a.steps++; a.steps > maxSteps {
			return unsettled
		}
		holds, afterEndpass := x.holds(s, a, depth)
		v := goesOn
		switch {
		case s.verb == "require" && holds == No, (s.verb == "deny" || s.verb == "drop" || s.verb == "defer") && holds == Yes, s.verb == "accept" && holds == No && afterEndpass:
			v = rejects
		case (s.verb == "accept" || s.verb == "discard") && holds == Yes:
			v = permits
		case holds == Unknown && s.verb != "warn":
			open = true
		}
		if v != goesOn {
			a.by = s
			if open {
				return unsettled
			}
			return v
		}
	}
	a.by = nil
	if open {
		return unsettled
	}
	return rejects // the end of an ACL is an implicit deny
}

// judgeWord is an ACL that is a verb, or is made by an expansion.
func (x *Exim) judgeWord(acl string) verdict {
	switch word, _ := cutSpace(strings.TrimSpace(acl)); word {
	case "accept":
		return permits
	case "deny", "drop", "defer", "":
		return rejects
	}
	return unsettled
}

// holds asks all conditions of a statement; the first that fails decides.
func (x *Exim) holds(s *statement, a *attempt, depth int) (all Truth, afterEndpass bool) {
	all = Yes
	for i := range s.conditions {
		c := &s.conditions[i]
		if c.name == "endpass" {
			afterEndpass = true
			continue
		}
		t := x.condition(c, a, depth)
		switch {
		case c.ofChoice() && a.loggedIn:
			t = Unknown
		case c.ofChoice():
			t = truth(s.verb == "accept" || s.verb == "require" || s.verb == "discard")
		case c.not:
			t = not(t)
		}
		switch t {
		case No:
			return No, afterEndpass
		case Unknown:
			all = Unknown
		case Yes:
		}
	}
	return all, afterEndpass
}

// ofChoice reports whether it is the client who decides the condition: a stranger
// writes the sender that suits him.
func (c *condition) ofChoice() bool {
	return c.name == "sender_domains" || c.name == "senders" || c.name == "encrypted"
}

func not(t Truth) Truth {
	switch t {
	case Yes:
		return No
	case No:
		return Yes
	case Unknown:
	}
	return Unknown
}

// condition answers one condition or modifier for the attempt.
func (x *Exim) condition(c *condition, a *attempt, depth int) Truth {
	switch c.name {
	case "authenticated":
		return truth(a.loggedIn)
	case "hosts":
		n := x.networks(c.value)
		if len(n.unread) > 0 && len(n.in) == 0 {
			return No // a table of ours has no stranger
		}
		return truth(n.everybody() || len(n.in) == 0 && len(n.out) > 0 && !isEmptyHost(c.value))
	case "domains":
		d := x.domains("", c.value)
		return truth(d.all)
	case "dnslists", "ratelimit", "malware", "spam", "regex", "mime_regex", "decode", "spf", "spf_guess", "dkim_signers", "dkim_status", "dmarc_status":
		return No
	case "local_parts":
		return truth(strings.TrimSpace(c.value) == "*")
	case "recipients":
		return truth(strings.TrimSpace(c.value) == "*@*" || strings.TrimSpace(c.value) == "*")
	case "verify":
		what, _, _ := strings.Cut(c.value, "/")
		return truth(strings.TrimSpace(what) != "certificate")
	case "condition":
		return constant(c.value)
	case "acl":
		name, _ := cutSpace(c.value)
		by := a.by
		v := x.judge(name, a, depth+1)
		a.by = by
		return verdictTruth(v)
	}
	return Yes // a modifier
}

func verdictTruth(v verdict) Truth {
	switch v {
	case permits:
		return Yes
	case rejects:
		return No
	case unsettled, goesOn:
	}
	return Unknown
}

// constant is a condition without an expansion.
func constant(value string) Truth {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "", "0", "no", "false":
		return No
	case "1", "yes", "true":
		return Yes
	}
	return Unknown
}

// isEmptyHost reports whether a host list only has the empty item: mail that did
// not come over TCP.
func isEmptyHost(value string) bool { return strings.Trim(value, ": ") == "" }
