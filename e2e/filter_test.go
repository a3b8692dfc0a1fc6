//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/textproto"
	"os"
	"strings"
	"testing"
)

// TestFilterThatIsAway has Sendmail answer every command of a session 451, as a
// filter does not run: the session is one refusal, of the client and the sender
// that lines of their own name.
func TestFilterThatIsAway(t *testing.T) {
	const filter = "INPUT_MAIL_FILTER(`spf', `S=inet:9@127.0.0.1, F=T')dnl\n"
	startDNS(t)
	s := startSendmailWith(t, strings.Replace(sendmailMC, "MAILER(`local')", filter+"MAILER(`local')", 1))
	sendTwice(t, s.address)
	log := s.machine.path(s.logs[0])
	s.machine.waitFor("both commands in the log", func() error {
		if text, err := os.ReadFile(log); err != nil || bytes.Count(text, []byte("tempfailed (due to previous checks)")) < 2 {
			return errors.Join(err, errors.New("they are not there yet"))
		}
		return nil
	})
	out, err := relaylens(t, "parse", "-o", "json", log).Output()
	if err != nil {
		t.Fatal(err)
	}
	sessions := 0
	for line := range bytes.Lines(out) {
		var e struct {
			Kind, Reason, Class, Sender string
			Client                      string `json:"client_ip"`
		}
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		if e.Kind != "rejected" || e.Reason != "milter" || e.Class != "4xx" {
			t.Errorf("%s", line)
		}
		if e.Sender == "joe@example.org" && e.Client != "" { // the others wait for the port
			sessions++
		}
	}
	if sessions != 1 {
		t.Errorf("%d refusals of the session, want 1:\n%s", sessions, out)
	}
}

// sendTwice is told twice to come again.
func sendTwice(t *testing.T, address string) {
	t.Helper()
	c, err := textproto.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, _, err := c.ReadResponse(220); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		command string
		code    int
	}{{"EHLO client.example.org", 250}, {"MAIL FROM:<joe@example.org>", 451}, {"MAIL FROM:<joe@example.org>", 451}, {"QUIT", 221}} {
		if err := c.PrintfLine("%s", step.command); err != nil {
			t.Fatal(err)
		}
		if _, reply, err := c.ReadResponse(step.code); err != nil {
			t.Fatalf("%s: %s %v", step.command, reply, err)
		}
	}
}
