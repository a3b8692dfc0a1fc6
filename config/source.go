package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Values of Source.Type.
const (
	TypeFile    = "file"
	TypeJournal = "journal"
	TypeSyslog  = "syslog"
	TypePipe    = "pipe"
	TypeStdin   = "stdin"
	TypeNATS    = "nats"
)

const (
	// stdin as the path of a source is standard input.
	stdin = "-"
	// peersAny is the value of Source.Peers that lets other machines send.
	peersAny = "any"
	// isPattern are the characters that make a path or a unit a pattern.
	isPattern = `*?[\`
)

// Name tells the source from all others: it is what metrics, positions and
// lines call it. A pattern is the name of no line.
func (s *Source) Name() string {
	switch {
	case s.Type == TypeStdin:
		return stdin
	case s.Type == TypeSyslog:
		return s.Listen
	case s.Type == TypeJournal && s.Directory != "":
		return "journal:" + s.Directory
	case s.Type == TypeJournal:
		return "journal"
	case s.Type == TypeNATS:
		return TypeNATS
	}
	return s.Path
}

// Stdin reports whether the source is standard input.
func (s *Source) Stdin() bool { return s.Type == TypeStdin || s.Path == stdin }

// Remote reports whether other machines may send to the source.
func (s *Source) Remote() bool { return s.Peers == peersAny }

// Begin says where a source without a position begins: at the beginning, with
// what is not older than since, or, when neither is set, at the end.
func (s *Source) Begin() (begin bool, since time.Duration) {
	text, back := strings.CutPrefix(s.Start, "-")
	if !back {
		return s.Start == "begin", 0
	}
	span, err := ParseSpan(text)
	if err != nil {
		return false, 0
	}
	return false, span.Duration()
}

func (k *checker) sources(sources []Source) {
	seen := map[string]int{}
	for i := range sources {
		s, key := &sources[i], fmt.Sprintf("sources[%d]", i)
		if !k.belong(s, key) || !k.source(s, key) {
			continue
		}
		name, of := s.Name(), key+"."+s.nameKey()
		if s.Type == TypeFile || s.Type == TypePipe {
			name = filepath.Clean(name)
		}
		if first, again := seen[name]; again {
			k.refuse(of, fmt.Sprintf("%s is already sources[%d]", quote(s.Name()), first), "keep one of them: a refusal is counted once")
		}
		seen[name] = i
	}
}

// nameKey is the key that names the source.
func (s *Source) nameKey() string {
	switch s.Type {
	case TypeJournal:
		return "directory"
	case TypeSyslog:
		return "listen"
	case TypeStdin, TypeNATS:
		return "type"
	}
	return "path"
}

// belong refuses keys that mean nothing for the type, and reports whether the
// type is one.
func (k *checker) belong(s *Source, key string) bool {
	list := schema().child("sources")
	if !slices.Contains(list.child("type").enum, s.Type) && s.Type != "" {
		return false // that was refused already
	}
	v := reflect.ValueOf(s).Elem()
	for _, f := range list.children {
		value := v.Field(f.index)
		if f.belongs(s.Type) || value.IsZero() || f.def != "" && value.String() == f.def || value.Kind() == reflect.Slice && value.Len() == 0 {
			continue
		}
		k.refuse(key+"."+f.name, "means nothing for the type "+s.Type, "remove it, or write type: "+f.types[0])
	}
	return true
}

// belongs reports whether the key is one of sources of a type.
func (f *field) belongs(sourceType string) bool {
	return f.types == nil || slices.Contains(f.types, sourceType) || sourceType == "" && slices.Contains(f.types, TypeFile)
}

// source checks one source and reports whether it has a name.
func (k *checker) source(s *Source, key string) bool {
	k.start(s, key+".start")
	switch s.Type {
	case TypeStdin:
		return true
	case TypeNATS:
		return k.reader(s, key)
	case TypeJournal:
		return k.journal(s, key)
	case TypeSyslog:
		return k.socket(s, key)
	case TypePipe:
		return k.pipe(s.Path, key+".path")
	}
	return k.file(s.Path, key+".path")
}

func (k *checker) start(s *Source, key string) {
	text, back := strings.CutPrefix(s.Start, "-")
	switch {
	case s.Start == "" || s.Start == "end" || s.Start == "begin":
		return
	case back:
		if span, err := ParseSpan(text); err == nil && span > 0 {
			return
		}
	}
	k.refuse(key, quote(s.Start)+" is no place to begin", "use end, begin or a time span back from now, such as -24h or -7d")
}

func (k *checker) file(path, key string) bool {
	switch {
	case path == stdin:
		return true
	case !k.path(key, path):
		return false
	case strings.HasSuffix(path, "/"):
		k.refuse(key, quote(path)+" is a directory", "name the file within it, or a pattern such as "+path+"*.log")
		return false
	}
	if _, err := filepath.Match(path, ""); err != nil {
		k.refuse(key, quote(path)+" is not a pattern", "close the bracket, or escape it with a backslash")
	}
	return true
}

func (k *checker) pipe(path, key string) bool {
	if k.path(key, path) && strings.HasSuffix(path, "/") {
		k.refuse(key, quote(path)+" is a directory", "name the pipe within it")
		return false
	}
	return filepath.IsAbs(path)
}

func (k *checker) journal(s *Source, key string) bool {
	for i, unit := range s.Units {
		at := fmt.Sprintf("%s.units[%d]", key, i)
		switch {
		case unit == "":
			k.refuse(at, "is empty", "name a unit, such as exim4.service")
		case strings.ContainsAny(unit, isPattern):
			k.refuse(at, quote(unit)+" is a pattern, which knows no units that are started later", "name each unit, such as postfix@-.service")
		}
	}
	for i, id := range s.Identifiers {
		if id == "" {
			k.refuse(fmt.Sprintf("%s.identifiers[%d]", key, i), "is empty", "name one, such as postfix/smtpd")
		}
	}
	return s.Directory == "" || k.path(key+".directory", s.Directory)
}

func (k *checker) socket(s *Source, key string) bool {
	if s.Peers != "" && s.Peers != "local" && !s.Remote() {
		k.refuse(key+".peers", quote(s.Peers)+" is not one of the values", "use local or any")
	}
	key += ".listen"
	const remedy = "write unixgram:///run/relaylens/log, udp://127.0.0.1:5140 or tcp://127.0.0.1:5140"
	if s.Listen == "" {
		k.refuse(key, "is missing", remedy)
		return false
	}
	u, err := url.Parse(s.Listen)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		k.refuse(key, quote(s.Listen)+" is no address to listen on", remedy)
		return false
	}
	if u.Scheme == "unixgram" && u.Host == "" && filepath.IsAbs(u.Path) && !strings.HasSuffix(u.Path, "/") {
		return true
	}
	addr, err := netip.ParseAddrPort(u.Host)
	switch {
	case u.Scheme != "udp" && u.Scheme != "tcp" || u.Path != "" || err != nil:
		k.refuse(key, quote(s.Listen)+" is no address to listen on", remedy)
		return false
	case addr.Port() == 0:
		k.refuse(key, quote(s.Listen)+" has no port", "write a port, such as 5140")
	case !addr.Addr().IsLoopback() && !s.Remote():
		k.refuse(key, quote(s.Listen)+" can be reached from other machines", "use 127.0.0.1 or [::1]; or set peers: any, and let a firewall choose who may send")
	}
	return true
}
