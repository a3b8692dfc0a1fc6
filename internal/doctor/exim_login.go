package doctor

import (
	"slices"
	"strings"

	"github.com/relaylens/relaylens/classifier/knowledge"
)

// callout complains of verifying every stranger's sender.
func (x *Exim) callout(r *Report, acl string, s *statement) {
	for i := range s.conditions {
		c := &s.conditions[i]
		what, options, _ := strings.Cut(strings.ReplaceAll(c.value, " ", ""), "/")
		if c.name != "verify" || what != "sender" && what != "header_sender" && !strings.HasPrefix(what, "sender=") || !strings.Contains("/"+options, "/callout") {
			continue
		}
		if narrowed(s.conditions[:i]) {
			continue
		}
		r.complain(Complaint{
			Check: SenderCallout, Setting: acl, Value: s.text(), File: x.file,
			Text: "\"" + c.String() + "\" connects to the server of every sender, forged ones included. Who is forged sees an address harvester: such servers end on blocklists, and callouts are refused.",
			Fixes: []knowledge.Step{writeStep(x.file+", "+acl, s.verb+" "+negated(c.not)+"verify = "+what+"\n"),
				writeStep(x.file+", "+acl+", or only for domains that are often forged and whose owners agree",
					"deny sender_domains = example.org : example.net\n     !verify        = "+what+"/callout=10s,defer_ok\n"), reloadExim},
			References: []string{"Exim specification: Callout verification"},
		})
	}
}

// negated is what stands before a condition that must not hold.
func negated(not bool) string {
	if not {
		return "!"
	}
	return ""
}

// narrowed reports whether conditions before a callout leave only few senders or
// clients to it.
func narrowed(before []condition) bool {
	return slices.ContainsFunc(before, func(c condition) bool {
		return !c.not && (c.name == "sender_domains" || c.name == "senders" || c.name == "hosts" || c.name == "authenticated")
	})
}

func (x *Exim) blocklists(r *Report, acl string, s *statement) {
	for i := range s.conditions {
		c := &s.conditions[i]
		if c.name != "dnslists" {
			continue
		}
		for _, item := range eximList(c.value) {
			zone := strings.FieldsFunc(item, func(c rune) bool { return strings.ContainsRune("=&!/, ", c) })
			if len(zone) == 0 {
				continue
			}
			if dead := complainDead(zone[0], acl, x.file, s.text(), []knowledge.Step{sayStep("Remove " + item + " from dnslists in " + acl + "."), reloadExim}, "Exim specification: Using DNS lists"); dead != nil {
				r.complain(*dead)
			}
		}
	}
}

// servers are the authenticators that clients can log in with.
func (x *Exim) servers() []authenticator {
	if strings.TrimSpace(x.option("auth_advertise_hosts", "*")) == "" {
		return nil
	}
	var list []authenticator
	for _, a := range x.authenticators {
		for option := range a.options {
			if strings.HasPrefix(option, "server_") {
				list = append(list, a)
				break
			}
		}
	}
	return list
}

func (x *Exim) logins(r *Report) {
	servers := x.servers()
	for i := range servers {
		x.backend(r, &servers[i])
	}
	if len(servers) > 0 {
		return
	}
	setting, value, text := "authenticators", "", "No authenticator serves clients: users cannot log in, and are refused as strangers."
	if len(x.authenticators) > 0 && strings.TrimSpace(x.option("auth_advertise_hosts", "*")) == "" {
		setting, text = "auth_advertise_hosts", "AUTH is offered to nobody: users cannot log in, and are refused as strangers."
	}
	r.complain(Complaint{
		Check: SASLOff, Setting: setting, Value: value, File: x.file, Text: text,
		Fixes: []knowledge.Step{writeStep(x.file+", after begin authenticators", "dovecot_plain:\n  driver = dovecot\n  public_name = PLAIN\n  server_socket = /run/dovecot/auth-client\n  server_set_id = $auth1\n"),
			writeStep(x.file+", main section", "auth_advertise_hosts = ${if eq{$tls_in_cipher}{}{}{*}}\n"), reloadExim},
		References: []string{"Exim specification: SMTP authentication", "Exim specification: The dovecot authenticator"},
	})
}

func (x *Exim) backend(r *Report, a *authenticator) {
	complain := func(option, path, why string, fixes ...knowledge.Step) {
		r.complain(Complaint{
			Check: BackendMissing, Setting: a.name + " authenticator, " + option, Subject: path, Value: shortened(a.options[option]), File: x.file,
			Text: "No login can succeed with " + a.name + ": " + why + ".", Fixes: append(fixes, runStep("swaks --server localhost --port 587 --tls --auth PLAIN --auth-user USER --quit-after AUTH")),
			References: []string{"Exim specification: SMTP authentication"},
		})
	}
	if socket := strings.TrimSpace(a.options["server_socket"]); strings.HasPrefix(socket, "/") && x.system.Exists(socket) == No {
		complain("server_socket", socket, "the socket "+socket+" does not exist: Dovecot is down, or listens elsewhere",
			writeStep("/etc/dovecot/conf.d/10-master.conf", "service auth {\n  unix_listener "+socket+" {\n    mode = 0660\n    user = Debian-exim\n  }\n}\n"), runStep("systemctl restart dovecot && ls -l "+socket))
	}
	for _, option := range []string{"server_condition", "server_secret"} {
		value := a.options[option]
		if strings.Contains(value, "${saslauthd") && x.system.Exists("/var/run/saslauthd/mux") == No {
			complain(option, "/var/run/saslauthd/mux", "the socket /var/run/saslauthd/mux of saslauthd does not exist", runStep("systemctl enable --now saslauthd && ls -l /var/run/saslauthd/mux"))
		}
		for _, file := range lookupFiles(value) {
			if x.system.Exists(file) == No {
				complain(option, file, "the password file "+file+" does not exist", runStep("install -m 640 -g Debian-exim /dev/null "+file), sayStep("Write USER:PASSWORD into it, one a line, the passwords as crypt(3) makes them."))
			}
		}
	}
}

// lookupFiles finds the files of "lsearch{/file}" and its relatives.
func lookupFiles(expansion string) []string {
	var files []string
	for _, kind := range []string{"lsearch", "dbm", "cdb", "lmdb"} {
		rest := expansion
		for {
			i := strings.Index(rest, kind)
			if i < 0 {
				break
			}
			rest = rest[i+len(kind):]
			open := strings.IndexByte(rest, '{')
			if open < 0 {
				break
			}
			path, _, ok := cutBraces(rest[open:])
			if ok && strings.HasPrefix(path, "/") && !strings.Contains(path, "$") && strings.Trim(rest[:open], " ") == "" {
				files = append(files, path)
			}
		}
	}
	return files
}

// ports are those that Exim listens on, by number.
func (x *Exim) ports() []string {
	var ports []string
	for _, item := range eximList(x.option("daemon_smtp_ports", "smtp")) {
		ports = append(ports, portNumber(item))
	}
	for _, item := range eximList(x.option("local_interfaces", "")) {
		// 192.0.2.1.587 and [2001:db8::1]:587
		if strings.Count(item, ".") == 4 {
			ports = append(ports, item[strings.LastIndexByte(item, '.')+1:])
		} else if i := strings.LastIndex(item, "]:"); i >= 0 {
			ports = append(ports, item[i+2:])
		}
	}
	return ports
}

func portNumber(s string) string {
	switch s {
	case "submission", "msa":
		return "587"
	case "submissions", "smtps", "ssmtp", "urd":
		return "465"
	case "smtp":
		return "25"
	}
	return s
}

func (x *Exim) submission(r *Report) {
	ports := x.ports()
	starttls, implicit := slices.Contains(ports, "587"), slices.Contains(ports, "465")
	if !starttls && !implicit {
		r.complain(Complaint{
			Check: SubmissionMissing, Setting: "daemon_smtp_ports", Value: shortened(x.option("daemon_smtp_ports", "")), File: x.file,
			Text:       "Exim does not listen on port 587 or 465: users have to send through port 25, which many networks block and on which they are strangers until they log in.",
			Fixes:      []knowledge.Step{writeStep(x.file, "daemon_smtp_ports = 25 : 465 : 587\ntls_on_connect_ports = 465\n"), sayStep("Exim has to be restarted for new ports; a reload is not enough."), runStep("systemctl restart exim4")},
			References: []string{"RFC 6409 (message submission)", "RFC 8314 (TLS for submission)", "Exim specification: Starting the daemon and the use of network interfaces"},
		})
		return
	}
	if strings.TrimSpace(x.option("tls_advertise_hosts", "*")) == "" && starttls {
		x.withoutTLS(r, "tls_advertise_hosts", "Port 587 offers no STARTTLS: passwords cross the network in the clear, and mail programs refuse to log in.", "tls_advertise_hosts = *\n")
	}
	if on := eximList(x.option("tls_on_connect_ports", "")); implicit && !slices.ContainsFunc(on, func(p string) bool { return portNumber(p) == "465" }) {
		x.withoutTLS(r, "tls_on_connect_ports", "Port 465 does not begin with TLS, as clients of this port expect.", "tls_on_connect_ports = 465\n")
	}
	if file := x.option("tls_certificate", ""); strings.HasPrefix(file, "/") && !strings.Contains(file, "$") {
		if file = eximList(file)[0]; x.system.Exists(file) == No {
			x.withoutTLS(r, "tls_certificate", "TLS cannot begin on port 587 and 465: the certificate "+file+" does not exist.", "tls_certificate = /etc/exim4/exim.crt\ntls_privatekey = /etc/exim4/exim.key\n")
		}
	}
}

func (x *Exim) withoutTLS(r *Report, setting, text, fix string) {
	r.complain(Complaint{
		Check: SubmissionWithoutTLS, Setting: setting, Value: shortened(x.option(setting, "")), File: x.file, Text: text,
		Fixes:      []knowledge.Step{writeStep(x.file, fix), reloadExim, runStep("openssl s_client -starttls smtp -connect localhost:587")},
		References: []string{"RFC 8314 (TLS for submission)", "Exim specification: Encrypted SMTP connections using TLS/SSL"},
	})
}
