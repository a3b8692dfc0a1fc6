//go:build e2e

package fleet

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/relaylens/relaylens/internal/testutil"
)

// cluster is three NATS servers with JetStream.
type cluster struct {
	t     *testing.T
	dir   string
	nodes [3]*exec.Cmd
}

func clientPort(i int) int  { return 4221 + i }
func routePort(i int) int   { return 6221 + i }
func monitorPort(i int) int { return 8221 + i }

// newCluster starts the servers with the configuration in docs/fleet, and one
// user for each machine.
func newCluster(t *testing.T, hosts, readers []string) *cluster {
	t.Helper()
	c := &cluster{t: t, dir: t.TempDir()}
	makeCertificates(t, c.dir)
	c.configure(hosts, readers)
	for i := range c.nodes {
		c.startNode(i)
	}
	t.Cleanup(func() {
		for i := range c.nodes {
			c.killNode(i)
		}
	})
	testutil.WaitFor(t, "JetStream to have a leader", func() error { return c.leader() })
	return c
}

// leader is an error until the servers agree on one.
func (c *cluster) leader() error {
	for i := range c.nodes {
		var js struct {
			Meta struct{ Leader string } `json:"meta_cluster"`
		}
		if err := c.get(i, "/jsz", &js); err != nil {
			return err
		}
		if js.Meta.Leader == "" {
			return fmt.Errorf("server %d knows no leader", i)
		}
	}
	return nil
}

func (c *cluster) get(i int, path string, into any) error {
	client := http.Client{Timeout: answerTime}
	resp, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d%s", monitorPort(i), path))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(into)
}

// configure writes the documented configuration, with a user for each machine.
func (c *cluster) configure(hosts, readers []string) {
	c.t.Helper()
	text, err := os.ReadFile("../../docs/fleet/users.conf")
	must(c.t, err)
	var users []string
	for _, line := range strings.Split(string(text), "\n") {
		switch {
		case strings.Contains(line, "user: mx1"):
			for _, h := range hosts {
				users = append(users, strings.ReplaceAll(line, "mx1", h))
			}
		case strings.Contains(line, "user: reader1"):
			for _, h := range readers {
				users = append(users, strings.ReplaceAll(line, "reader1", h))
			}
		default:
			users = append(users, line)
		}
	}
	must(c.t, os.WriteFile(filepath.Join(c.dir, "users.conf"), []byte(strings.Join(users, "\n")), 0o600))
	server, err := os.ReadFile("../../docs/fleet/nats-server.conf")
	must(c.t, err)
	must(c.t, os.WriteFile(filepath.Join(c.dir, "nats-server.conf"), append(server, "\nhttp: $NODE_MONITOR\n"...), 0o600))
}

// startNode starts a server, or starts it again.
func (c *cluster) startNode(i int) {
	c.t.Helper()
	cmd := exec.Command(natsServer(c.t), "-c", filepath.Join(c.dir, "nats-server.conf"))
	cmd.Env = append(os.Environ(), fmt.Sprint("NODE_NAME=n", i), fmt.Sprint("NODE_LISTEN=0.0.0.0:", clientPort(i)),
		fmt.Sprint("NODE_CLUSTER=127.0.0.1:", routePort(i)), fmt.Sprint("NODE_MONITOR=127.0.0.1:", monitorPort(i)),
		fmt.Sprint("PEER1=nats://127.0.0.1:", routePort(0)), fmt.Sprint("PEER2=nats://127.0.0.1:", routePort(1)), fmt.Sprint("PEER3=nats://127.0.0.1:", routePort(2)),
		"NODE_STORE="+filepath.Join(c.dir, fmt.Sprint("js", i)),
		"TLS_CA="+filepath.Join(c.dir, "ca.pem"), "TLS_CERT="+filepath.Join(c.dir, "server.pem"), "TLS_KEY="+filepath.Join(c.dir, "server.key"))
	log, err := os.OpenFile(filepath.Join(c.dir, fmt.Sprintf("n%d.log", i)), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	must(c.t, err)
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	must(c.t, cmd.Start())
	c.nodes[i] = cmd
}

func (c *cluster) killNode(i int) {
	if cmd := c.nodes[i]; cmd != nil {
		cmd.Process.Kill()
		cmd.Wait()
		c.nodes[i] = nil
	}
}

// streamLeader is the server that leads the stream, -1 while none does.
func (c *cluster) streamLeader() int {
	for i := range c.nodes {
		var js struct {
			Accounts []struct {
				Streams []struct {
					Cluster struct{ Leader string }
				} `json:"stream_detail"`
			} `json:"account_details"`
		}
		if c.nodes[i] == nil || c.get(i, "/jsz?streams=true", &js) != nil {
			continue
		}
		for _, a := range js.Accounts {
			for _, s := range a.Streams {
				var n int
				if _, err := fmt.Sscanf(s.Cluster.Leader, "n%d", &n); err == nil {
					return n
				}
			}
		}
	}
	return -1
}

func natsServer(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath(os.Getenv("E2E_NATS_SERVER"))
	if err != nil {
		path, err = exec.LookPath("nats-server")
	}
	if err != nil {
		t.Fatal("nats-server is missing; make fleet-faults installs it: ", err)
	}
	return path
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
