//go:build e2e

package fleet

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/testutil"
)

// fleet is a cluster with its machines.
type fleet struct {
	t        *testing.T
	cluster  *cluster
	shippers []*machine
	readers  []*machine
	hosts    []string
}

// newFleet starts shippers, every second of them away, and the readers, of which
// the first makes the stream.
func newFleet(t *testing.T, shippers int, sources ...string) *fleet {
	t.Helper()
	f := &fleet{t: t}
	for i := range shippers {
		f.hosts = append(f.hosts, fmt.Sprint("mx", i+1))
	}
	var readers []string
	for i := range max(len(sources), 2) {
		readers = append(readers, fmt.Sprint("reader", i+1))
	}
	f.cluster = newCluster(t, f.hosts, readers)
	f.makeStream()
	for i, h := range f.hosts {
		netns := ""
		if i%2 == 1 {
			netns = away
		}
		m := newMachine(t, f.cluster, h, h, netns, "{path: LOG, start: begin}")
		m.start()
		f.shippers = append(f.shippers, m)
	}
	for i, source := range sources {
		m := newReader(t, f.cluster, readers[i], source, "http://127.0.0.1:9") // where nobody is paged
		m.start()
		f.readers = append(f.readers, m)
	}
	return f
}

// makeStream runs a relaylens that may make the stream until it did.
func (f *fleet) makeStream() {
	f.t.Helper()
	admin := newMachine(f.t, f.cluster, "admin", "admin", "", "{path: LOG, start: begin}")
	admin.start()
	testutil.WaitFor(f.t, "the stream to be made", func() error {
		if f.cluster.streamLeader() < 0 {
			return fmt.Errorf("no leader; %s", admin.said())
		}
		return nil
	})
	admin.stop()
}

// settle waits until every shipper's log is in its store and each reader has
// all of them.
func (f *fleet) settle() {
	f.t.Helper()
	begun := time.Now()
	for _, m := range f.shippers {
		testutil.WaitFor(f.t, m.name+" to ship all", func() error {
			if n := m.count(); n != m.lines {
				return fmt.Errorf("%d of %d events are in its store", n, m.lines)
			}
			if left, err := m.metric("relaylens_ship_backlog_events"); err != nil || left > 0 {
				return fmt.Errorf("%v left: %w\n%s", left, err, m.said())
			}
			return nil
		})
	}
	for _, r := range f.readers {
		testutil.WaitFor(f.t, r.name+" to read all", func() error {
			if left, err := r.metric("relaylens_receive_pending_messages"); err != nil || left > 0 {
				return fmt.Errorf("%v messages left: %w\n%s", left, err, r.said())
			}
			return nil
		})
	}
	f.t.Logf("settled after %s", time.Since(begun).Round(time.Millisecond))
}

// compare holds what each reader has against what the shippers have together. A
// cause that a shipper knows is the reader's too; where it does not know, the
// fleet may.
func (f *fleet) compare() {
	f.t.Helper()
	want := map[relaylens.ID]relaylens.Cause{}
	for _, m := range f.shippers {
		maps.Copy(want, m.ids())
	}
	for _, r := range f.readers {
		testutil.WaitFor(f.t, r.name+" to have everything", func() error {
			got := r.ids()
			lost, foreign, other := 0, 0, 0
			for id, c := range want {
				if g, ok := got[id]; !ok {
					lost++
				} else if g != c && c != relaylens.CauseUnknown {
					other++
				}
			}
			for id := range got {
				if _, ok := want[id]; !ok {
					foreign++
				}
			}
			if lost+foreign+other > 0 {
				return fmt.Errorf("of %d events %d are lost, %d are nobody's, %d have another cause", len(want), lost, foreign, other)
			}
			return nil
		})
	}
	f.t.Logf("%d events of %d shippers at each of %d readers: none lost, none of nobody, none twice", len(want), len(f.shippers), len(f.readers))
}

// TestFaults breaks everything in turn while events flow: no event is lost, and
// none is there twice.
func TestFaults(t *testing.T) {
	f := newFleet(t, *shippersFlag, "{type: nats, group: pagers}", "{type: nats, group: pagers}", "{type: nats, consumer: b}")
	random := rand.New(rand.NewPCG(*seedFlag, 0))
	one := func(ms []*machine) *machine { return ms[random.IntN(len(ms))] }
	faults := []struct {
		name string
		run  func()
	}{
		{"kill a shipper", func() { m := one(f.shippers); m.kill(); f.flow(2); m.start() }},
		{"kill a reader", func() { m := one(f.readers); m.kill(); f.flow(3); m.start() }},
		{"kill the leader of the stream", func() { f.loseNode(f.cluster.streamLeader()) }},
		{"lose a server", func() { f.loseNode(random.IntN(3)) }},
		{"cut the network", func() {
			must(t, sh("ip link set cable down"))
			f.flow(4)
			must(t, sh("ip link set cable up"))
		}},
		{"fill the stream", func() {
			testutil.WaitFor(t, "the stream to be changed", func() error { return f.cluster.limit(0) })
			f.flow(3)
			testutil.WaitFor(t, "a shipper to say that the stream is full", func() error {
				for _, m := range f.shippers {
					if n, err := m.metric(`relaylens_ship_errors_total{reason="full"}`); err == nil && n > 0 {
						return nil
					}
				}
				return fmt.Errorf("none does")
			})
			testutil.WaitFor(t, "the stream to be changed", func() error { return f.cluster.limit(200e6) })
		}},
		{"kill all shippers", func() {
			for _, m := range f.shippers {
				m.kill()
			}
			f.flow(1)
			for _, m := range f.shippers {
				m.start()
			}
		}},
	}
	for range *roundsFlag {
		random.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
		for _, fault := range faults {
			t.Log(fault.name)
			f.flow(1)
			fault.run()
		}
	}
	for _, m := range f.shippers {
		m.refuse(max(0, *eventsFlag/len(f.shippers)-m.lines))
	}
	f.settle()
	f.compare()
	for _, m := range append(f.shippers, f.readers...) {
		m.stop()
	}
}

// flow has every shipper refuse mail for some seconds.
func (f *fleet) flow(seconds int) {
	for range 10 * seconds {
		for _, m := range f.shippers {
			m.refuse(5)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (f *fleet) loseNode(i int) {
	if i < 0 {
		i = 0
	}
	f.cluster.killNode(i)
	f.flow(5)
	f.cluster.startNode(i)
}
