package main

import (
	"strconv"
	"strings"
)

// session is what one connection, or the delivery of one message, writes.
type session struct {
	*generator
	host    *host
	clock   int64 // µs since the epoch; the time of the next line to be said
	program string
	pid     int

	client   int
	port     int    // of the client
	name, ip string // of the client; name is "" where it has none
	helo     string
	from     string
	rcpt     string
	more     []string // recipients of the message beside rcpt
	user     string
	id       string // of the message
	remote   string // the server that a message goes to

	text  []byte
	lines []line
	next  int
	at    int64  // of the next line
	order uint64 // among those of the same time
}

type line struct {
	at     int64
	end    int // in text
	prefix int
}

// comes chooses the client.
func (s *session) comes(c class) {
	s.client = s.world.client(c)
	s.ip, s.port = address(s.client), 1024+s.rng.IntN(64000)
	s.name = hostName(s.client, c, s.ip)
	s.helo = heloName(s.client, c, s.name, s.ip)
}

// by says that process of a program writes what follows.
func (s *session) by(program string) {
	s.program, s.pid = program, s.host.process(s.rng, program)
}

// fork is a session of its own about the same message, which begins now.
func (s *session) fork() *session {
	f := s.generator.session(s.clock)
	text, lines := f.text, f.lines
	*f = *s
	f.text, f.lines, f.next, f.program, f.pid = text, lines, 0, "", 0
	return f
}

// others lets some messages have more recipients.
func (s *session) others() {
	for s.chance(15) {
		s.more = append(s.more, userName(s.world.user()))
	}
}

// chance is true in percent of all cases.
func (s *session) chance(percent int) bool { return s.rng.IntN(100) < percent }

// wait lets from to to milliseconds pass.
func (s *session) wait(from, to int) {
	s.clock += int64(from*1000 + s.rng.IntN((to-from)*1000))
}

// refuse says a line that tells of a refusal.
func (s *session) refuse(r refusal, say func(string), template string) {
	s.count(r)
	say(template)
}

// count enters a refusal of the current client, sender and recipient.
func (s *session) count(r refusal) {
	r.client = s.client
	if r.Kind == "auth_failed" {
		r.user = s.user
	} else {
		r.sender, r.rcpt = s.from, s.rcpt
	}
	s.truth.add(r)
}

// put ends a line that begins with the text from prefix on.
func (s *session) put(prefix int, template string) {
	s.fill(template)
	s.text = append(s.text, '\n')
	s.lines = append(s.lines, line{s.clock, len(s.text), prefix})
	s.wait(0, 40)
}

// fill appends template with the values of what stands in braces.
func (s *session) fill(template string) {
	for {
		open := strings.IndexByte(template, '{')
		if open < 0 {
			s.text = append(s.text, template...)
			return
		}
		s.text = append(s.text, template[:open]...)
		template = template[open+1:]
		end := strings.IndexByte(template, '}')
		s.value(template[:end])
		template = template[end+1:]
	}
}

func (s *session) value(key string) {
	switch key {
	case "client": // Postfix
		s.text = append(s.text, nameOr(s.name, "unknown")...)
		s.fill("[{ip}]")
	case "peer": // Exim
		s.eximPeer()
	case "relay": // Sendmail
		s.sendmailRelay()
	case "name":
		s.text = append(s.text, nameOr(s.name, "unknown")...)
	case "ip":
		s.text = append(s.text, s.ip...)
	case "helo":
		s.text = append(s.text, s.helo...)
	case "from":
		s.text = append(s.text, s.from...)
	case "rcpt":
		s.text = append(s.text, s.rcpt...)
	case "user":
		s.text = append(s.text, s.user...)
	case "id":
		s.text = append(s.text, s.id...)
	case "host":
		s.text = append(append(s.text, s.host.name...), ".example.com"...)
	case "remote":
		s.text = append(s.text, s.remote...)
	default:
		s.number(key)
	}
}

// number appends what has no meaning, made up on the spot.
func (s *session) number(key string) {
	switch key {
	case "n":
		s.text = strconv.AppendInt(s.text, int64(1+s.rng.IntN(9)), 10)
	case "pid":
		s.text = strconv.AppendInt(s.text, int64(s.pid), 10)
	case "port":
		s.text = strconv.AppendInt(s.text, int64(s.port), 10)
	case "size":
		s.text = strconv.AppendInt(s.text, int64(900+s.rng.ExpFloat64()*40000), 10)
	case "delay":
		s.text = strconv.AppendFloat(s.text, 0.1+float64(s.rng.IntN(400))/100, 'g', 2, 64)
	case "delays":
		s.fill("{delay}/0.0{n}/0.{n}/0.{n}{n}")
	case "token":
		s.text = appendDigits(s.text, s.rng.Uint64(), 62, 11)
	case "hex":
		s.text = append(s.text, strings.ToUpper(strconv.FormatUint(s.rng.Uint64()>>24|1<<39, 16))...)
	case "msgid":
		s.text = appendDigits(s.text, s.rng.Uint64(), 62, 11)
		s.text = appendDigits(append(s.text, '.'), uint64(epoch.UnixMicro()+s.clock), 10, 16)
		s.text = append(append(s.text, '@'), s.from[strings.LastIndexByte(s.from, '@')+1:]...)
	case "mx":
		s.text = append(s.text, "198.18.0."...)
		s.text = strconv.AppendUint(s.text, scatter(len(s.remote)*31+int(s.remote[5]))%250+1, 10)
	default:
		panic("no value is called " + key)
	}
}

const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// appendDigits appends the last count digits of n.
func appendDigits(b []byte, n, base uint64, count int) []byte {
	b = append(b, make([]byte, count)...)
	for i := len(b) - 1; count > 0; i, count = i-1, count-1 {
		b[i] = digits[n%base]
		n /= base
	}
	return b
}

func nameOr(name, or string) string {
	if name == "" {
		return or
	}
	return name
}
