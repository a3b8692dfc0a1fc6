// Package probe asks the network about a mail server: whether it relays for a
// stranger, whether users can log in, and whether blocklists name it. It asks
// only what it is told to, and never sends a message.
package probe

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/textproto"
	"strings"
	"time"
)

// Result is the outcome of one test.
type Result struct {
	Test   string `json:"test"` // "relay" or "submission"
	Server string `json:"server"`
	// Verdict is "right", "wrong", or "unknown" where the test could not be played to its end.
	Verdict string `json:"verdict"`
	Text    string `json:"text"`
	Reply   string `json:"reply,omitempty"` // the server's last one, in its own words
}

// The verdicts.
const (
	Right     = "right"
	Wrong     = "wrong"
	Undecided = "unknown"
)

// Server is whom to ask.
type Server struct {
	Host           string
	Port           string // of the relay test
	SubmissionPort string
	Helo           string
	Source         netip.Addr    // to ask from; the zero one leaves it to the system
	From, To       string        // of the relay test; neither domain may be the server's
	Timeout        time.Duration // of each test
}

// maxReplies bounds what a server may say in one test.
const maxReplies = 64 << 10

// client is a conversation.
type client struct {
	conn net.Conn
	text *textproto.Reader
	last string // reply
}

func (s *Server) dial(ctx context.Context, port string) (*client, error) {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	var d net.Dialer
	if s.Source.IsValid() {
		d.LocalAddr = &net.TCPAddr{IP: s.Source.AsSlice()}
	}
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(s.Host, port))
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(s.Timeout)); err != nil {
		conn.Close()
		return nil, err
	}
	c := &client{}
	c.use(conn)
	return c, nil
}

func (c *client) use(conn net.Conn) {
	c.conn = conn
	c.text = textproto.NewReader(bufio.NewReader(io.LimitReader(conn, maxReplies)))
}

// command sends a line, unless it is empty, and gives the code of the answer.
func (c *client) command(line string) (code int, text string, err error) {
	if line != "" {
		if _, err := io.WriteString(c.conn, line+"\r\n"); err != nil {
			return 0, "", err
		}
	}
	code, text, err = c.text.ReadResponse(0)
	if code != 0 {
		c.last = fmt.Sprintf("%d %s", code, text)
		err = nil
	}
	return code, text, err
}

// quit ends the conversation; how the server takes it does not matter.
func (c *client) quit() {
	_, _ = io.WriteString(c.conn, "QUIT\r\n")
	c.conn.Close()
}

// greet reads the banner and says EHLO.
func (c *client) greet(helo string) (features map[string]string, err error) {
	code, _, err := c.command("")
	if err != nil || code != 220 {
		return nil, c.unexpected("connect", err)
	}
	return c.ehlo(helo)
}

func (c *client) ehlo(helo string) (map[string]string, error) {
	code, text, err := c.command("EHLO " + helo)
	if err != nil || code != 250 {
		return nil, c.unexpected("EHLO", err)
	}
	features := map[string]string{}
	for line := range strings.Lines(text) {
		word, rest, _ := strings.Cut(strings.TrimSpace(strings.ReplaceAll(line, "=", " ")), " ")
		features[strings.ToUpper(word)] = rest
	}
	return features, nil
}

func (c *client) unexpected(at string, err error) error {
	if err != nil {
		return fmt.Errorf("at %s: %w", at, err)
	}
	return fmt.Errorf("at %s the server refused to go on", at)
}

// Relay plays a stranger who wants to relay. It stops after RCPT.
func (s *Server) Relay(ctx context.Context) Result {
	r := Result{Test: "relay", Server: net.JoinHostPort(s.Host, s.Port), Verdict: Undecided}
	c, err := s.dial(ctx, s.Port)
	if err != nil {
		r.Text = "no connection: " + err.Error()
		return r
	}
	defer c.quit()
	s.relay(c, &r)
	r.Reply = c.last
	return r
}

func (s *Server) relay(c *client, r *Result) {
	if _, err := c.greet(s.Helo); err != nil {
		r.Text = err.Error()
		return
	}
	code, _, err := c.command("MAIL FROM:<" + s.From + ">")
	if err == nil && code/100 != 2 { // it minds the sender's domain; nobody minds a bounce's
		code, _, err = c.command("MAIL FROM:<>")
	}
	if err != nil || code/100 != 2 {
		r.Text = "the sender was refused before a recipient could be named"
		return
	}
	code, _, err = c.command("RCPT TO:<" + s.To + ">")
	switch {
	case err != nil:
		r.Text = "no answer to the recipient: " + err.Error()
	case code/100 == 2:
		r.Verdict = Wrong
		r.Text = "an open relay, or this machine may relay: a foreign recipient was accepted from a stranger without a login"
	case code == 421:
		r.Text = "the server hung up before it answered"
	default:
		r.Verdict = Right
		r.Text = "a foreign recipient was refused"
	}
}

// Submission asks whether users can log in under TLS.
func (s *Server) Submission(ctx context.Context) Result {
	r := Result{Test: "submission", Server: net.JoinHostPort(s.Host, s.SubmissionPort), Verdict: Undecided}
	c, err := s.dial(ctx, s.SubmissionPort)
	if err != nil {
		r.Verdict, r.Text = Wrong, "no connection: "+err.Error()
		return r
	}
	defer c.quit()
	s.submission(ctx, c, &r)
	r.Reply = c.last
	return r
}

func (s *Server) submission(ctx context.Context, c *client, r *Result) {
	features, err := c.greet(s.Helo)
	if err != nil {
		r.Text = err.Error()
		return
	}
	if _, ok := features["STARTTLS"]; !ok {
		r.Verdict, r.Text = Wrong, "STARTTLS is not offered: passwords would cross the network in the clear"
		return
	}
	_, plainly := features["AUTH"]
	if code, _, err := c.command("STARTTLS"); err != nil || code != 220 {
		r.Verdict, r.Text = Wrong, "STARTTLS is offered and refused"
		return
	}
	// Whose certificate it is does not matter here: nothing secret is sent.
	conn := tls.Client(c.conn, &tls.Config{ServerName: s.Host, InsecureSkipVerify: true}) //nolint:gosec // see above
	if err := conn.HandshakeContext(ctx); err != nil {
		r.Verdict, r.Text = Wrong, "TLS fails: "+err.Error()
		return
	}
	c.use(conn)
	if features, err = c.ehlo(s.Helo); err != nil {
		r.Text = err.Error()
		return
	}
	mechanisms, ok := features["AUTH"]
	switch {
	case !ok || mechanisms == "":
		r.Verdict, r.Text = Wrong, "AUTH is not offered under TLS: users cannot log in"
	case plainly:
		r.Verdict, r.Text = Right, "AUTH "+mechanisms+" is offered under TLS, but without TLS as well"
	default:
		r.Verdict, r.Text = Right, "AUTH "+mechanisms+" is offered, under TLS alone"
	}
}
