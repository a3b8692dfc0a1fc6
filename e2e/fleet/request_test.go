//go:build e2e

package fleet

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// answerTime is how long one question may take. Servers that are just agreeing on
// a leader do not answer at all, and have to be asked again.
const answerTime = 20 * time.Second

// request asks a server as a user, by the text protocol of NATS, and returns the
// answer, or the server's refusal as an error.
func (c *cluster) request(user, subject string, payload []byte) ([]byte, error) {
	raw, err := net.DialTimeout("tcp", fmt.Sprint("127.0.0.1:", clientPort(0)), answerTime)
	if err != nil {
		return nil, err
	}
	defer raw.Close()
	if _, err := bufio.NewReader(raw).ReadString('\n'); err != nil { // INFO, all that comes before TLS
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(c.dir, "machine.pem"), filepath.Join(c.dir, "machine.key"))
	if err != nil {
		return nil, err
	}
	authority, err := os.ReadFile(filepath.Join(c.dir, "ca.pem"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	conn := tls.Client(raw, &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: roots, ServerName: "127.0.0.1"})
	if err := conn.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return nil, err
	}
	inbox := "_INBOX_relaylens." + user + ".test"
	fmt.Fprintf(conn, "CONNECT {\"user\":%q,\"pass\":\"of-%s-change-it\",\"verbose\":false,\"pedantic\":false,\"tls_required\":true}\r\nSUB %s 1\r\nPUB %s %s %d\r\n%s\r\nPING\r\n",
		user, user, inbox, subject, inbox, len(payload), payload)
	lines := bufio.NewReader(conn)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return nil, err
		}
		words := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "-ERR"):
			return nil, fmt.Errorf("the server says %s", strings.TrimSpace(line))
		case words[0] == "PING":
			fmt.Fprint(conn, "PONG\r\n")
		case words[0] == "MSG":
			n, err := strconv.Atoi(words[len(words)-1])
			if err != nil {
				return nil, err
			}
			answer := make([]byte, n)
			for read := 0; read < n; {
				m, err := lines.Read(answer[read:])
				if err != nil {
					return nil, err
				}
				read += m
			}
			return answer, nil
		}
	}
}

// limit sets how many bytes the stream may have; 0 is one more than it has now.
func (c *cluster) limit(bytes int64) error {
	answer, err := c.request("admin", "$JS.API.STREAM.INFO.relaylens_main", nil)
	if err != nil {
		return err
	}
	var info struct {
		Config map[string]any
		State  struct{ Bytes int64 }
		Error  any
	}
	if err := json.Unmarshal(answer, &info); err != nil || info.Error != nil {
		return fmt.Errorf("look at the stream: %v %w", info.Error, err)
	}
	if bytes == 0 {
		bytes = info.State.Bytes + 1
	}
	info.Config["max_bytes"] = bytes
	config, err := json.Marshal(info.Config)
	if err != nil {
		return err
	}
	if answer, err = c.request("admin", "$JS.API.STREAM.UPDATE.relaylens_main", config); err != nil {
		return err
	}
	info.Error = nil
	if err := json.Unmarshal(answer, &info); err != nil || info.Error != nil {
		return fmt.Errorf("change the stream: %v %w", info.Error, err)
	}
	return nil
}
