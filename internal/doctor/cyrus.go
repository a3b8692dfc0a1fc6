package doctor

import (
	"path"
	"strings"

	"github.com/relaylens/relaylens/classifier/knowledge"
)

// cyrusFile finds the configuration of Cyrus SASL for a program.
func cyrusFile(system System, dirs []string, name string) string {
	for _, dir := range dirs {
		file := path.Join(dir, name)
		if text, ok := system.ReadFile(file); ok {
			return text
		}
	}
	return ""
}

// cyrusOption reads "name: value".
func cyrusOption(conf, name string) string {
	for line := range strings.Lines(conf) {
		if n, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(n) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// cyrusMissing says which file or socket Cyrus SASL would check passwords with
// and does not have, empty where nothing is known to be missing.
func cyrusMissing(system System, conf, chroot string) (missing, why string, fixes []knowledge.Step) {
	method, plugin := cyrusOption(conf, "pwcheck_method"), cyrusOption(conf, "auxprop_plugin")
	switch {
	case conf == "":
	case strings.Contains(method, "saslauthd"):
		socket := cyrusOption(conf, "saslauthd_path")
		if socket == "" {
			socket = "/var/run/saslauthd/mux"
		}
		if socket = chroot + socket; system.Exists(socket) == No {
			return socket, "the socket " + socket + " of saslauthd does not exist: the daemon is down, or its socket is outside of the chroot", []knowledge.Step{
				writeStep("/etc/default/saslauthd", "START=yes\nOPTIONS=\"-c -m "+path.Dir(socket)+"\"\n"),
				runStep("systemctl restart saslauthd && testsaslauthd -f " + socket + " -u USER -p PASSWORD")}
		}
	case (method == "" || strings.Contains(method, "auxprop")) && (plugin == "" || strings.Contains(plugin, "sasldb")):
		db := cyrusOption(conf, "sasldb_path")
		if db == "" {
			db = "/etc/sasldb2"
		}
		if db = chroot + db; system.Exists(db) == No {
			return db, "the password file " + db + " does not exist", []knowledge.Step{runStep("saslpasswd2 -c -f " + db + " -u DOMAIN USER")}
		}
	}
	return "", "", nil
}
