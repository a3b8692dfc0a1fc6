//go:build e2e

package fleet

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/relaylens/relaylens/internal/testutil"
)

// TestSpeed measures how fast a backlog goes through the cluster and what an
// event takes there, with -speed EVENTS.
func TestSpeed(t *testing.T) {
	if *speedFlag == 0 {
		t.Log("nothing to measure: -speed is 0")
		return
	}
	f := newFleet(t, *shippersFlag)
	f.shippersOffline(*speedFlag)
	for _, m := range f.shippers {
		m.start()
	}
	shipped := testutil.WaitWithin(t, 10*time.Minute, "all to be shipped", func() error {
		sum := 0.0
		for _, m := range f.shippers {
			n, err := m.metric(`relaylens_shipped_total{content="events"}`)
			if err != nil {
				return err
			}
			sum += n
		}
		if int(sum) < *speedFlag {
			return fmt.Errorf("%.0f", sum)
		}
		return nil
	})
	total := float64(*speedFlag)
	var bytes, messages float64
	for _, m := range f.shippers {
		b, err := m.metric("relaylens_ship_bytes_total")
		must(t, err)
		n, err := m.metric("relaylens_ship_messages_total")
		must(t, err)
		bytes, messages = bytes+b, messages+n
	}
	servers := 0.0
	for _, n := range f.cluster.nodes {
		servers += cpu(t, n)
	}
	shippers := 0.0
	for _, m := range f.shippers {
		shippers += cpu(t, m.cmd)
	}
	t.Logf("CPU time into the stream: %.1f µs an event for the shipper, %.1f for the three servers together", shippers/total*1e6, servers/total*1e6)
	t.Logf("into the stream: %.0f events/s, %.1f bytes an event on the wire, %.0f events a message", total/shipped.Seconds(), bytes/total, total/messages)
	reader := newMachine(t, f.cluster, "reader1", "reader1", "", "{type: nats, consumer: speed}")
	reader.start()
	f.readers = append(f.readers, reader)
	took := testutil.WaitWithin(t, 10*time.Minute, "the reader to have all", func() error {
		if n := reader.count(); n < *speedFlag {
			return fmt.Errorf("%d", n)
		}
		return nil
	})
	t.Logf("out of the stream into the store: %.0f events/s", total/took.Seconds())
	after := 0.0
	for _, n := range f.cluster.nodes {
		after += cpu(t, n)
	}
	t.Logf("CPU time out of the stream: %.1f µs an event for the reader, %.1f for the three servers together", cpu(t, reader.cmd)/total*1e6, (after-servers)/total*1e6)
	f.compare()
}

// cpu is the time that a process has spent on the processor, in seconds.
func cpu(t *testing.T, cmd *exec.Cmd) float64 {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", cmd.Process.Pid))
	must(t, err)
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	user, err := strconv.ParseFloat(fields[11], 64)
	must(t, err)
	system, err := strconv.ParseFloat(fields[12], 64)
	must(t, err)
	return (user + system) / 100 // USER_HZ
}

// shippersOffline fills the shippers' stores while no server can be reached.
func (f *fleet) shippersOffline(events int) {
	f.t.Helper()
	for _, m := range f.shippers {
		m.refuse(events / len(f.shippers))
	}
	for i := range f.cluster.nodes {
		f.cluster.killNode(i)
	}
	for _, m := range f.shippers {
		testutil.WaitWithin(f.t, 10*time.Minute, m.name+" to read its log", func() error {
			if n := m.count(); n < m.lines {
				return fmt.Errorf("%d of %d", n, m.lines)
			}
			return nil
		})
		m.kill()
	}
	for i := range f.cluster.nodes {
		f.cluster.startNode(i)
	}
	testutil.WaitWithin(f.t, time.Minute, "the stream to have a leader", func() error {
		if f.cluster.streamLeader() < 0 {
			return fmt.Errorf("none")
		}
		return nil
	})
}
