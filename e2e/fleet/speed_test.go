//go:build e2e

package fleet

import (
	"fmt"
	"testing"
	"time"
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
	shipped := waitFor(t, 10*time.Minute, "all to be shipped", func() error {
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
	var bytes, messages float64
	for _, m := range f.shippers {
		b, err := m.metric("relaylens_ship_bytes_total")
		must(t, err)
		n, err := m.metric("relaylens_ship_messages_total")
		must(t, err)
		bytes, messages = bytes+b, messages+n
	}
	total := float64(*speedFlag)
	t.Logf("into the stream: %.0f events/s, %.1f bytes an event on the wire, %.0f events a message", total/shipped.Seconds(), bytes/total, total/messages)
	reader := newMachine(t, f.cluster, "reader1", "reader1", "", "{type: nats, consumer: speed}")
	reader.start()
	f.readers = append(f.readers, reader)
	took := waitFor(t, 10*time.Minute, "the reader to have all", func() error {
		if n := reader.count(); n < *speedFlag {
			return fmt.Errorf("%d", n)
		}
		return nil
	})
	t.Logf("out of the stream into the store: %.0f events/s", total/took.Seconds())
	f.compare(time.Minute)
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
		waitFor(f.t, 10*time.Minute, m.name+" to read its log", func() error {
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
	waitFor(f.t, time.Minute, "the stream to have a leader", func() error {
		if f.cluster.streamLeader() < 0 {
			return fmt.Errorf("none")
		}
		return nil
	})
}
