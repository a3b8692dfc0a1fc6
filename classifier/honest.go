package classifier

import (
	"slices"
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/bounded"
)

// wantedWithin is the time in which the clients have to come that want a domain
// from us. Over weeks, some with nothing to hide ask for any well-known domain.
const wantedWithin = 3 * day

// deniedDomain is a domain that somebody wanted us to relay to.
type deniedDomain struct {
	clients bounded.Set[uint64] // that may be honest
	senders bounded.Marks       // domains of their senders
	since   int64               // when the first of them came
	wanted  int64               // when it was last found that enough of them are honest
}

// want notes a client that may be honest, and wants a domain. Those of long ago make room,
// and so do those of a full set that turned out to be others.
func (h *history) want(domain domain, client, sender uint64, now int64) {
	d := entry(h.denied, domain.key, now)
	full := d.clients.Len() == bounded.SetSize && !d.clients.Has(client) && now-d.wanted > wantedWithin
	if full && h.wanted(domain, now) {
		d.wanted, full = now, false
	}
	if d.since == 0 || now-d.since > wantedWithin || full {
		*d = deniedDomain{since: now, wanted: d.wanted}
	}
	d.clients.Add(client)
	d.senders.Add(sender)
}

// looks is how much a client looks like a mail server to the one that refused it.
type looks uint8

const (
	shady    looks = 1 + iota // DNS confirms no name of it, or it greets as no host does
	passable                  // it has a name, and greets with that of some other domain
	upright                   // it greets with a name in its own domain, for all that is known
)

// looksOf tells it from one refusal. Mail servers greet with a host name (RFC 5321,
// 4.1.4), of which an address or a single word is none.
func looksOf(e *relaylens.Event) looks {
	helo := strings.TrimSuffix(e.Helo, ".")
	switch {
	case e.ClientName == "":
		return shady
	case helo == "":
		return upright // Sendmail does not log it
	case helo[0] == '[' || !strings.Contains(helo, ".") || strings.EqualFold(helo, "localhost.localdomain"):
		return shady
	case strings.EqualFold(lastTwo(helo), lastTwo(e.ClientName)):
		return upright
	}
	return passable
}

// lastTwo are the last two labels of a host name.
func lastTwo(name string) string {
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		return name[strings.LastIndexByte(name[:i], '.')+1:]
	}
	return name
}

// providers have mailboxes for everybody, at servers of their own: who tries
// whether a server relays asks for a mailbox there. In order.
var providers = []string{"126.com", "163.com", "aol.com", "free.fr", "gmail.com", "gmx.at", "gmx.com", "gmx.de", "gmx.net", "googlemail.com", "hotmail.co.uk", "hotmail.com",
	"hotmail.de", "hotmail.es", "hotmail.fr", "hotmail.it", "icloud.com", "libero.it", "live.com", "mac.com", "mail.ru", "me.com", "msn.com", "naver.com", "orange.fr",
	"outlook.com", "outlook.de", "outlook.fr", "proton.me", "protonmail.com", "qq.com", "rediffmail.com", "seznam.cz", "sina.com", "t-online.de", "tutanota.com", "web.de",
	"wp.pl", "yahoo.co.jp", "yahoo.co.uk", "yahoo.com", "yahoo.com.br", "yahoo.de", "yahoo.es", "yahoo.fr", "yahoo.it", "yandex.ru", "ymail.com", "zoho.com"}

// ofProvider reports whether a domain is of a provider who is somebody else.
func (h *history) ofProvider(domain string, now int64) bool {
	_, is := slices.BinarySearch(providers, domain)
	return is && !h.isOurs(domain, now)
}
