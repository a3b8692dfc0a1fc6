package classifier

import (
	"fmt"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
)

// Of a botnet each client tries once or twice, at users that it makes up or that the
// log does not name: that so many strangers fail tells. Where those fail who logged in
// before, it is the server; few are nothing.
func TestCrowdGuesses(t *testing.T) {
	for name, test := range map[string]struct {
		strangers, regular int
		user               string // %d is the number of the client
		pace               time.Duration
		want               bool
	}{
		"nobody is named":           {strangers: 120, pace: 5 * time.Second, want: true},
		"users that nobody knows":   {strangers: 120, user: "u%d@ours.example", pace: 5 * time.Second, want: true},
		"a user of ours":            {strangers: 3, user: "ann%d@ours.example", pace: 5 * time.Second},
		"few":                       {strangers: 30, pace: 5 * time.Second},
		"all day":                   {strangers: 120, pace: 5 * time.Minute},
		"and those who belong here": {strangers: 120, regular: 30, pace: 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMany()
			for i := range 40 {
				m.saw(relaylens.Event{Host: "mx1", Kind: relaylens.KindAuthOK, ClientIP: address(1000 + i), User: fmt.Sprintf("ann%d@ours.example", i)})
			}
			m.at = m.at.Add(24 * time.Hour)
			fail := func(client int, user string) {
				e := relaylens.Event{Host: "mx1", Kind: relaylens.KindAuthFailed, Reason: relaylens.ReasonCredentials, Code: 535, ClientIP: address(client)}
				if user != "" {
					e.User = fmt.Sprintf(user, client)
				}
				m.saw(e)
			}
			for i := range test.strangers {
				m.at = m.at.Add(test.pace)
				fail(i, test.user)
				if i < test.regular {
					fail(1000+i, test.user)
				}
			}
			guesses := 0
			for i := range m.events {
				m.c.Revise(&m.events[i])
				if m.events[i].Cause == relaylens.CauseCredentialGuessing {
					guesses++
				}
			}
			if is := guesses > test.strangers/2; is != test.want {
				t.Errorf("%d of %d are guesses, want most: %v", guesses, len(m.events), test.want)
			}
		})
	}
}
