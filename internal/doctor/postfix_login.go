package doctor

import (
	"path"
	"strings"

	"github.com/relaylens/relaylens/classifier/knowledge"
)

var postfixSubmission = writeStep("/etc/postfix/master.cf", `submission inet n - y - - smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
`)

// logins complains where nobody can log in.
func (p *Postfix) logins(r *Report, services []*service) {
	offered := false
	for _, s := range services {
		if p.isYes(s, "smtpd_sasl_auth_enable") {
			offered = true
			p.backend(r, s)
		}
	}
	if offered {
		return
	}
	setting := "smtpd_sasl_auth_enable"
	r.complain(Complaint{
		Check: SASLOff, Setting: setting, Value: p.value(nil, setting), File: "/etc/postfix/main.cf",
		Text: "No service offers AUTH: users cannot log in, and are refused as strangers.",
		Fixes: []knowledge.Step{writeStep("/etc/postfix/main.cf", "smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\nsmtpd_sasl_path = private/auth\n"),
			sayStep("Dovecot has to listen on /var/spool/postfix/private/auth; to offer AUTH to users only, set it with -o on the submission service instead."), reloadPostfix},
		References: []string{"postconf(5): smtpd_sasl_auth_enable", "Postfix SASL_README"},
	})
}

// backend complains if what logins are checked with is not there.
func (p *Postfix) backend(r *Report, s *service) {
	if strings.EqualFold(p.value(s, "smtpd_sasl_type"), "dovecot") {
		socket := p.dovecotSocket(s)
		if socket != "" && p.system.Exists(socket) == No {
			r.complain(p.noBackend(s, "smtpd_sasl_path", socket, "the socket "+socket+" does not exist: Dovecot is down, or listens elsewhere",
				writeStep("/etc/dovecot/conf.d/10-master.conf", "service auth {\n  unix_listener "+socket+" {\n    mode = 0660\n    user = postfix\n    group = postfix\n  }\n}\n"),
				runStep("systemctl restart dovecot && ls -l "+socket)))
		}
		return
	}
	dirs := strings.Split(p.value(s, "cyrus_sasl_config_path"), ":")
	if dirs[0] == "" {
		dirs = []string{"/etc/postfix/sasl", "/usr/lib/sasl2", "/usr/lib/x86_64-linux-gnu/sasl2", "/usr/lib64/sasl2", "/etc/sasl2"}
	}
	chroot := ""
	if s.chroot {
		chroot = p.value(nil, "queue_directory")
	}
	conf := cyrusFile(p.system, dirs, p.value(s, "smtpd_sasl_path")+".conf")
	if missing, why, fixes := cyrusMissing(p.system, conf, chroot); missing != "" {
		r.complain(p.noBackend(s, "smtpd_sasl_path", missing, why, fixes...))
	}
}

func (p *Postfix) noBackend(s *service, setting, file, why string, fixes ...knowledge.Step) Complaint {
	return Complaint{Check: BackendMissing, Setting: setting, Value: p.value(s, setting), File: p.file(s, setting), Subject: file,
		Text: "No login can succeed: " + why + ".", Fixes: append(fixes, runStep("postfix reload")),
		References: []string{"Postfix SASL_README", "postconf(5): smtpd_sasl_path"}}
}

// dovecotSocket is the path of the socket, empty where it is no file.
func (p *Postfix) dovecotSocket(s *service) string {
	at := strings.TrimPrefix(p.value(s, "smtpd_sasl_path"), "unix:")
	if at == "" || strings.HasPrefix(at, "inet:") {
		return ""
	}
	if !path.IsAbs(at) {
		at = path.Join(p.value(nil, "queue_directory"), at)
	} else if s.chroot {
		at = path.Join(p.value(nil, "queue_directory"), at)
	}
	return at
}

// submission complains of the ports that users send through.
func (p *Postfix) submission(r *Report, services []*service) {
	found, anyLogin := false, false
	for _, s := range services {
		anyLogin = anyLogin || p.isYes(s, "smtpd_sasl_auth_enable")
	}
	for _, s := range services {
		if !s.forUsers() {
			p.hiddenLogin(r, s)
			continue
		}
		found = true
		if anyLogin && !p.isYes(s, "smtpd_sasl_auth_enable") {
			r.complain(Complaint{
				Check: SubmissionWithoutAuth, Services: s.names(""), Setting: "smtpd_sasl_auth_enable", Value: p.value(s, "smtpd_sasl_auth_enable"), File: "/etc/postfix/master.cf",
				Text:       "Port " + s.port() + " is for users and offers no AUTH: they cannot log in there.",
				Fixes:      []knowledge.Step{writeStep("/etc/postfix/master.cf, below "+s.name, "  -o smtpd_sasl_auth_enable=yes\n"), reloadPostfix},
				References: []string{"postconf(5): smtpd_sasl_auth_enable", "master(5)"},
			})
		}
		p.submissionTLS(r, s)
	}
	if !found {
		r.complain(Complaint{
			Check: SubmissionMissing, Setting: "submission", File: "/etc/postfix/master.cf",
			Text:       "Nothing listens on port 587 or 465: users have to send through port 25, which many networks block and on which they are strangers until they log in.",
			Fixes:      []knowledge.Step{postfixSubmission, reloadPostfix, runStep("postconf -M submission/inet")},
			References: []string{"RFC 6409 (message submission)", "RFC 8314 (TLS for submission)", "master(5)"},
		})
	}
}

// submissionTLS complains if the port does not encrypt.
func (p *Postfix) submissionTLS(r *Report, s *service) {
	var why string
	setting, fix := "smtpd_tls_security_level", "  -o smtpd_tls_security_level=encrypt\n"
	switch {
	case s.port() == "465" && !p.isYes(s, "smtpd_tls_wrappermode"):
		setting, why, fix = "smtpd_tls_wrappermode", "does not begin with TLS, as clients of this port expect", "  -o smtpd_tls_wrappermode=yes\n"
	case !p.hasTLS(s) && !p.isYes(s, "smtpd_tls_wrappermode"):
		why = "offers no STARTTLS: passwords cross the network in the clear, and mail programs refuse to log in"
	case p.certificate(s) == "":
		setting, why, fix = "smtpd_tls_chain_files", "has no certificate, so that TLS cannot begin", "  -o smtpd_tls_chain_files=/etc/postfix/key-and-chain.pem\n"
	case p.system.Exists(p.certificate(s)) == No:
		setting, why, fix = "smtpd_tls_cert_file", "has a certificate file that does not exist, "+p.certificate(s), "  -o smtpd_tls_chain_files=/etc/postfix/key-and-chain.pem\n"
	default:
		return
	}
	r.complain(Complaint{
		Check: SubmissionWithoutTLS, Services: s.names(""), Setting: setting, Value: p.value(s, setting), File: p.file(s, setting),
		Text:       "Port " + s.port() + " " + why + ".",
		Fixes:      []knowledge.Step{writeStep("/etc/postfix/master.cf, below "+s.name, fix), reloadPostfix, runStep("openssl s_client -connect localhost:" + tlsPort(s.port()))},
		References: []string{"RFC 8314 (TLS for submission)", "Postfix TLS_README", "postconf(5): " + setting},
	})
}

func tlsPort(port string) string {
	if port == "587" {
		return "587 -starttls smtp"
	}
	return port
}

func (p *Postfix) hasTLS(s *service) bool {
	level := strings.ToLower(p.value(s, "smtpd_tls_security_level"))
	return level != "" && level != "none" || p.isYes(s, "smtpd_use_tls") || p.isYes(s, "smtpd_enforce_tls")
}

// certificate is a file of the server's certificates.
func (p *Postfix) certificate(s *service) string {
	for _, setting := range []string{"smtpd_tls_chain_files", "smtpd_tls_cert_file", "smtpd_tls_eccert_file", "smtpd_tls_dcert_file"} {
		if list := p.list(s, setting); len(list) > 0 && list[0] != "none" {
			return list[0]
		}
	}
	return ""
}

// hiddenLogin complains of a login that is offered under TLS alone, where there
// is none.
func (p *Postfix) hiddenLogin(r *Report, s *service) {
	if !p.isYes(s, "smtpd_sasl_auth_enable") || !p.isYes(s, "smtpd_tls_auth_only") || p.hasTLS(s) || p.isYes(s, "smtpd_tls_wrappermode") {
		return
	}
	r.complain(Complaint{
		Check: SASLOff, Services: s.names(""), Setting: "smtpd_tls_auth_only", Value: "yes", File: p.file(s, "smtpd_tls_auth_only"),
		Text:       "AUTH is offered only after STARTTLS, and STARTTLS is off: nobody can log in on port " + s.port() + ".",
		Fixes:      []knowledge.Step{writeStep("/etc/postfix/main.cf", "smtpd_tls_security_level = may\nsmtpd_tls_chain_files = /etc/postfix/key-and-chain.pem\n"), reloadPostfix},
		References: []string{"postconf(5): smtpd_tls_auth_only", "Postfix TLS_README"},
	})
}
