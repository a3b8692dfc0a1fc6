package sendmail

import (
	"strings"

	"github.com/relaylens/relaylens"
)

// auth reads what follows "AUTH". srvrsmtp.c:smtp
func (g *Grammar) auth(id, s string, rec *relaylens.Record) relaylens.Verdict {
	if rest, ok := strings.CutPrefix(s, "=server, relay="); ok {
		return g.login(rest, rec)
	}
	s, ok := strings.CutPrefix(s, " ")
	if !ok {
		return relaylens.Ignored
	}
	if rest, ok := strings.CutPrefix(s, "failure ("); ok {
		return authFailure(id, rest, rec)
	}
	switch {
	case strings.HasPrefix(s, "decode64 error "):
		return authError(id, s, relaylens.ReasonMalformed, rec)
	case strings.HasPrefix(s, "encode64 error "):
		return authError(id, s, relaylens.ReasonBackend, rec)
	case strings.HasPrefix(s, "warning: "), strings.HasPrefix(s, "error: "):
		return loginBackend(s, rec)
	}
	return relaylens.Ignored
}

// login reads "REL, authid=U, mech=M, bits=n". There is no queue id: the login
// belongs to everything that the process does from now on.
func (g *Grammar) login(s string, rec *relaylens.Record) relaylens.Verdict {
	bits := lastIndex(s, ", bits=")
	if bits < 0 {
		return relaylens.Malformed
	}
	s = unescape(s[:bits])
	client, rest, ok := cutRelay(s, func(s string) bool { return strings.HasPrefix(s, ", authid=") }, g.relay)
	if !ok {
		return relaylens.Malformed
	}
	user := rest[len(", authid="):]
	mech := lastIndex(user, ", mech=")
	if mech < 0 {
		return relaylens.Malformed
	}
	e := &rec.Event
	e.Kind, e.User, e.AuthMethod = relaylens.KindAuthOK, user[:mech], user[mech+len(", mech="):]
	client.set(e)
	rec.Fact = relaylens.FactSession
	return relaylens.Parsed
}

// authFailure reads "M): errstring (code) detail⟦, user=U⟧, relay=REL". The user
// is there from 8.16.1 on; it is the client's own text, as is what the detail
// repeats of it, so the last ", relay=" counts. REL is cut at 100 characters.
func authFailure(id, s string, rec *relaylens.Record) relaylens.Verdict {
	mech, s, ok := strings.Cut(s, "): ")
	if !ok {
		return relaylens.Malformed
	}
	at := lastIndex(s, relayMark)
	if at < 0 {
		return relaylens.Malformed
	}
	client, _ := parseCut(unescape(s[at+len(relayMark):]))
	said := unescape(s[:at])
	code, ok := saslCode(said)
	if !ok {
		return relaylens.Malformed
	}
	detail, user, known := cutUser(said)
	e := &rec.Event
	authFailed(e, reasonOf(code))
	client.set(e)
	e.Text, e.User, rec.Tainted = detail, user, !known
	if mechanism(mech) {
		e.AuthMethod = mech
	}
	rec.Hold = id != "" && !client.ip.IsValid()
	return relaylens.Parsed
}

// authFailed fills in what all failures share. The reply, 535 5.7.0, is not logged.
func authFailed(e *relaylens.Event, reason relaylens.Reason) {
	e.Kind, e.Reason, e.Class = relaylens.KindAuthFailed, reason, relaylens.Class5xx
	e.Direction, e.Stage = relaylens.Inbound, relaylens.StageAuth
}

// authError reads `decode64 error [n for "…"]⟦, relay=REL⟧`.
func authError(id, s string, reason relaylens.Reason, rec *relaylens.Record) relaylens.Verdict {
	var client relay
	if at := lastIndex(s, relayMark); at >= 0 {
		client, _ = parseCut(unescape(s[at+len(relayMark):]))
		s = s[:at]
	} else if !strings.HasSuffix(s, `"]`) {
		return relaylens.Malformed
	}
	e := &rec.Event
	authFailed(e, reason)
	if reason == relaylens.ReasonBackend {
		e.Class = relaylens.Class4xx
	}
	client.set(e)
	e.Text = unescape(s)
	rec.Hold = id != "" && !client.ip.IsValid()
	return relaylens.Parsed
}

// mechanism tells a name as RFC 4422 allows it from anything else that a client
// may have sent in its place.
func mechanism(s string) bool {
	if s == "" || len(s) > 20 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; !alphanumeric(c) && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// saslCode finds the number in "authentication failure (-13) …".
func saslCode(s string) (int, bool) {
	at := strings.Index(s, " (-")
	if at < 0 {
		return 0, false
	}
	n, rest, ok := number(s[at+len(" (-"):])
	return n, ok && strings.HasPrefix(rest, ")")
}

// reasonOf sorts the codes of the SASL library, without their sign. cyrus-sasl
// include/sasl.h
func reasonOf(code int) relaylens.Reason {
	switch code {
	case 13, 20: // BADAUTH, NOUSER
		return relaylens.ReasonCredentials
	case 4, 11: // NOMECH, WRONGMECH
		return relaylens.ReasonMechanism
	case 3, 5, 7, 9: // BUFOVER, BADPROT, BADPARAM, BADMAC
		return relaylens.ReasonMalformed
	case 14, 15, 16, 17, 18, 19, 21, 22, 26: // NOAUTHZ, TOOWEAK, ENCRYPT, TRANS, EXPIRED, DISABLED, PWLOCK, NOCHANGE, NOVERIFY
		return relaylens.ReasonAuthPolicy
	}
	return relaylens.ReasonBackend // FAIL, NOMEM, TRYAGAIN, BADSERV, NOTINIT, UNAVAIL
}

const userMark = ", user="

// cutUser splits "errstring (code) detail, user=U". known is false when the
// user's text makes it unclear where it begins.
//
// Sendmail takes U from the client's response, up to a space for CRAM-MD5 and 64
// characters in any case; sasldb's detail has all of it and the realm:
// "user: U@realm property: P not found in sasldb".
func cutUser(s string) (detail, user string, known bool) {
	first := strings.Index(s, userMark)
	if first < 0 {
		return s, "", true
	}
	only := strings.LastIndex(s, userMark) == first
	quoted := strings.Index(s, ": user: ")
	if quoted < 0 || quoted > first {
		// The texts of the other methods are the library's own.
		if only || fixedDetail(s[:first]) {
			return s[:first], s[first+len(userMark):], true
		}
		return s[:first], "", false
	}
	rest := s[quoted+len(": user: "):]
	for at, tries := first, 0; at >= 0 && tries < maxCandidates; at, tries = nextUser(s, at), tries+1 {
		user := s[at+len(userMark):]
		if user == "" || !strings.HasPrefix(rest, user) {
			continue
		}
		end := strings.LastIndex(s[:at], " property: ")
		if end < quoted+len(": user: ") {
			continue
		}
		return s[:at], whole(s[quoted+len(": user: "):end], user), true
	}
	if only {
		return s[:first], s[first+len(userMark):], true
	}
	return s[:first], "", false
}

// nextUser finds the mark behind the one at at, or -1.
func nextUser(s string, at int) int {
	i := strings.Index(s[at+1:], userMark)
	if i < 0 {
		return -1
	}
	return at + 1 + i
}

// whole is the user of whom Sendmail shows only the beginning, out of the
// "user@realm" that sasldb was asked for. The library adds its own realm only to
// a user that has none. cyrus-sasl plugins/plugin_common.c:_plug_parseuser
func whole(asked, user string) string {
	at := strings.LastIndexByte(asked, '@')
	if at < len(user) || strings.IndexByte(asked, '@') < at {
		return asked
	}
	return asked[:at]
}

// fixedDetail knows the details that hold no text of the client's. cyrus-sasl
// plugins/login.c, plain.c, cram.c, digestmd5.c
func fixedDetail(s string) bool {
	return strings.HasSuffix(s, ": checkpass failed") || strings.HasSuffix(s, ": Password verification failed") ||
		strings.HasSuffix(s, ": incorrect digest response") || strings.HasSuffix(s, ": client response doesn't match what we generated") ||
		strings.HasSuffix(s, ")")
}
