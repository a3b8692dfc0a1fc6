package config

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// NATS is how the machines of a fleet reach each other.
type NATS struct {
	URLs            []string   `key:"urls" restart:"yes" example:"['tls://nats1.example.com:4222', 'tls://nats2.example.com:4222']" doc:"Servers of one NATS cluster. With them set, the events of this machine are shipped to the fleet, unless a source of the type nats makes it a reader. A scheme of tls:// demands TLS; nats:// takes what the server offers."`
	Fleet           string     `key:"fleet" restart:"yes" default:"main" example:"eu-west" doc:"Name of the fleet. It has one stream, relaylens_FLEET, with the subjects relaylens.FLEET.HOST.MTA.KIND."`
	Host            string     `key:"host" restart:"yes" example:"mx1.example.com" doc:"Name of this machine in the fleet: the host of events whose log does not name one, and part of the subjects that its answers come under. Not set means the host name of the machine."`
	Delay           Span       `key:"delay" restart:"yes" default:"5s" example:"10s" doc:"How long events are collected before they are sent together. Longer saves bytes, as events of one message are compressed together."`
	CredentialsFile string     `key:"credentials_file" restart:"yes" example:"/etc/relaylens/mx1.creds" doc:"Absolute path of a file with a user's JWT and seed, as nsc makes it."`
	NKeyFile        string     `key:"nkey_file" restart:"yes" example:"/etc/relaylens/mx1.nk" doc:"Absolute path of a file with the seed of an nkey. It is used where nats.credentials_file is not set."`
	User            string     `key:"user" restart:"yes" example:"mx1" doc:"Name of a user, whose password is in nats.password_file. It is used where neither nats.credentials_file nor nats.nkey_file is set."`
	PasswordFile    string     `key:"password_file" restart:"yes" example:"/etc/relaylens/nats.password" doc:"Absolute path of a file with nothing but the password of nats.user. It is read again at each connection."`
	CAFile          string     `key:"ca_file" restart:"yes" example:"/etc/relaylens/ca.pem" doc:"Absolute path of the certificates of who signs the servers' certificates. Not set means those of the system."`
	CertFile        string     `key:"cert_file" restart:"yes" example:"/etc/relaylens/mx1.pem" doc:"Absolute path of this machine's certificate, where the servers ask for one."`
	KeyFile         string     `key:"key_file" restart:"yes" example:"/etc/relaylens/mx1.key" doc:"Absolute path of the private key of nats.cert_file."`
	Stream          NATSStream `key:"stream" doc:"What the stream of the fleet has to be like. Whoever comes first and may make it makes it so; one that is there is checked, and one that offers less is an error. What is not set is not checked."`
}

// NATSStream is what is asked of a stream; zero is not set.
type NATSStream struct {
	Replicas   int  `key:"replicas" restart:"yes" example:"3" doc:"On how many servers each message is kept before it counts as sent: 1, 3 or 5. A stream that is made here without it has 1, which survives no server."`
	MaxAge     Span `key:"max_age" restart:"yes" example:"2w" doc:"How long messages are kept for readers, which must be longer than a reader is ever away. A stream that is made here without it keeps them for 7d."`
	MaxSize    Size `key:"max_size" restart:"yes" example:"50GB" doc:"How large the stream may get. When it is full it takes nothing more, and events wait in the stores of those who ship. A stream that is made here without it may get 10GiB."`
	Duplicates Span `key:"duplicates" restart:"yes" example:"30m" doc:"For how long the servers know a message that is sent again. A stream that is made here without it knows it for 10m."`
}

// Enabled reports whether there is a fleet.
func (n *NATS) Enabled() bool { return len(n.URLs) > 0 }

// Ships reports whether the events of this machine go to the fleet.
func (c *Config) Ships() bool { return c.NATS.Enabled() && !c.Reads() }

// Reads reports whether the events of the fleet come here.
func (c *Config) Reads() bool {
	for i := range c.Sources {
		if c.Sources[i].Type == TypeNATS {
			return true
		}
	}
	return false
}

// natsToken is what may be a fleet or a consumer: a token of subjects and a name
// of streams at once.
var natsToken = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,31}$`)

const (
	maxDelay      = Span(5 * time.Minute)
	minStreamAge  = Span(time.Hour)
	minStreamSize = 10e6
	maxDuplicates = Span(24 * time.Hour)
	nameRemedy    = "use up to 32 letters, digits and hyphens, such as "
)

func (k *checker) nats(n *NATS) {
	for i, text := range n.URLs {
		k.natsURL(fmt.Sprintf("nats.urls[%d]", i), text)
	}
	if !natsToken.MatchString(n.Fleet) {
		k.refuse("nats.fleet", quote(n.Fleet)+" is no name of a fleet", nameRemedy+"eu-west")
	}
	if n.Host != "" && !hostname.MatchString(n.Host) {
		k.refuse("nats.host", quote(n.Host)+" is no host name", "write a name such as mx1.example.com")
	}
	if n.Delay > maxDelay {
		k.refuse("nats.delay", n.Delay.String()+" is out of bounds", "use up to "+maxDelay.String())
	}
	k.natsIdentity(n)
	k.natsStream(&n.Stream)
}

func (k *checker) natsURL(key, text string) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || !strings.Contains("nats tls ws wss", u.Scheme) || u.Scheme == "":
		k.refuse(key, quote(text)+" is no address of a NATS server", "write tls://nats1.example.com:4222, or nats:// without TLS")
	case u.User != nil:
		k.refuse(key, "holds a password", "write nats.user and nats.password_file, or another kind of credentials")
	}
}

func (k *checker) natsIdentity(n *NATS) {
	for _, f := range n.files() {
		if f.path != "" {
			k.path("nats."+f.key, f.path)
		}
	}
	if (n.User == "") != (n.PasswordFile == "") {
		k.refuse("nats.user", "needs nats.password_file, and the other way round", "set both or none")
	}
	if (n.CertFile == "") != (n.KeyFile == "") {
		k.refuse("nats.cert_file", "needs nats.key_file, and the other way round", "set both or none")
	}
}

// natsFile is a file that the configuration names.
type natsFile struct {
	key, path string
	identity  bool // of which one is used
}

func (n *NATS) files() []natsFile {
	return []natsFile{
		{"credentials_file", n.CredentialsFile, true}, {"nkey_file", n.NKeyFile, true}, {"password_file", n.PasswordFile, true},
		{"ca_file", n.CAFile, false}, {"cert_file", n.CertFile, false}, {"key_file", n.KeyFile, false},
	}
}

// check tells what is wrong on this machine.
func (n *NATS) check() (warnings []string) {
	if !n.Enabled() {
		return nil
	}
	used := ""
	for _, f := range n.files() {
		if f.path == "" {
			continue
		}
		if err := readable(f.path); err != nil {
			warnings = append(warnings, fmt.Sprintf("nats.%s: %s cannot be read: %v", f.key, quote(f.path), err))
		}
		switch {
		case f.identity && used != "":
			warnings = append(warnings, fmt.Sprintf("nats.%s: is not used, as nats.%s is set", f.key, used))
		case f.identity:
			used = f.key
		}
	}
	for _, u := range n.URLs {
		if used == "password_file" && strings.HasPrefix(u, "nats://") && n.CAFile == "" {
			warnings = append(warnings, "nats.urls: the password may go over the network in the clear; write tls://")
			break
		}
	}
	return warnings
}

func (k *checker) natsStream(s *NATSStream) {
	if s.Replicas < 0 || s.Replicas > 5 {
		k.refuse("nats.stream.replicas", fmt.Sprintf("%d is out of bounds", s.Replicas), "use 1, 3 or 5")
	}
	if s.MaxAge != 0 && s.MaxAge < minStreamAge {
		k.refuse("nats.stream.max_age", s.MaxAge.String()+" is out of bounds", "use "+minStreamAge.String()+" or more")
	}
	if s.MaxSize != 0 && s.MaxSize < minStreamSize {
		k.refuse("nats.stream.max_size", s.MaxSize.String()+" is out of bounds", "use "+Size(minStreamSize).String()+" or more")
	}
	if s.Duplicates > maxDuplicates {
		k.refuse("nats.stream.duplicates", s.Duplicates.String()+" is out of bounds", "use up to "+maxDuplicates.String())
	}
}

// readers checks what sources of the type nats need beside themselves.
func (k *checker) readers(c *Config) {
	for i := range c.Sources {
		s, key := &c.Sources[i], fmt.Sprintf("sources[%d]", i)
		if s.Type == TypeNATS && !c.NATS.Enabled() {
			k.refuse(key+".type", "is nats, and nats.urls is not set", "write the addresses of the servers there, such as tls://nats1.example.com:4222")
		}
		if s.Type == TypeNATS && s.Group != "" && len(c.Alerting.Alertmanagers) == 0 {
			k.refuse(key+".group", "makes this reader page in its turn, and alerting.alertmanagers is not set",
				"name the same Alertmanagers as at the group's other readers, or leave group out")
		}
	}
}

// reader checks a source of the type nats.
func (k *checker) reader(s *Source, key string) bool {
	if s.Consumer != "" && !natsToken.MatchString(s.Consumer) {
		k.refuse(key+".consumer", quote(s.Consumer)+" is no name of a consumer", nameRemedy+"reader-a")
	}
	if s.Group != "" && !natsToken.MatchString(s.Group) {
		k.refuse(key+".group", quote(s.Group)+" is no name of a group", nameRemedy+"pagers")
	}
	for i, host := range s.Hosts {
		if !hostname.MatchString(host) {
			k.refuse(fmt.Sprintf("%s.hosts[%d]", key, i), quote(host)+" is no host name", "write a name as the logs have it, such as mx1")
		}
	}
	return true
}
