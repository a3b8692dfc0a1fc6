package sendmail

import (
	"strings"
	"testing"

	"github.com/relaylens/relaylens"
)

func authCase(method, detail, tail string, reason relaylens.Reason) read {
	c := refused(pre+"AUTH failure ("+method+"): "+detail+tail, id, relaylens.KindAuthFailed, reason, relaylens.StageAuth)
	c.want.Event.AuthMethod, c.want.Event.Text, c.want.Event.Class = method, detail, relaylens.Class5xx
	return c
}

func (r read) user(u string) read { r.want.Event.User = u; return r }

func TestAuthFailure(t *testing.T) {
	const wrong = "authentication failure (-13) SASL(-13): authentication failure: "
	const nobody = "user not found (-20) SASL(-13): user not found: "
	credentials := relaylens.ReasonCredentials
	sasldb := func(asked string) string {
		return nobody + "user: " + asked + " property: cmusaslsecretCRAM-MD5 not found in sasldb"
	}
	run(t, []read{
		authCase("LOGIN", wrong+"checkpass failed", ", user=joe, relay=host.example.com [203.0.113.9]", credentials).
			user("joe").client("host.example.com", "203.0.113.9"),
		// 8.15 and older
		authCase("LOGIN", wrong+"checkpass failed", ", relay=host.example.com [203.0.113.9]", credentials).client("host.example.com", "203.0.113.9"),
		authCase("PLAIN", nobody+"Password verification failed", ", user=joe, relay=good.example.com [192.0.2.66], relay=host.example.com [203.0.113.9]", credentials).
			user("joe, relay=good.example.com [192.0.2.66]").client("host.example.com", "203.0.113.9"),
		authCase("PLAIN", nobody+"Password verification failed", ", user=joe, user=root, relay=[203.0.113.9]", credentials).
			user("joe, user=root").client("", "203.0.113.9"),
		authCase("PLAIN", wrong+"Password verification failed", ", user=, relay=[203.0.113.9]", credentials).client("", "203.0.113.9"),
		authCase("CRAM-MD5", sasldb("joe@mx1.example.com"), ", user=joe, relay=[203.0.113.9]", credentials).user("joe").client("", "203.0.113.9"),
		authCase("CRAM-MD5", sasldb("joe@example.com"), ", user=joe@example.com, relay=[203.0.113.9]", credentials).
			user("joe@example.com").client("", "203.0.113.9"),
		// user= ends at a space; the library's own words have all of it.
		authCase("CRAM-MD5", sasldb("joe the second@mx1.example.com"), ", user=joe, relay=[203.0.113.9]", credentials).
			user("joe the second").client("", "203.0.113.9"),
		authCase("CRAM-MD5", sasldb("a@x.example> to=<b@y.example"), ", user=a@x.example>, relay=[203.0.113.9]", credentials).
			user("a@x.example> to=<b@y.example").client("", "203.0.113.9"),
		authCase("CRAM-MD5", sasldb("x, user=root@mx1.example.com"), ", user=x,, relay=[203.0.113.9]", credentials).
			user("x, user=root").client("", "203.0.113.9"),
		authCase("PLAIN", "generic failure (-1) SASL(-1): generic failure: Password verification failed", ", user=joe, relay=[203.0.113.9]", relaylens.ReasonBackend).
			user("joe").client("", "203.0.113.9"),
		authCase("LOGIN", "no mechanism available (-4) x", ", relay=[203.0.113.9]", relaylens.ReasonMechanism).client("", "203.0.113.9"),
		authCase("LOGIN", "bad protocol / cancel (-5) x", ", relay=[203.0.113.9]", relaylens.ReasonMalformed).client("", "203.0.113.9"),
		authCase("LOGIN", "mechanism too weak for this user (-15) x", ", relay=[203.0.113.9]", relaylens.ReasonAuthPolicy).client("", "203.0.113.9"),
		authCase("LOGIN", "service unavailable (-24) x", ", relay=[203.0.113.9]", relaylens.ReasonBackend).client("", "203.0.113.9"),
		// A name of 100 characters hides the address; half a bracket is no address.
		authCase("LOGIN", wrong+"checkpass failed", ", user=joe, relay="+strings.Repeat("a", 100), credentials).user("joe").held(),
		authCase("LOGIN", wrong+"checkpass failed", ", user=joe, relay="+strings.Repeat("a", 90)+" [192.0.2.", credentials).user("joe").held(),
		authCase("LOGIN", wrong+"checkpass failed", ", user=joe, relay="+strings.Repeat("a", 87)+" [192.0.2.66]", credentials).user("joe").held(),
	})
}

func TestAuthFailureEscapes(t *testing.T) {
	c := refused(pre+`AUTH failure (LOGIN): user not found (-20) SASL(-13): user not found: checkpass failed, user=a\\b\303\251\n, relay=[203.0.113.9]`,
		id, relaylens.KindAuthFailed, relaylens.ReasonCredentials, relaylens.StageAuth).user("a\\bé\n").client("", "203.0.113.9")
	c.want.Event.AuthMethod, c.want.Event.Class = "LOGIN", relaylens.Class5xx
	c.want.Event.Text = "user not found (-20) SASL(-13): user not found: checkpass failed"
	run(t, []read{c})
}

// TestAuthUserUnclear has a user's text that might end the detail of a method
// that is not known here.
func TestAuthUserUnclear(t *testing.T) {
	c := refused(pre+"AUTH failure (XYZ): authentication failure (-13) no such a, user=b, user=c, relay=[203.0.113.9]",
		id, relaylens.KindAuthFailed, relaylens.ReasonCredentials, relaylens.StageAuth).client("", "203.0.113.9")
	c.want.Event.AuthMethod, c.want.Event.Class, c.want.Tainted = "XYZ", relaylens.Class5xx, true
	c.want.Event.Text = "authentication failure (-13) no such a"
	run(t, []read{c})
}

func TestAuthOthers(t *testing.T) {
	decode := refused(pre+`AUTH decode64 error [-5 for "!!!notbase64!!!"], relay=host.example.com [203.0.113.9]`,
		id, relaylens.KindAuthFailed, relaylens.ReasonMalformed, relaylens.StageAuth).client("host.example.com", "203.0.113.9")
	decode.want.Event.Class, decode.want.Event.Text = relaylens.Class5xx, `decode64 error [-5 for "!!!notbase64!!!"]`
	alone := refused(pre+`AUTH encode64 error [-3 for "x"]`, id, relaylens.KindAuthFailed, relaylens.ReasonBackend, relaylens.StageAuth).held()
	alone.want.Event.Class, alone.want.Event.Text = relaylens.Class4xx, `encode64 error [-3 for "x"]`
	hostile := refused(pre+`AUTH decode64 error [-5 for "x"], relay=[192.0.2.66]"], relay=[203.0.113.9]`,
		id, relaylens.KindAuthFailed, relaylens.ReasonMalformed, relaylens.StageAuth).client("", "203.0.113.9")
	hostile.want.Event.Class, hostile.want.Event.Text = relaylens.Class5xx, `decode64 error [-5 for "x"], relay=[192.0.2.66]"]`
	login := read{line: "sm-mta[4321]: AUTH=server, relay=host.example.com [203.0.113.9], authid=joe@example.com, mech=PLAIN, bits=0"}.
		client("host.example.com", "203.0.113.9").user("joe@example.com")
	login.want.Event.Kind, login.want.Event.AuthMethod, login.want.Fact = relaylens.KindAuthOK, "PLAIN", relaylens.FactSession
	odd := read{line: "sm-mta[4321]: AUTH=server, relay=[203.0.113.9] (may be forged), authid=a, mech=X, bits=1, mech=PLAIN, bits=0"}.
		client("", "203.0.113.9").user("a, mech=X, bits=1")
	odd.want.Event.Kind, odd.want.Event.AuthMethod, odd.want.Fact = relaylens.KindAuthOK, "PLAIN", relaylens.FactSession
	run(t, []read{decode, alone, hostile, login, odd,
		at(broken("sm-mta[4321]: "+id+": AUTH warning: no mechanisms", id, "warning: no mechanisms"), relaylens.StageAuth),
		at(broken("sm-mta[4321]: "+id+": AUTH error: sasl_server_new failed=-12", id, "error: sasl_server_new failed=-12"), relaylens.StageAuth),
		at(broken("sm-mta[4321]: cannot connect to saslauthd server: No such file or directory", "", "cannot connect to saslauthd server: No such file or directory"), relaylens.StageAuth),
		at(broken("sm-mta[4321]: unable to open Berkeley db /etc/sasldb2: Invalid argument", "", "unable to open Berkeley db /etc/sasldb2: Invalid argument"), relaylens.StageAuth),
	})
}

func broken(line, id, text string) read {
	return read{line, relaylens.Record{Event: relaylens.Event{QueueID: id, Kind: relaylens.KindBackendError, Text: text}}}
}
