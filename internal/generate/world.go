package main

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// maxClients is how many clients can be told apart: their IPv4 addresses have
// 27 bits of their own, in 240.0.0.0/4, which is nobody's.
const maxClients = 1 << 27

// world is who there is. All there is to say of the n-th client, user or domain
// follows from n, so that a million of them need no memory.
type world struct {
	rng     *rand.Rand
	count   int // of clients
	turn    int // 0, or the number of the next one plus 1
	zipf    [numClasses]*rand.Zipf
	people  *rand.Zipf
	domains *rand.Zipf
}

// class is what kind of client one is.
type class int

const (
	servers class = iota // mail servers that send us mail
	senders              // our users' devices, which log in
	bots                 // whoever else connects
	numClasses
)

const hostedDomains = 40

func newWorld(rng *rand.Rand, o options) *world {
	w := &world{rng: rng, count: o.clients}
	if o.uniform {
		w.turn = 1
	}
	for c := range numClasses {
		_, n := w.span(c)
		w.zipf[c] = rand.NewZipf(rng, 1.1, 8, uint64(n-1))
	}
	w.people = rand.NewZipf(rng, 1.2, 20, uint64(max(o.clients/5, 50)-1))
	w.domains = rand.NewZipf(rng, 1.1, 4, uint64(max(o.clients/2, 500)-1))
	return w
}

// span is the first number of the clients of class c, and how many there are.
func (w *world) span(c class) (first, n int) {
	fifth := w.count / 5
	switch c {
	case servers:
		return 0, fifth
	case senders:
		return fifth, fifth
	}
	return 2 * fifth, w.count - 2*fifth
}

// client chooses one of class c, few of them often and most of them seldom.
func (w *world) client(c class) int {
	if w.turn > 0 {
		w.turn++
		return (w.turn - 2) % w.count
	}
	first, _ := w.span(c)
	return first + int(w.zipf[c].Uint64())
}

func (w *world) user() int {
	if w.turn > 0 {
		return w.turn % w.count
	}
	return int(w.people.Uint64())
}

func (w *world) domain() int {
	if w.turn > 0 {
		return w.turn % w.count
	}
	return int(w.domains.Uint64())
}

// scatter is a number that looks to have nothing to do with n.
func scatter(n int) uint64 {
	x := uint64(n) * 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	return x ^ x>>27
}

// address is the one address of client n, as Postfix and Exim write it. Each
// twentieth has IPv6.
func address(n int) string {
	if n%20 == 19 {
		return fmt.Sprintf("2001:db8:%x:%x::%x", n>>15+1, scatter(n)&0xfff|0x1000, n&0x7fff+1)
	}
	x := uint32(n) * 2654435761 & (maxClients - 1)
	b := make([]byte, 0, 15)
	for i, part := range [4]uint32{240 + x>>24, x >> 16 & 255, x >> 8 & 255, x & 255} {
		if i > 0 {
			b = append(b, '.')
		}
		b = strconv.AppendUint(b, uint64(part), 10)
	}
	return string(b)
}

// hostName is the verified name of client n, "" for what has none.
func hostName(n int, c class, ip string) string {
	h := scatter(n)
	switch {
	case c == servers:
		return [...]string{"mail", "mx1", "smtp", "out", "mta3"}[h%5] + "." + domainName(n)
	case h%10 < 4:
		return ""
	}
	plain := strings.ReplaceAll(strings.ReplaceAll(ip, ":", "-"), ".", "-")
	return [...]string{"host-", "dsl-", "static-", "cpe-", "pool-"}[h%5] + plain + "." + domainName(int(h>>8%300))
}

// heloName is how client n greets.
func heloName(n int, c class, name, ip string) string {
	h := scatter(n) >> 16
	switch {
	case c == servers:
		return name
	case c == senders:
		return [...]string{"[192.168.1." + strconv.Itoa(int(h%250)+2) + "]", "laptop", "DESKTOP-" + base36(h%1679616), "smtpclient.example.com"}[h%4]
	case strings.Contains(ip, ":"):
		return "[IPv6:" + ip + "]"
	}
	return [...]string{"WIN-" + base36(h%60466176), "ylmf-pc", "User", "[" + ip + "]", "localhost.localdomain", domainName(n)}[h%6]
}

func base36(n uint64) string { return strings.ToUpper(strconv.FormatUint(n, 36)) }

var (
	things = [...]string{"amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "haven", "indigo", "jasper", "karst", "linden", "mesa", "nimbus", "orchard", "pebble"}
	trades = [...]string{"bank", "clinic", "media", "logistics", "net", "post", "shop", "studio", "ware", "works", "labs", "travel", "energy", "books", "foods", "tools"}
	tops   = [...]string{".example", ".example.net", ".example.org", ".test"}
	given  = [...]string{"alice", "bruno", "carla", "dmitri", "elena", "farid", "greta", "hiro", "ines", "jonas", "katya", "liam", "mei", "noor", "oscar", "petra"}
	family = [...]string{"adams", "bauer", "costa", "diaz", "eriksen", "fischer", "garcia", "haddad", "ito", "jensen", "kim", "lopez", "mori", "novak", "okafor", "park"}
	// logins are what those who guess passwords try first.
	logins = [...]string{"admin", "info", "test", "sales", "support", "postmaster", "office", "contact", "scanner", "backup"}
)

// domainName is a domain that is not ours.
func domainName(n int) string {
	name := things[n%16] + trades[n/16%16]
	if n >= 256 {
		name += strconv.Itoa(n >> 8)
	}
	return name + tops[scatter(n)%4]
}

// hostedName is a domain that is ours.
func hostedName(n int) string {
	if n%hostedDomains == 0 {
		return "example.com"
	}
	return things[n%16] + strconv.Itoa(n%hostedDomains) + ".example.com"
}

// userName is a mailbox of ours.
func userName(n int) string {
	name := given[n%16] + "." + family[n/16%16]
	if n >= 256 {
		name += strconv.Itoa(n >> 8)
	}
	return name + "@" + hostedName(n)
}

// stranger is an address that is not ours.
func (w *world) stranger() string {
	n := w.rng.IntN(1 << 12)
	return given[n%16] + "." + family[n/16%16] + "@" + domainName(w.domain())
}

// login is what somebody tries who guesses.
func (w *world) login() string {
	if w.turn > 0 || w.rng.IntN(3) == 0 {
		return userName(w.user())
	}
	name := logins[w.rng.IntN(len(logins))]
	if w.rng.IntN(2) == 0 {
		return name
	}
	return name + "@" + hostedName(w.rng.IntN(hostedDomains))
}
