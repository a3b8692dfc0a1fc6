package config

// Config is the whole configuration, complete and valid when it comes from
// [Load] or [Default].
//
// Tags: key is the name in the file; flag the name on the command line; default
// the value of a key that is not set; enum the closed list of values; restart
// that a running daemon keeps what it began with; example a value for the
// documentation, in YAML; doc what the key means.
type Config struct {
	Listen     string     `key:"listen" flag:"listen" restart:"yes" default:"127.0.0.1:9725" example:"[::1]:9725" doc:"Address and port of the HTTP server: metrics, health, readiness. An empty address, as in :9725, means every address of the machine. What it shows is personal data: open it to others only with TLS and passwords in web.config_file."`
	DataDir    string     `key:"data_dir" flag:"data-dir" restart:"yes" default:"/var/lib/relaylens" example:"/srv/relaylens" doc:"Directory for what must survive a restart, such as how far each log was read. The daemon alone writes there."`
	Sources    []Source   `key:"sources" example:"[{path: /var/log/mail.log}]" doc:"The logs to follow. None means to look for the usual ones and to follow those that exist. FILE arguments of relaylens serve take the place of this list."`
	Timezone   string     `key:"timezone" flag:"timezone" default:"local" example:"Europe/Berlin" doc:"Zone of time stamps that do not tell their own, as in traditional syslog files: a name of the IANA database, UTC, or local for the zone of this machine."`
	MaxHosts   int        `key:"max_hosts" default:"100" example:"500" doc:"How many host names from the logs get series of their own in the metrics. Further hosts are counted together as other."`
	Parsers    Parsers    `key:"parsers" doc:"Texts of a site's own mail server configuration, which no log format can tell. A plain text is looked for anywhere in the server's answer, upper and lower case being the same; a text between slashes is an RE2 regular expression."`
	Correlator Correlator `key:"correlator" doc:"Bounds of what is remembered between lines: who a session or a queue id belongs to. When a bound is reached, the oldest entry is forgotten; refusals are still counted, but some may lack the client or the user that only an earlier line told."`
	Web        Web        `key:"web" doc:"The HTTP server."`
	Log        Log        `key:"log" doc:"The daemon's own log, on standard error."`
}

// Source is one log to follow.
type Source struct {
	Type  string `key:"type" default:"file" enum:"file" doc:"What the source is. file is a file on this machine, or all files that a pattern matches."`
	Path  string `key:"path" example:"/var/log/mail.log" doc:"Absolute path of the file; *, ? and [a-z] match as in a shell. The path - is standard input, read to its end. The file may be rotated in any manner, and may appear later."`
	MTA   string `key:"mta" default:"auto" enum:"auto|postfix|exim|sendmail" doc:"The mail server that writes the log. auto tells each line by its program name."`
	Start string `key:"start" default:"end" enum:"end|begin" doc:"Where to begin in a file that was never read before: at its end, or at its beginning."`
}

// Parsers holds the site's own texts, one section for each MTA.
type Parsers struct {
	Postfix  Texts `key:"postfix" doc:"For Postfix."`
	Exim     Texts `key:"exim" doc:"For Exim."`
	Sendmail Texts `key:"sendmail" doc:"For Sendmail."`
}

// Texts are answers that mean what the standard wordings of an MTA mean.
type Texts struct {
	RelayDenied  []string `key:"relay_denied" example:"['we do not carry mail for', '/not (a|our) customer/']" doc:"Answers that mean that relaying is denied, beside the standard ones."`
	SenderVerify []string `key:"sender_verify" example:"['your return address does not work']" doc:"Answers that mean that the sender could not be verified, beside the standard ones."`
}

// Correlator bounds the memory between lines.
type Correlator struct {
	MaxEntries int  `key:"max_entries" default:"40000" example:"200000" doc:"SMTP sessions remembered at once, and as many queue ids."`
	MaxBytes   Size `key:"max_bytes" default:"16MiB" example:"64MiB" doc:"Memory for their texts, beyond 256 bytes for each."`
}

// Web is what the HTTP server needs beside its address.
type Web struct {
	ConfigFile string `key:"config_file" flag:"web.config.file" restart:"yes" example:"/etc/relaylens/web.yml" doc:"Absolute path of a file in the Prometheus exporter-toolkit format that sets TLS, client certificates and basic auth. What is in the file is read anew by itself. Not set means plain HTTP for everybody who can connect."`
}

// Log is the daemon's own log.
type Log struct {
	Level  string `key:"level" flag:"log-level" default:"info" enum:"debug|info|warn|error" doc:"The least severity that is logged."`
	Format string `key:"format" flag:"log-format" restart:"yes" default:"auto" enum:"auto|console|json" doc:"How a message is written. auto is console on a terminal and json otherwise."`
}
