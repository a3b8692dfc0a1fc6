//go:build e2e

package e2e

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/relaylens/relaylens/internal/testutil"
)

// refusal is one command that was answered 4xx or 5xx, as the side that was
// refused knows it. Its fields have the names of an event's.
type refusal struct {
	Kind      string `json:"kind"`
	Direction string `json:"direction"`
	ClientIP  string `json:"client_ip"`
	Stage     string `json:"stage"`
	Code      int    `json:"code,omitempty"`
	Enhanced  string `json:"enhanced,omitempty"`
	Sender    string `json:"sender,omitempty"`
	Recipient string `json:"recipient,omitempty"`
	User      string `json:"user,omitempty"`
}

// without is r without what a log may leave out.
func (r refusal) without() refusal {
	r.Code, r.Enhanced = 0, ""
	return r
}

// truth collects what was refused.
type truth struct {
	mu       sync.Mutex
	refusals []refusal
}

func (tr *truth) add(r refusal) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.refusals = append(tr.refusals, r)
}

func (tr *truth) all() []refusal {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return append([]refusal(nil), tr.refusals...)
}

// session is one SMTP connection.
type session struct {
	t     *testing.T
	truth *truth
	conn  net.Conn
	text  *textproto.Reader

	ip, helo                string
	sender, recipient, user string
}

// connect opens a session from ip to the server's address and says EHLO.
func connect(t *testing.T, tr *truth, ip, server, helo string) *session {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}, Timeout: testutil.Patience}
	conn, err := dialer.Dial("tcp", server)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(testutil.Patience))
	s := &session{t: t, truth: tr, conn: conn, text: textproto.NewReader(bufio.NewReader(conn)), ip: ip, helo: helo}
	if code, text, err := s.text.ReadResponse(0); code != 220 {
		t.Fatalf("greeting %d %s: %v", code, text, err)
	}
	s.command("", "helo", "EHLO "+helo)
	return s
}

// command sends line, notes a refusal and returns the reply's code. kind is
// what a refusal means; an empty one must not be refused.
func (s *session) command(kind, stage, line string) int {
	s.t.Helper()
	if _, err := fmt.Fprintf(s.conn, "%s\r\n", line); err != nil {
		s.t.Fatal(err)
	}
	code, text, err := s.text.ReadResponse(0)
	if code == 0 {
		s.t.Fatalf("%q: %v", line, err)
	}
	switch {
	case code < 400 && kind != "":
		s.t.Fatalf("%q was answered %d %s, want a refusal", line, code, text)
	case code < 400:
		return code
	case kind == "":
		s.t.Fatalf("%q was answered %d %s", line, code, text)
	}
	s.truth.add(refusal{Kind: kind, Direction: "inbound", ClientIP: s.ip, Stage: stage, Code: code,
		Enhanced: enhanced(text), Sender: s.sender, Recipient: s.recipient, User: s.user})
	return code
}

// mail says MAIL FROM.
func (s *session) mail(kind, sender string) {
	s.t.Helper()
	s.sender, s.recipient = sender, ""
	s.command(kind, "mail", "MAIL FROM:<"+sender+">")
}

// rcpt says RCPT TO.
func (s *session) rcpt(kind, recipient string) {
	s.t.Helper()
	s.recipient = recipient
	s.command(kind, "rcpt", "RCPT TO:<"+recipient+">")
	s.recipient = ""
}

// data sends a short message.
func (s *session) data(kind, subject string) {
	s.t.Helper()
	s.command("", "data", "DATA")
	s.command(kind, "eod", fmt.Sprintf("From: <%s>\r\nSubject: %s\r\nMessage-ID: <%d@example.org>\r\n\r\nHello.\r\n.",
		s.sender, subject, time.Now().UnixNano()))
}

// auth logs in by PLAIN.
func (s *session) auth(kind, user, password string) {
	s.t.Helper()
	s.user = user
	s.command(kind, "auth", "AUTH PLAIN "+base64.StdEncoding.EncodeToString([]byte("\x00"+user+"\x00"+password)))
	if kind != "" {
		s.user = ""
	}
}

func (s *session) quit() {
	s.t.Helper()
	s.command("", "", "QUIT")
	s.conn.Close()
}

// enhanced is the RFC 3463 code that text begins with.
func enhanced(text string) string {
	code, _, _ := strings.Cut(text, " ")
	if parts := strings.Split(code, "."); len(parts) != 3 || strings.Trim(code, "0123456789.") != "" {
		return ""
	}
	return code
}
