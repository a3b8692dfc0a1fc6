package postfix

import (
	"strings"

	"github.com/relaylens/relaylens"
)

// backendPrefixes begin the warnings of a table, a server or a service that
// could not be asked.
//
// Source: global/dict_mysql.c, dict_pgsql.c, dict_ldap.c, dict_sqlite.c, dict_proxy.c, util/
// dict_surrogate.c, dict_tcp.c, match_ops.c, attr_clnt.c, milter/milter8.c, xsasl/*.c.
var backendPrefixes = [...]string{
	"SASL: Connect to ",
	"connect to mysql server ", "connect to pgsql server ", "connect to mongo", "connect to TCP map ", "connect to Milter service ",
	"read TCP map reply from ", "write TCP map ",
	"pgsql query failed: ", "mysql query failed: ",
	"dict_ldap_connect: ", "dict_ldap_lookup: ", "dict_ldap_get_values", "dict_sqlite_lookup: ",
	"problem talking to server ", "problem talking to service ",
	"transport_maps lookup failure", "verify service failure",
	"open database ", "open hash file ",
	"request for unapproved table: ",
	"timeout on private/", "premature end-of-input on private/",
	unknownRestriction,
}

// unknownRestriction begins what smtpd says of a word in its restrictions, or in an access
// table, that it does not know: nobody gets past it.
//
// Source: smtpd/smtpd_check.c generic_checks.
const unknownRestriction = `unknown smtpd restriction: "`

// backend reads a warning or an error about something that Postfix needs for
// its answer. Keys in it are the client's words, so only the start is looked at.
func backend(rest string, rec *relaylens.Record) relaylens.Verdict {
	if rest == "" || !backendLine(rest) {
		return relaylens.Ignored
	}
	rec.Event.Kind, rec.Event.Text = relaylens.KindBackendError, rest
	rec.Helper, rec.Event.RemoteHost = helper(rest)
	return relaylens.Parsed
}

func backendLine(rest string) bool {
	for i := range backendPrefixes {
		p := backendPrefixes[i]
		if rest[0] == p[0] && strings.HasPrefix(rest, p) {
			return true
		}
	}
	first, after, ok := strings.Cut(rest, " ")
	if !ok {
		return false
	}
	if first == "table" {
		first, after, ok = strings.Cut(after, " ")
		return ok && strings.IndexByte(first, ':') > 0 && strings.HasPrefix(after, "lookup error: ")
	}
	switch first {
	case "milter":
		_, why, _ := strings.Cut(after, ": ")
		return strings.HasPrefix(why, "can't ") || strings.HasPrefix(why, "EOF while ") || strings.HasPrefix(why, "error writing ") ||
			strings.Contains(why, "packet ")
	case "restriction": // restriction {name}: bad argument "{word}": need maptype:mapname
		return strings.HasSuffix(after, ": need maptype:mapname")
	}
	colon := strings.IndexByte(first, ':')
	switch {
	case colon > 0 && colon < len(first)-1: // {TYPE}:{NAME}
		return strings.HasPrefix(after, `lookup error for "`) || strings.HasPrefix(after, "lookup error for '") || strings.HasPrefix(after, "is unavailable. ") ||
			strings.HasPrefix(after, "socketmap server ") || strings.HasPrefix(after, "query failed: ") || after == "lookup failure" ||
			strings.HasPrefix(after, "lookup error: ")
	case colon == len(first)-1: // {function}: service {proxymap}: …, {list}: {TYPE}:{NAME}: table lookup problem
		return strings.HasPrefix(after, "service ") || strings.HasPrefix(after, "table ") || listed(after) != ""
	}
	return strings.HasPrefix(after, `lookup failed for table "`) || strings.HasPrefix(after, `service is not configured for table "`) || after == "lookup failure"
}

// tooBig is what smtpd says of a message beyond message_size_limit, and cleanup of
// one that got there by what was added to it. Both may say it of the same.
//
// Source: smtpd/smtpd.c receive_data_message, cleanup/cleanup_out.c cleanup_out.
const tooBig = "queue file size limit exceeded"

// otherWarning reads the warnings that any program may write, and those that
// begin with a queue id.
func otherWarning(d daemon, rest string, rec *relaylens.Record) relaylens.Verdict {
	if d == daemonMaster {
		return masterWarning(rest, rec)
	}
	id, after, ok := cutID(rest)
	if !ok {
		if v := backend(rest, rec); v != relaylens.Ignored {
			return v
		}
		return faultWarning(rest, rec)
	}
	if id == noQueue {
		id = ""
	}
	if smtpdLine(d) || d == daemonCleanup {
		if after == tooBig && id != "" {
			rec.Event.QueueID = id
			refuse(&rec.Event, relaylens.StageEOD, relaylens.ReasonSize, relaylens.Class5xx, tooBig)
			rec.Submitted = d == daemonCleanup
			return relaylens.Parsed
		}
		if v := badBDAT(id, after, rec); v != relaylens.Ignored {
			return v
		}
	}
	if d == daemonCleanup || d == daemonAny {
		return cleanupWarning(id, after, rec)
	}
	return relaylens.Ignored
}
