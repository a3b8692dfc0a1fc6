package postfix

import (
	"strings"

	"github.com/relaylens/relaylens"
)

// maxName is longer than the name of any table or socket.
const maxName = 200

// helper is what failed by a warning that [backendLine] knows, under the name that
// main.cf has for it, where the warning tells it. It never looks behind the key of a
// lookup, which is the client's.
func helper(rest string) (relaylens.Helper, string) {
	first, after, _ := strings.Cut(rest, " ")
	switch {
	case strings.HasPrefix(rest, "connect to Milter service "):
		return named(relaylens.HelperMilter, beforeWhy(rest[len("connect to Milter service "):]))
	case first == "milter":
		return named(relaylens.HelperMilter, beforeWhy(after))
	case strings.HasPrefix(rest, "problem talking to server "):
		return named(relaylens.HelperPolicy, beforeWhy(rest[len("problem talking to server "):]))
	case first == "table": // table {TYPE}:{NAME} lookup error: {err}
		first, _, _ = strings.Cut(after, " ")
	case listed(after) != "" && strings.HasSuffix(first, ":"):
		first = listed(after)
	case strings.HasPrefix(rest, "connect to TCP map "):
		first = beforeWhy(rest[len("connect to TCP map "):])
	case strings.HasPrefix(rest, "dict_ldap_"):
		first = "ldap"
	case strings.HasPrefix(rest, "dict_sqlite_"):
		first = "sqlite"
	case strings.HasPrefix(rest, "pgsql query failed: "):
		first = "pgsql"
	case strings.HasPrefix(rest, "mysql query failed: "):
		first = "mysql"
	case strings.HasPrefix(rest, "connect to ") && strings.Contains(rest, " server "):
		first, _, _ = strings.Cut(rest[len("connect to "):], " ")
	case strings.HasPrefix(rest, unknownRestriction):
		return misread(strings.TrimSuffix(rest[len(unknownRestriction):], `"`))
	case first == "restriction":
		return misread(beforeWhy(after))
	case strings.HasPrefix(rest, "SASL: "), !strings.Contains(first, ":") || strings.HasSuffix(first, "::"):
		return relaylens.HelperNone, ""
	}
	return named(relaylens.HelperTable, strings.TrimSuffix(first, ":"))
}

// listed is the table of a list such as mydestination that could not be asked. util/match_ops.c
func listed(s string) string {
	name, ok := strings.CutSuffix(s, ": table lookup problem")
	if !ok || strings.IndexByte(name, ':') < 1 {
		return ""
	}
	return oneName(name)
}

func named(h relaylens.Helper, name string) (relaylens.Helper, string) {
	if name = oneName(name); name == "" {
		return relaylens.HelperNone, ""
	}
	return h, name
}

// misread is a word of the configuration that cannot be read.
func misread(word string) (relaylens.Helper, string) {
	if word = oneName(word); word == "" {
		return relaylens.HelperConfiguration, relaylens.Configuration
	}
	return relaylens.HelperConfiguration, relaylens.Configuration + ":" + word
}

// beforeWhy is what stands before ": {err}".
func beforeWhy(s string) string {
	name, _, _ := strings.Cut(s, ": ")
	return name
}

// oneName is s if it can be a name.
func oneName(s string) string {
	if len(s) > maxName || strings.IndexByte(s, ' ') >= 0 {
		return ""
	}
	return s
}

// wanted is what Postfix may have had no answer of when it gave this one. A milter
// that has no words of its own makes it say the same, and a policy service or a
// table can have any words.
//
// Source: milter/milter8.c milter8_def_reply and SMFIR_TEMPFAIL; smtpd/smtpd_check.c
// reject_dict_retry, check_table_result; smtpd/smtpd_proto.c SMTP_ERR_DATA.
func wanted(ev *relaylens.Event) relaylens.Helper {
	switch ev.Reason {
	case relaylens.ReasonMilter:
		switch ev.Text {
		case "Service unavailable - try again later", "Service unavailable", "Server configuration problem - try again later":
			return relaylens.HelperMilter
		}
	case relaylens.ReasonPolicyService:
		return relaylens.HelperPolicy
	case relaylens.ReasonResources:
		if strings.HasSuffix(ev.Text, lookupFailure) || ev.Text == lookupError || strings.HasSuffix(ev.Text, configError) ||
			strings.HasSuffix(ev.Text, "Server local data error") {
			return relaylens.HelperTable
		}
	}
	return relaylens.HelperNone
}
