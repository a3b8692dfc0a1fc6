package doctor

import (
	"strings"

	"github.com/relaylens/relaylens/classifier/knowledge"
)

// calloutMilters verify every sender by callout.
var calloutMilters = []string{"milter-sender", "smf-sav", "callback"}

func (m *Sendmail) milterCallouts(r *Report) {
	for _, milter := range m.milters {
		for _, name := range calloutMilters {
			if !strings.Contains(strings.ToLower(milter), name) {
				continue
			}
			r.complain(Complaint{
				Check: SenderCallout, Subject: milter, Setting: "INPUT_MAIL_FILTER", Value: milter, File: m.file,
				Text:       "The milter " + milter + " connects to the server of every sender, forged ones included. Who is forged sees an address harvester: such servers end on blocklists, and callouts are refused.",
				Fixes:      []knowledge.Step{writeStep(sendmailMC, "dnl remove INPUT_MAIL_FILTER(`"+milter+"', ...)\n"), remakeSendmail},
				References: []string{"Sendmail cf/README: Adding new mail filters"},
			})
		}
	}
}

func (m *Sendmail) blocklists(r *Report) {
	for _, rule := range m.rules {
		zone := dnsblZone.FindStringSubmatch(rule)
		if zone == nil {
			continue
		}
		name := strings.Trim(zone[1], ".")
		if dead := complainDead(name, "FEATURE(dnsbl)", m.file, name, []knowledge.Step{writeStep(sendmailMC, "dnl remove FEATURE(`dnsbl', `"+name+"')\n"), remakeSendmail}, "Sendmail cf/README: dnsbl, enhdnsbl"); dead != nil {
			r.complain(*dead)
		}
	}
}

// loginOff says why nobody can log in, empty where somebody can.
func (m *Sendmail) loginOff() string {
	offered := len(m.mechanisms()) > 0 || len(m.class("{TrustAuthMech}")) > 0
	if _, set := m.options["AuthMechanisms"]; set && len(m.mechanisms()) == 0 {
		offered = false
	}
	if !offered {
		return "No mechanism to log in with is configured: users are refused as strangers."
	}
	for _, d := range m.daemons {
		if !strings.Contains(modifiers(d), "A") {
			return m.hiddenLogin()
		}
	}
	if len(m.daemons) > 0 {
		return "AUTH is off on every port (M=A in DaemonPortOptions): users are refused as strangers."
	}
	return ""
}

// hiddenLogin says whether what is offered needs TLS, and there is none.
func (m *Sendmail) hiddenLogin() string {
	if !strings.Contains(m.options["AuthOptions"], "p") || m.hasTLS() {
		return ""
	}
	for _, mechanism := range m.mechanisms() {
		if mechanism != "plain" && mechanism != "login" {
			return ""
		}
	}
	return "PLAIN and LOGIN are offered only under TLS (confAUTH_OPTIONS has p), and there is no certificate for TLS: nobody can log in."
}

func (m *Sendmail) hasTLS() bool {
	return m.options["ServerCertFile"] != "" && m.options["ServerKeyFile"] != ""
}

func (m *Sendmail) logins(r *Report) {
	if why := m.loginOff(); why != "" {
		r.complain(Complaint{
			Check: SASLOff, Setting: "confAUTH_MECHANISMS", Value: m.options["AuthMechanisms"], File: m.file, Text: why,
			Fixes: []knowledge.Step{writeStep(sendmailMC, "TRUST_AUTH_MECH(`LOGIN PLAIN')dnl\ndefine(`confAUTH_MECHANISMS', `LOGIN PLAIN')dnl\n"),
				sayStep("The saslauthd service and /usr/lib/sasl2/Sendmail.conf (pwcheck_method: saslauthd) belong to it."), remakeSendmail},
			References: []string{"Sendmail cf/README: STARTTLS and SMTP AUTH"},
		})
		return
	}
	conf := cyrusFile(m.system, []string{"/etc/mail/sasl", "/usr/lib/sasl2", "/usr/lib/x86_64-linux-gnu/sasl2", "/usr/lib64/sasl2", "/etc/sasl2"}, "Sendmail.conf")
	if conf == "" {
		conf = cyrusFile(m.system, []string{"/etc/mail/sasl"}, "Sendmail.conf.2") // Debian
	}
	if missing, why, fixes := cyrusMissing(m.system, conf, ""); missing != "" {
		r.complain(Complaint{
			Check: BackendMissing, Subject: missing, Setting: "pwcheck_method", Value: cyrusOption(conf, "pwcheck_method"), File: "/usr/lib/sasl2/Sendmail.conf",
			Text: "No login can succeed: " + why + ".", Fixes: fixes, References: []string{"Sendmail cf/README: STARTTLS and SMTP AUTH"},
		})
	}
}

// submission complains of the ports that users send through.
func (m *Sendmail) submission(r *Report) {
	found := false
	for _, d := range m.daemons {
		port := daemonPort(d)
		if port != "587" && port != "465" {
			continue
		}
		found = true
		name := port
		if d["N"] != "" {
			name = d["N"] + ", port " + port
		}
		if strings.Contains(modifiers(d), "A") && m.loginOff() == "" {
			r.complain(Complaint{
				Check: SubmissionWithoutAuth, Services: []string{name}, Setting: "DAEMON_OPTIONS", Value: "M=" + modifiers(d), File: m.file,
				Text:       "Port " + port + " is for users and offers no AUTH (A in M=): they cannot log in there.",
				Fixes:      []knowledge.Step{writePort(port, "Name=MSA, M=Ea"), remakeSendmail},
				References: []string{"Sendmail Installation and Operation Guide: DaemonPortOptions"},
			})
		}
		m.submissionTLS(r, d, name)
	}
	if !found {
		r.complain(Complaint{
			Check: SubmissionMissing, Setting: "DAEMON_OPTIONS", File: m.file,
			Text:       "Sendmail does not listen on port 587 or 465: users have to send through port 25, which many networks block and on which they are strangers until they log in.",
			Fixes:      []knowledge.Step{writePort("submission", "Name=MSA, M=Ea"), remakeSendmail},
			References: []string{"RFC 6409 (message submission)", "Sendmail cf/README: Message Submission Program"},
		})
	}
}

func (m *Sendmail) submissionTLS(r *Report, d map[string]string, name string) {
	var why string
	setting, fix := "confSERVER_CERT", writeStep(sendmailMC, "define(`confSERVER_CERT', `/etc/mail/tls/server.pem')dnl\ndefine(`confSERVER_KEY', `/etc/mail/tls/server.key')dnl\ndefine(`confCACERT', `/etc/ssl/certs/ca-certificates.crt')dnl\n")
	switch cert := m.options["ServerCertFile"]; {
	case !m.hasTLS():
		why = "has no certificate and offers no TLS: passwords cross the network in the clear, and mail programs refuse to log in"
	case strings.Contains(modifiers(d), "S"):
		why, setting, fix = "offers no STARTTLS (S in M=)", "DAEMON_OPTIONS", writePort(daemonPort(d), "Name=MSA, M=Ea")
	case daemonPort(d) == "465" && !strings.Contains(modifiers(d), "s"):
		why, setting, fix = "does not begin with TLS, as clients of this port expect", "DAEMON_OPTIONS", writePort("465", "Name=MSAS, M=Eas")
	case m.system.Exists(cert) == No:
		why = "cannot begin TLS: the certificate " + cert + " does not exist"
	default:
		return
	}
	r.complain(Complaint{
		Check: SubmissionWithoutTLS, Services: []string{name}, Setting: setting, Value: shortened(m.options["ServerCertFile"]), File: m.file,
		Text:       "Port " + daemonPort(d) + " " + why + ".",
		Fixes:      []knowledge.Step{fix, remakeSendmail, runStep("openssl s_client -starttls smtp -connect localhost:587")},
		References: []string{"RFC 8314 (TLS for submission)", "Sendmail cf/README: STARTTLS and SMTP AUTH"},
	})
}

// writePort is how a port is opened. With one such line Sendmail opens the ports
// that are written, and its default submission port unless that is taken away.
// Sendmail cf/m4/proto.m4, _DPO_ and _NO_MSA_
func writePort(port, options string) knowledge.Step {
	return writeStep(sendmailMC+", with a line for every other port", "FEATURE(`no_default_msa')dnl\nDAEMON_OPTIONS(`Port=smtp, Name=MTA')dnl\nDAEMON_OPTIONS(`Port="+port+", "+options+"')dnl\n")
}
