package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/relaylens/relaylens/classifier/knowledge"
)

// Listing is what one blocklist says of an address.
type Listing struct {
	Zone    string   `json:"zone"`
	Listed  bool     `json:"listed"`
	Answers []string `json:"answers,omitempty"` // 127.0.0.x
	Text    string   `json:"text,omitempty"`    // of its TXT record, in the list's own words, or what an answer means
	Removal string   `json:"removal,omitempty"`
	Problem string   `json:"problem,omitempty"` // why its answer says nothing
}

// Lists asks DNS blocklists.
type Lists struct {
	Resolver string        // HOST:PORT; empty for those of this machine
	Timeout  time.Duration // of each question
}

// atOnce is how many lists are asked at the same time.
const atOnce = 8

// Ask asks each list for an address, and whether the list is in order: it has to
// know 127.0.0.2 and not to know 127.0.0.1 (RFC 5782 section 5).
func (l *Lists) Ask(ctx context.Context, a netip.Addr, lists []knowledge.Blocklist) []Listing {
	found := make([]Listing, len(lists))
	var wg sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i := range lists {
		wg.Add(1)
		go func() {
			defer wg.Done()
			slots <- struct{}{}
			defer func() { <-slots }()
			found[i] = l.ask(ctx, a, &lists[i])
		}()
	}
	wg.Wait()
	return found
}

func (l *Lists) ask(ctx context.Context, a netip.Addr, list *knowledge.Blocklist) Listing {
	found := Listing{Zone: list.Zone, Removal: list.Removal}
	if dead, ok := knowledge.DeadBlocklist(list.Zone); ok {
		found.Problem = "it ended in " + dead.Since + ": " + dead.Means
		return found
	}
	answers, err := l.lookup(ctx, a, list.Zone)
	if err != nil {
		found.Problem = err.Error()
		return found
	}
	for _, answer := range answers {
		if why := list.Errors[answer]; why != "" {
			found.Problem = why
			return found
		}
		if !strings.HasPrefix(answer, "127.") {
			found.Problem = "it answers " + answer + ", which is no blocklist's answer; the name may belong to somebody else now"
			return found
		}
		found.Answers = append(found.Answers, answer)
	}
	if len(found.Answers) == 0 {
		found.Removal = ""
		return found
	}
	if everybody, err := l.lookup(ctx, netip.AddrFrom4([4]byte{127, 0, 0, 1}), list.Zone); err == nil && len(everybody) > 0 {
		found.Problem = "it lists every address, 127.0.0.1 too: it is dead"
		return found
	}
	found.Listed = true
	found.Text = l.why(ctx, a, list, found.Answers)
	return found
}

func (l *Lists) why(ctx context.Context, a netip.Addr, list *knowledge.Blocklist, answers []string) string {
	var means []string
	for _, answer := range answers {
		if m := list.Answers[answer]; m != "" {
			means = append(means, m)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, l.Timeout)
	defer cancel()
	if txt, err := l.resolver().LookupTXT(ctx, reversed(a)+list.Zone+"."); err == nil && len(txt) > 0 {
		means = append(means, txt[0])
	}
	return strings.Join(means, "; ")
}

// lookup gives the A records of an address in a zone; none when it has none.
func (l *Lists) lookup(ctx context.Context, a netip.Addr, zone string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, l.Timeout)
	defer cancel()
	ips, err := l.resolver().LookupIP(ctx, "ip4", reversed(a)+strings.Trim(zone, ".")+".")
	if no := (*net.DNSError)(nil); errors.As(err, &no) {
		switch {
		case no.IsNotFound:
			return nil, nil
		case no.IsTimeout:
			return nil, fmt.Errorf("no answer within %s", l.Timeout)
		}
		return nil, errors.New("DNS failed: " + no.Err)
	} else if err != nil {
		return nil, fmt.Errorf("ask %s: %w", zone, err)
	}
	var answers []string
	for _, ip := range ips {
		answers = append(answers, ip.String())
	}
	slices.Sort(answers)
	return answers, nil
}

func (l *Lists) resolver() *net.Resolver {
	if l.Resolver == "" {
		return &net.Resolver{PreferGo: true}
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, l.Resolver)
	}}
}

// reversed is 4.3.2.1. of 1.2.3.4, and the nibbles of an IPv6 address.
func reversed(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	var b strings.Builder
	bytes := a.AsSlice()
	slices.Reverse(bytes)
	for _, x := range bytes {
		if a.Is4() {
			fmt.Fprintf(&b, "%d.", x)
		} else {
			fmt.Fprintf(&b, "%x.%x.", x&15, x>>4)
		}
	}
	return b.String()
}
