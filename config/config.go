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
	Store      Store      `key:"store" doc:"The events in data_dir. A change takes effect within ten minutes."`
	Timezone   string     `key:"timezone" flag:"timezone" default:"local" example:"Europe/Berlin" doc:"Zone of time stamps that do not tell their own, as in traditional syslog files: a name of the IANA database, UTC, or local for the zone of this machine. The hours of the day and the week that spikes are held against are those of this zone, too."`
	MaxHosts   int        `key:"max_hosts" default:"100" example:"500" doc:"How many host names from the logs get series of their own in the metrics. Further hosts are counted together as other."`
	TopK       int        `key:"top_k" default:"20" example:"50" doc:"How many clients, networks, users, sender domains and recipient domains relaylens_top_refusals names for each kind of refusal and window; the others are counted together as other. Each takes up to 80 series."`
	Parsers    Parsers    `key:"parsers" doc:"Texts of a site's own mail server configuration, which no log format can tell. A plain text is looked for anywhere in the server's answer, upper and lower case being the same; a text between slashes is an RE2 regular expression."`
	Correlator Correlator `key:"correlator" doc:"Bounds of what is remembered between lines: who a session or a queue id belongs to. When a bound is reached, the oldest entry is forgotten; refusals are still counted, but some may lack the client or the user that only an earlier line told."`
	Alerting   Alerting   `key:"alerting" doc:"Who is paged, and when. docs/alerting.md tells how it works. Never page by mail through the server that is watched."`
	NATS       NATS       `key:"nats" doc:"The fleet that this machine belongs to, over NATS JetStream. docs/fleet.md tells how it works."`
	Web        Web        `key:"web" doc:"The HTTP server."`
	Log        Log        `key:"log" doc:"The daemon's own log, on standard error."`

	LocalDomains    []string `key:"local_domains" example:"[example.com, .example.org]" doc:"Domains whose mail or users are on these servers. One with a leading dot stands for all names below it. What is not stated is learned from deliveries and logins; stated, it is known from the first line on."`
	LocalNetworks   []string `key:"local_networks" example:"[203.0.113.0/28, '2001:db8:7::/48']" doc:"Networks of your own machines, beside the private ones: who is refused there without a login is an application server that may not relay, not a stranger."`
	TrustedMonitors []string `key:"trusted_monitors" example:"[192.0.2.10]" doc:"Addresses or networks that test these servers on your behalf. What they are refused is no problem, and tells nothing of others."`
}

// Source is one log to follow. The tag types tells which types a key is for;
// without it, for all.
type Source struct {
	Type        string   `key:"type" default:"file" enum:"file|journal|syslog|pipe|stdin|nats" doc:"What the source is. file is a file on this machine, or all files that a pattern matches. journal is the systemd journal, read through journalctl. syslog is a socket that rsyslog or syslog-ng hands lines over to; what comes while the daemon is down is lost, as a socket keeps nothing. pipe is a named pipe. stdin is standard input, read to its end. nats is what the other machines of the fleet ship, over the connection that nats describes."`
	Path        string   `key:"path" types:"file|pipe" example:"/var/log/mail.log" doc:"Absolute path of the file or pipe. For files *, ? and [a-z] match as in a shell, and the path - is standard input. The file may be rotated in any manner, and may appear later. A pipe is made with mkfifo."`
	MTA         string   `key:"mta" default:"auto" enum:"auto|postfix|exim|sendmail" doc:"The mail server that writes the log. auto tells each line by its program name."`
	Start       string   `key:"start" types:"file|journal" default:"end" doc:"Where to begin in a file or journal that was never read before: at its end (end), at its beginning (begin), or with what is not older than a time span, such as -24h or -7d."`
	Units       []string `key:"units" types:"journal" example:"['postfix@-.service', exim4.service]" doc:"Systemd units whose entries are read, by their full names. Without units and identifiers everything is read and what no mail server wrote is passed over: a selection saves work on a busy machine, no more."`
	Identifiers []string `key:"identifiers" types:"journal" example:"[exim, sm-mta]" doc:"Syslog identifiers, the program names in front of the pid, whose entries are read. Where units are set as well, both have to match. Postfix has one for each daemon, such as postfix/smtpd: units are better there."`
	Directory   string   `key:"directory" types:"journal" example:"/var/log/journal/remote" doc:"Absolute path of a directory with journal files. Not set means the journal of this machine."`
	Listen      string   `key:"listen" types:"syslog" example:"unixgram:///run/relaylens/log" doc:"Where to listen: unixgram:// with the path of a socket file, which is made with mode 0660, udp:// or tcp:// with an IP address and a port. RFC 3164 and RFC 5424 are understood, over TCP with octet counts as well as newlines. When lines come faster than they can be read, datagrams are dropped and counted, and TCP makes the sender wait. In rsyslog use a template that keeps the whole tag, such as RSYSLOG_ForwardFormat: RSYSLOG_SyslogProtocol23Format cuts postfix/smtpd to postfix."`
	Peers       string   `key:"peers" types:"syslog" example:"any" doc:"Who may send to a udp or tcp socket: local (which is also meant when nothing is set) for programs on this machine, any for other machines too. Whoever can reach the socket can make up lines."`
	Consumer    string   `key:"consumer" types:"nats" example:"reader-a" doc:"Name under which the stream keeps how far this reader is. Each reader needs a name of its own: of two of one name, one gets nothing while the other lives. Not set means the host name of this machine."`
	Group       string   `key:"group" types:"nats" example:"pagers" doc:"Readers of the same group stand by for each other: each reads everything, but only one of them tells the Alertmanagers, and within seconds another does when that one dies. They need the same alerting section and the same hosts. Not set means that this reader pages whatever others do."`
	Hosts       []string `key:"hosts" types:"nats" example:"[mx1, mx2]" doc:"Hosts whose events are read, by their names in the events. Not set means all of the fleet."`
}

// Store is what is kept of the past.
type Store struct {
	Keep    Span `key:"keep" default:"90d" example:"1w" doc:"How long events are kept, counted back from the newest one."`
	MaxSize Size `key:"max_size" default:"2GB" example:"500MB" doc:"How large the database of events may get. When it is full, the oldest events go before their time."`
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
	MaxSpan    Span   `key:"max_span" default:"31d" example:"92d" doc:"The longest span of time that one question of the API may be about, of summaries and findings. A long one costs reading of all its hours."`
	MaxEvents  int    `key:"max_events" default:"20000" example:"100000" doc:"How many events one question of the API lists at most. For findings no more refusals are looked at; of more, the latest of each cause."`
}

// Log is the daemon's own log.
type Log struct {
	Level  string `key:"level" flag:"log-level" default:"info" enum:"debug|info|warn|error" doc:"The least severity that is logged."`
	Format string `key:"format" flag:"log-format" restart:"yes" default:"auto" enum:"auto|console|json" doc:"How a message is written. auto is console on a terminal and json otherwise."`
}
