package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
)

// refusal is one command that was answered 4xx or 5xx, as the log tells of it.
type refusal struct {
	Kind      string `json:"kind"`
	Direction string `json:"direction"`
	Reason    string `json:"reason,omitempty"`

	client int
	sender string
	rcpt   string
	user   string // of a failed login the one that was tried
}

func inbound(kind, reason string) refusal {
	return refusal{Kind: kind, Direction: "inbound", Reason: reason}
}
func outbound(kind, reason string) refusal {
	return refusal{Kind: kind, Direction: "outbound", Reason: reason}
}

// truth is what the log holds.
type truth struct {
	lines, bytes int64
	refusals     map[refusal]uint64 // by what is exported
	clients      []uint32           // refusals of each client
	keep         func(refusal)      // called with every refusal if not nil
}

func newTruth(clients int) *truth {
	return &truth{refusals: map[refusal]uint64{}, clients: make([]uint32, clients)}
}

func (t *truth) add(r refusal) {
	t.refusals[refusal{Kind: r.Kind, Direction: r.Direction, Reason: r.Reason}]++
	t.clients[r.client]++
	if t.keep != nil {
		t.keep(r)
	}
}

// report is the truth as it is written down.
type report struct {
	MTA      string            `json:"mta"`
	Stamps   string            `json:"stamps"`
	Seed     uint64            `json:"seed"`
	Lines    int64             `json:"lines"`
	Bytes    int64             `json:"bytes"`
	Refusals uint64            `json:"refusals"`
	Kinds    map[string]uint64 `json:"kinds"`
	Reasons  []reasonCount     `json:"reasons"`
	Clients  int               `json:"clients"` // that were refused
	Top      []clientCount     `json:"top_clients"`
}

type reasonCount struct {
	refusal
	Refusals uint64 `json:"refusals"`
}

type clientCount struct {
	Client   string `json:"client"`
	Refusals uint32 `json:"refusals"`
}

func (t *truth) report(o options) report {
	r := report{MTA: o.mta, Stamps: o.stamps, Seed: o.seed, Lines: t.lines, Bytes: t.bytes, Kinds: map[string]uint64{}}
	for k, n := range t.refusals {
		r.Refusals += n
		r.Kinds[k.Kind] += n
		r.Reasons = append(r.Reasons, reasonCount{k, n})
	}
	slices.SortFunc(r.Reasons, func(a, b reasonCount) int {
		return cmp.Or(cmp.Compare(b.Refusals, a.Refusals), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.Reason, b.Reason))
	})
	for n, count := range t.clients {
		if count > 0 {
			r.Top = append(r.Top, clientCount{address(n), count})
		}
	}
	r.Clients = len(r.Top)
	slices.SortFunc(r.Top, func(a, b clientCount) int {
		return cmp.Or(cmp.Compare(b.Refusals, a.Refusals), cmp.Compare(a.Client, b.Client))
	})
	r.Top = r.Top[:min(len(r.Top), 100)]
	return r
}

func (t *truth) save(path string, o options) error {
	b, err := json.MarshalIndent(t.report(o), "", "  ")
	if err != nil {
		return fmt.Errorf("encode truth: %w", err)
	}
	if err := os.WriteFile(path, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("write truth: %w", err)
	}
	return nil
}
