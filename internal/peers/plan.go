package peers

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/summary"
)

// plan says which server is asked about which hosts, so that each host counts
// once, though several servers may have its events: readers that stand by for
// each other, or a machine and its reader.
type plan struct {
	ask    []*url.Values // of each server; nil: it has nothing that another one has not
	shared []string      // hosts that several have
}

// enough is which part of the most that a server has of a host will do: what
// comes at this moment is at one of them first.
const enough = 0.99

// slacks are by how many refusals a server may have fewer all the same. One after
// the other is tried until the questions are short enough: where one host has an
// event more at one server, and one has at the other, all would have to be named.
var slacks = []int64{0, 1, 4, 16, 64}

// maxQuestion is how long the parameters of a question may be.
const maxQuestion = 8 << 10

var errTooMany = errors.New("the servers have some hosts in common, too many to ask each for its own; ask for fewer hosts with host=NAME, or the servers one by one")

// plan asks what the servers have and shares the hosts out; compared says that the
// span before is told of as well.
func (s *Servers) plan(ctx context.Context, q *Question, values url.Values, compared bool) (*plan, error) {
	p := &plan{ask: make([]*url.Values, len(s.urls))}
	for i := range p.ask {
		p.ask[i] = &values
	}
	if len(s.urls) == 1 {
		return p, nil
	}
	held := make([]map[string]*summary.Holding, len(s.urls))
	err := s.all(ctx, "hosts", q.values(), func(i int, body []byte) (err error) {
		held[i], err = holdings(body)
		maps.DeleteFunc(held[i], func(_ string, h *summary.Holding) bool { return !compared && h.Refusals == 0 })
		return err
	})
	if err != nil {
		return nil, err
	}
	match, err := relaylens.ParseMatch(q.Match)
	if err != nil {
		return nil, fmt.Errorf("share hosts out: %w", err)
	}
	if err := p.narrow(held, values, q.Match, match); err != nil {
		return nil, err
	}
	return p, nil
}

// narrow has each server asked for the hosts that are its own to tell of.
func (p *plan) narrow(held []map[string]*summary.Holding, values url.Values, args []string, match relaylens.Match) (err error) {
	all := copiesOf(held)
	for i := range all {
		p.shared = append(p.shared, all[i].host)
	}
	p.shared = slices.Compact(p.shared)
	for _, slack := range slacks {
		if err = p.leaveOut(droppedHosts(all, held, slack), held, values, args, match); !errors.Is(err, errTooMany) {
			break
		}
	}
	return err
}

// leaveOut has no server asked for the hosts that are dropped of it.
func (p *plan) leaveOut(dropped []map[string]bool, held []map[string]*summary.Holding, values url.Values, args []string, match relaylens.Match) (err error) {
	for i := range p.ask {
		p.ask[i] = &values
		if len(dropped[i]) == 0 {
			continue
		}
		kept := slices.DeleteFunc(slices.Sorted(maps.Keys(held[i])), func(h string) bool { return dropped[i][h] })
		if p.ask[i], err = narrowed(values, args, match, kept); err != nil {
			return err
		}
	}
	return nil
}

func holdings(body []byte) (map[string]*summary.Holding, error) {
	held := map[string]*summary.Holding{}
	err := eachLine(body, func(line []byte) error {
		h := &summary.Holding{}
		if err := json.Unmarshal(line, h); err != nil {
			return err
		}
		if err := h.Check(); err != nil {
			return err
		}
		if len(held) >= summary.MaxHoldings || held[h.Host] != nil {
			return errors.New("it tells of too many hosts, or of one twice")
		}
		held[h.Host] = h
		return nil
	})
	return held, err
}

// copies are the servers, two or more, that have the same events of a host.
type copies struct {
	host    string
	servers []int
}

// copiesOf finds them all, in the order of the hosts' names; of each host those
// servers first that have the most refusals of all hosts.
func copiesOf(held []map[string]*summary.Holding) (all []copies) {
	order := bySize(held)
	hosts := map[string]bool{}
	for i := range held {
		for name := range held[i] {
			hosts[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		left := slices.DeleteFunc(slices.Clone(order), func(i int) bool { return held[i][name] == nil })
		for len(left) > 1 {
			same, rest := left[:1:1], []int(nil)
			for _, i := range left[1:] {
				if held[i][name].CopyOf(held[left[0]][name]) {
					same = append(same, i)
				} else {
					rest = append(rest, i)
				}
			}
			if len(same) > 1 {
				all = append(all, copies{name, same})
			}
			left = rest
		}
	}
	return all
}

// bySize are the servers, those with the most refusals first.
func bySize(held []map[string]*summary.Holding) (servers []int) {
	total := make([]int64, len(held))
	for i := range held {
		servers = append(servers, i)
		for _, h := range held[i] {
			total[i] += h.Refusals
		}
	}
	slices.SortStableFunc(servers, func(a, b int) int { return cmp.Compare(total[b], total[a]) })
	return servers
}

// droppedHosts are the hosts that each server is not asked about: of all that have a
// copy, the first that has as good as the most tells of it; where several have,
// the first that has as good as the most of the span before.
func droppedHosts(all []copies, held []map[string]*summary.Holding, slack int64) []map[string]bool {
	dropped := make([]map[string]bool, len(held))
	for _, c := range all {
		now := best(c.servers, slack, func(i int) int64 { return held[i][c.host].Refusals })
		asked := best(now, slack, func(i int) int64 { return held[i][c.host].Before })[0]
		for _, i := range c.servers {
			if i == asked {
				continue
			}
			if dropped[i] == nil {
				dropped[i] = map[string]bool{}
			}
			dropped[i][c.host] = true
		}
	}
	return dropped
}

// best are those that have as good as the most.
func best(servers []int, slack int64, refusals func(int) int64) []int {
	most := int64(0)
	for _, i := range servers {
		most = max(most, refusals(i))
	}
	return slices.DeleteFunc(slices.Clone(servers), func(i int) bool {
		return float64(refusals(i)) < enough*float64(most) && most-refusals(i) > slack
	})
}

// narrowed asks for some hosts only; nil is a question that nothing is left of.
// args are what match was read from.
func narrowed(values url.Values, args []string, match relaylens.Match, hosts []string) (*url.Values, error) {
	groups := match.Groups()
	if len(groups) == 0 {
		groups, args = []relaylens.MatchGroup{nil}, nil
	}
	texts := strings.Split(strings.Join(args, "\x00"), "\x00+\x00") // of each group
	var asked []string
	for i, g := range groups {
		some := slices.DeleteFunc(slices.Clone(hosts), func(h string) bool { return !fits(g, h) })
		if len(some) == 0 {
			continue
		}
		if len(asked) > 0 {
			asked = append(asked, "+")
		}
		for _, arg := range strings.Split(texts[i], "\x00") {
			if arg != "" && !strings.HasPrefix(arg, "host=") {
				asked = append(asked, arg)
			}
		}
		for _, h := range some {
			asked = append(asked, "host="+h)
		}
	}
	if len(asked) == 0 {
		return nil, nil
	}
	v := maps.Clone(values)
	v["match"] = asked
	if len(v.Encode()) > maxQuestion {
		return nil, errTooMany
	}
	return &v, nil
}

// fits reports whether events of a host may be of a group.
func fits(g relaylens.MatchGroup, host string) bool {
	e := relaylens.Event{Host: host}
	for _, c := range g {
		if c.Field == "host" && !slices.ContainsFunc(c.Conditions, func(c relaylens.Condition) bool { return c.Event(&e) }) {
			return false
		}
	}
	return true
}
