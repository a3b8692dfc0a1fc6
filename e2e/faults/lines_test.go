//go:build e2e

package faults

import (
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/relaylens/relaylens/internal/testutil"
)

// TestMailers: the logs that the rounds write tell relaylens what they are to.
func TestMailers(t *testing.T) {
	path, err := testutil.Program()
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"postfix", "exim", "sendmail"} {
		t.Run(kind, func(t *testing.T) {
			m := newMailer(kind, "t", rand.New(rand.NewPCG(1, 2)), time.Now)
			var log strings.Builder
			var want []*refusal
			for n := range 2000 {
				line, s := m.next(n >= 1500)
				if s == nil {
					break
				}
				if s.refusal != nil && s.written == s.at+1 {
					want = append(want, s.refusal)
				}
				log.WriteString(m.stamped(line))
			}
			cmd := exec.Command(path, "parse", "-o", "json", "-")
			cmd.Stdin = strings.NewReader(log.String())
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			got := map[string][]stored{}
			for line := range strings.Lines(string(out)) {
				var e struct {
					Recipient, User, Sender string
					Client                  string `json:"client_ip"`
				}
				if err := json.Unmarshal([]byte(line), &e); err != nil {
					t.Fatal(err)
				}
				key := e.Recipient
				if key == "" {
					key = e.User
				}
				got[key] = append(got[key], stored{e.Client, e.Sender})
			}
			if len(want) < 300 {
				t.Fatalf("%d refusals only", len(want))
			}
			for _, r := range want {
				events := got[r.key]
				if len(events) != r.want || events[0] != (stored{r.client, r.sender}) {
					t.Errorf("%s: got %v, want %d of %s %s", r.key, events, r.want, r.client, r.sender)
				}
				delete(got, r.key)
			}
			if len(got) > 0 {
				t.Errorf("nobody wrote of %v", got)
			}
		})
	}
}

type stored struct{ client, sender string }
