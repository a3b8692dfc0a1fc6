package probe

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// script is a server: its greeting under "", and answers by the beginning of the
// command; "tls:" ones count after STARTTLS. What has no answer gets 250. An
// answer "silence" is none.
type script struct {
	answers map[string]string
	mu      sync.Mutex
	heard   []string
}

func (s *script) serve(t *testing.T) (host, port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	config := &tls.Config{Certificates: []tls.Certificate{certificate(t)}}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				s.talk(conn, "", config)
			}()
		}
	}()
	host, port, err = net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

func (s *script) talk(conn net.Conn, prefix string, config *tls.Config) {
	if prefix == "" {
		s.say(conn, "", "220 mx1.example.com ESMTP")
	}
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		line := lines.Text()
		s.mu.Lock()
		s.heard = append(s.heard, line)
		s.mu.Unlock()
		word, _, _ := strings.Cut(line, " ")
		if word == "STARTTLS" {
			s.say(conn, "STARTTLS", "220 go ahead")
			s.talk(tls.Server(conn, config), "tls:", config)
			return
		}
		if !s.say(conn, prefix+word, "250 ok") {
			return
		}
	}
}

func (s *script) say(w io.Writer, key, otherwise string) bool {
	text, ok := s.answers[key]
	if !ok {
		text = otherwise
	}
	if text == "silence" {
		return true
	}
	_, err := io.WriteString(w, strings.ReplaceAll(text, "\n", "\r\n")+"\r\n")
	return err == nil
}

func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (s *script) server(t *testing.T, timeout time.Duration) *Server {
	host, port := s.serve(t)
	return &Server{Host: host, Port: port, SubmissionPort: port, Helo: "test.example", From: "a@example.org", To: "b@example.net", Timeout: timeout}
}

// patience is long, but for a server that is silent.
func patience(answers map[string]string) time.Duration {
	for _, a := range answers {
		if a == "silence" {
			return 300 * time.Millisecond
		}
	}
	return 30 * time.Second
}

func TestRelay(t *testing.T) {
	for name, tc := range map[string]struct {
		answers map[string]string
		want    string
	}{
		"refused":               {map[string]string{"RCPT": "554 5.7.1 Relay access denied"}, Right},
		"refused for now":       {map[string]string{"RCPT": "454 4.7.1 Relay access denied"}, Right},
		"refused in two lines":  {map[string]string{"RCPT": "550-no\n550 never"}, Right},
		"accepted":              {nil, Wrong},
		"forwarded":             {map[string]string{"RCPT": "251 will forward"}, Wrong},
		"hangs up":              {map[string]string{"RCPT": "421 4.7.0 too many"}, Undecided},
		"refuses every sender":  {map[string]string{"MAIL": "550 no"}, Undecided},
		"greets nobody":         {map[string]string{"": "554 no"}, Undecided},
		"says what is no reply": {map[string]string{"RCPT": "\x1b[2Jhello"}, Undecided},
		"talks without end":     {map[string]string{"EHLO": strings.Repeat("250-x\n", 20_000) + "250 y"}, Undecided},
		"is silent":             {map[string]string{"RCPT": "silence"}, Undecided},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{answers: tc.answers}
			r := s.server(t, patience(tc.answers)).Relay(t.Context())
			if r.Verdict != tc.want || r.Text == "" {
				t.Errorf("%+v, want %s", r, tc.want)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			for _, line := range s.heard {
				if strings.HasPrefix(line, "DATA") || strings.HasPrefix(line, "BDAT") {
					t.Errorf("%q was sent", line)
				}
			}
		})
	}
}

// TestSenderIsMinded: where the sender's domain is refused, a bounce's is not.
func TestSenderIsMinded(t *testing.T) {
	s := &script{answers: map[string]string{"MAIL": "550 5.7.27 null MX", "RCPT": "554 no"}}
	s.server(t, patience(nil)).Relay(t.Context())
	s.mu.Lock()
	defer s.mu.Unlock()
	if got := fmt.Sprint(s.heard); !strings.Contains(got, "MAIL FROM:<a@example.org> MAIL FROM:<>") {
		t.Errorf("said %s", got)
	}
}

func TestSubmission(t *testing.T) {
	const starttls = "250-mx1\n250 STARTTLS"
	for name, tc := range map[string]struct {
		answers map[string]string
		want    string
		text    string
	}{
		"right":                {map[string]string{"EHLO": starttls, "tls:EHLO": "250-mx1\n250 AUTH PLAIN LOGIN"}, Right, "under TLS alone"},
		"in the clear as well": {map[string]string{"EHLO": "250-mx1\n250-AUTH=PLAIN\n250 STARTTLS", "tls:EHLO": "250-mx1\n250 AUTH PLAIN"}, Right, "without TLS as well"},
		"no TLS":               {map[string]string{"EHLO": "250-mx1\n250 AUTH PLAIN"}, Wrong, "STARTTLS is not offered"},
		"no AUTH":              {map[string]string{"EHLO": starttls, "tls:EHLO": "250 mx1"}, Wrong, "AUTH is not offered"},
		"AUTH of nothing":      {map[string]string{"EHLO": starttls, "tls:EHLO": "250-mx1\n250 AUTH"}, Wrong, "AUTH is not offered"},
		"TLS is refused":       {map[string]string{"EHLO": starttls, "STARTTLS": "454 TLS not available"}, Wrong, "refused"},
		"silent":               {map[string]string{"EHLO": "silence"}, Undecided, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := (&script{answers: tc.answers}).server(t, patience(tc.answers)).Submission(t.Context())
			if r.Verdict != tc.want || !strings.Contains(r.Text, tc.text) {
				t.Errorf("%+v, want %s: %s", r, tc.want, tc.text)
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	s := Server{Host: "127.0.0.1", Port: port, SubmissionPort: port, Timeout: patience(nil)}
	if r := s.Relay(t.Context()); r.Verdict != Undecided {
		t.Errorf("%+v", r)
	}
	if r := s.Submission(t.Context()); r.Verdict != Wrong {
		t.Errorf("%+v", r)
	}
}
