package nats

import (
	"errors"
	"fmt"
	"strings"

	"github.com/relaylens/relaylens"
)

// Last tokens of subjects that are no kinds.
const (
	kindRevised = "revised"
	kindContext = "context"
)

const subjectRoot = "relaylens."

// maxHostName is how long the name of a host may be, by RFC 1035.
const maxHostName = 255

// Token writes a host name as one token of a subject: dots become underscores,
// and what else may not stand there, underscores included, =XX. No two names
// have the same token, so that nobody can pass for another.
func Token(name string) string {
	var b strings.Builder
	for i := range len(name) {
		switch c := name[i]; {
		case c == '.':
			b.WriteByte('_')
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "=%02X", c)
		}
	}
	return b.String()
}

// StreamName is the stream of a fleet.
func StreamName(fleet string) string { return "relaylens_" + fleet }

// subjects are all that the stream of a fleet holds.
func subjects(fleet string) string { return subjectRoot + fleet + ".>" }

func subject(fleet, host string, mta relaylens.MTA, kind string) string {
	return subjectRoot + fleet + "." + Token(host) + "." + mta.String() + "." + kind
}

// hostFilter are the subjects of a host.
func hostFilter(fleet, host string) string { return subjectRoot + fleet + "." + Token(host) + ".>" }

// address is what a subject says of its message.
type address struct {
	host string // as a token
	mta  string
	kind string
}

var errSubject = errors.New("the subject is not one of this fleet")

func parseSubject(fleet, subject string) (a address, err error) {
	rest, ok := strings.CutPrefix(subject, subjectRoot+fleet+".")
	tokens := strings.Split(rest, ".")
	if !ok || len(tokens) != 3 {
		return a, errSubject
	}
	return address{tokens[0], tokens[1], tokens[2]}, nil
}
