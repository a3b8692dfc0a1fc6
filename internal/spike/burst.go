package spike

import (
	"cmp"
	"hash/maphash"
	"slices"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/bounded"
)

// A burst is what one client tries again and again within minutes: a guesser of
// passwords, a sender that does not give up. Some are far larger than most, so that
// counts, of which they are a part, surprise more often than any dispersion tells.
// So what a window has of single clients is compared with the bursts that clients
// had before, and only the rest with the baseline.
//
// Some come from several addresses of one network, so the same is done once more with
// networks in the place of clients.
//
// What a client does may have several causes, so its burst is one in all refusals and
// in those of its kind, and has a part in each cause.
type burst struct {
	client uint64            // hash of the client and the kind
	whole  *burst            // that it is a part of, or it itself
	tracks []int             // that it is in
	panes  []counted         // what it had, the oldest first
	most   [numWindows]int32 // of any window of each length
	found  [numWindows]int32 // of those until it was told of
	told   bool              // a spike of one of the tracks is on
	masked bool              // one was on before it began
	over   bool
}

// counted are n refusals in a pane.
type counted struct {
	pane int64
	n    uint32
}

const (
	// fewOfOne is how many refusals of one client within five minutes are nothing.
	fewOfOne = 7
	// maxBursts is how many are known at once, with their parts. Where there are more,
	// what is not known is taken for the refusals of many.
	maxBursts = 256
	// burstGap is after how many panes without any more a burst is over.
	burstGap = 900 / pane
)

// maxRunners is how many clients are counted at once, to see who has a burst. Those
// that have come once make room before others.
const maxRunners = 2048

// runner is a client whose refusals of one kind were fewer until now.
type runner struct {
	last  int64             // pane
	panes [300 / pane]uint8 // at most 255 in each
}

// bursts are those of the last three hours, of single clients or of networks.
type bursts struct {
	network bool
	seed    maphash.Seed
	runners *bounded.Table[runner]
	list    []*burst
	open    map[uint64][]*burst // of each client those that go on, the whole first
	room    []sized
	learnt  [numTracks]burstSizes
}

func newBursts(network bool) bursts {
	return bursts{network: network, seed: maphash.MakeSeed(), open: map[uint64][]*burst{}, runners: bounded.NewTable(maxRunners, 300, func(*runner) {})}
}

// who is the client of e, of what remote servers refused as well; the user where that
// is not known, or else the sender. Or it is the client's network.
func (s *bursts) who(e *relaylens.Event) (hash uint64, ok bool) {
	switch {
	case s.network:
		p := relaylens.NetworkOf(e.ClientIP)
		if !p.IsValid() {
			return 0, false
		}
		b := p.Addr().As16()
		hash = maphash.Bytes(s.seed, b[:])
	case e.ClientIP.IsValid():
		b := e.ClientIP.As16()
		hash = maphash.Bytes(s.seed, b[:])
	case e.User != "":
		hash = maphash.String(s.seed, e.User)
	case e.Sender != "":
		hash = maphash.String(s.seed, e.Sender)
	default:
		return 0, false
	}
	return hash ^ uint64(e.Kind), true
}

// add counts n refusals in pane p.
func (s *bursts) add(e *relaylens.Event, p int64, n uint32) {
	client, ok := s.who(e)
	if !ok {
		return
	}
	tracks := indexes(e.Kind, e.Cause)
	open := s.open[client]
	if len(open) == 0 {
		s.run(client, tracks, p, n)
		return
	}
	open[0].add(p, n)
	for _, b := range open[1:] {
		if b.tracks[0] == tracks[2] {
			b.add(p, n)
			return
		}
	}
	if b := s.begin(client, open[0], tracks[2]); b != nil {
		b.add(p, n)
	}
}

// run counts the refusals of a client that has no burst, and begins one when there are
// enough of them.
func (s *bursts) run(client uint64, tracks [3]int, p int64, n uint32) {
	r, _ := s.runners.Put(client, p*pane)
	if r.add(p, n) <= fewOfOne {
		return
	}
	whole := s.begin(client, nil, tracks[0], tracks[1])
	if whole == nil {
		return
	}
	r.moveTo(whole, p, n)
	if part := s.begin(client, whole, tracks[2]); part != nil {
		part.panes = slices.Clone(whole.panes)
	}
	*r = runner{last: p}
}

// begin makes a burst, or a part of one; nil where there is no room.
func (s *bursts) begin(client uint64, whole *burst, tracks ...int) *burst {
	if len(s.list) >= maxBursts && !s.makeRoom() {
		return nil
	}
	b := &burst{client: client, whole: whole, tracks: tracks}
	if whole == nil {
		b.whole = b
	}
	s.list = append(s.list, b)
	s.open[client] = append(s.open[client], b)
	return b
}

// moveTo gives b what r has, which has just had n refusals in pane p.
func (r *runner) moveTo(b *burst, p int64, n uint32) {
	length := int64(len(r.panes))
	for i := r.last - length + 1; i <= r.last; i++ {
		if before := uint32(r.panes[mod(i, length)]); i == p {
			b.add(p, max(before, n))
		} else if before > 0 {
			b.add(i, before)
		}
	}
}

// add counts n refusals in pane p, and returns how many there are in five minutes.
func (r *runner) add(p int64, n uint32) (five int) {
	length := int64(len(r.panes))
	if p > r.last {
		for i := max(r.last, p-length) + 1; i <= p; i++ {
			r.panes[mod(i, length)] = 0
		}
		r.last = p
	}
	if p > r.last-length {
		slot := &r.panes[mod(p, length)]
		*slot = uint8(min(uint32(*slot)+n, 255))
	}
	for _, n := range r.panes {
		five += int(n)
	}
	return five
}

// makeRoom forgets the smallest of those that are over.
func (s *bursts) makeRoom() bool {
	const longest = numWindows - 1
	least := -1
	for i, b := range s.list {
		if b.over && (least < 0 || b.most[longest] < s.list[least].most[longest]) {
			least = i
		}
	}
	if least < 0 {
		return false
	}
	s.list = slices.Delete(s.list, least, least+1)
	return true
}

func (b *burst) add(p int64, n uint32) {
	i := len(b.panes)
	for i > 0 && b.panes[i-1].pane > p {
		i--
	}
	if i > 0 && b.panes[i-1].pane == p {
		b.panes[i-1].n += n
		return
	}
	b.panes = slices.Insert(b.panes, i, counted{p, n})
}

// since is what b had in the panes from first until before head.
func (b *burst) since(first, head int64) (n uint32) {
	for i := len(b.panes) - 1; i >= 0 && b.panes[i].pane >= first; i-- {
		if b.panes[i].pane < head {
			n += b.panes[i].n
		}
	}
	return n
}

// newer is the same as newer of a ring has it.
func (b *burst) newer(head int64) float64 {
	var s newer
	for _, c := range b.panes {
		s.add(head-c.pane, c.n)
	}
	return s.counts()
}

// step looks at the bursts that go on, and learns from those that are over.
func (s *bursts) step(d *Detector) {
	kept := s.list[:0]
	for _, b := range s.list { // the whole before its parts
		first, last := b.whole.panes[0].pane, b.whole.panes[len(b.whole.panes)-1].pane
		if !b.over {
			b.grow(d, s.open[b.client])
		}
		if !b.over && (d.head-last > burstGap || d.head-first >= numPanes) {
			b.over = true
			delete(s.open, b.client)
			s.learn(d, b)
		}
		if d.head-last < numPanes {
			kept = append(kept, b)
		}
	}
	clear(s.list[len(kept):])
	s.list = kept
}

// grow notes how large b has become, one of the same client's.
func (b *burst) grow(d *Detector, same []*burst) {
	first, last := b.panes[0].pane, b.panes[len(b.panes)-1].pane
	if last >= d.head-1 {
		for w, length := range panesOf {
			b.most[w] = max(b.most[w], int32(b.since(d.head-length, d.head)))
		}
	}
	if b.told {
		return
	}
	b.found = b.most
	for _, o := range same {
		for _, i := range o.tracks {
			if e := &d.tracks[i].episode; e.on {
				b.told = true
				b.masked = b.masked || e.spike.Found.Unix() <= first*pane
			}
		}
	}
}

// learn takes b for one of those that there are. One that was told of teaches that
// there are some twice as large as it took to tell of it. One that went on to far more
// is a flood and teaches nothing, as does what comes every night, and what came while a
// spike was on.
func (s *bursts) learn(d *Detector, b *burst) {
	const (
		longest = numWindows - 1
		flood   = 4 // times what it took to tell
	)
	if b.masked || b.told && b.most[longest] > flood*b.found[longest] {
		return
	}
	now := d.head * pane
	narrow := d.tracks[b.tracks[len(b.tracks)-1]]
	hour := narrow.read(lastHour, now, 0)
	if 2*d.customary(narrow, &hour, now).excess > float64(b.most[lastHour]) {
		return
	}
	client := b.client
	if d.head-b.whole.panes[len(b.whole.panes)-1].pane <= burstGap {
		client = ^client // who goes on for hours is not known for bursts
	}
	for _, i := range b.tracks {
		for w, n := range b.most {
			if b.told {
				n = min(n, 2*b.found[w])
			}
			s.learnt[i].add(w, client, float64(n), d.head*pane)
		}
	}
}

// in are the largest of the bursts of track i, by a measure.
func (s *bursts) in(i int, size func(*burst) float64) []sized {
	const most = 8
	s.room = s.room[:0]
	for _, b := range s.list {
		if slices.Contains(b.tracks, i) {
			if n := size(b); n > 0 {
				s.room = append(s.room, sized{n: n, client: b.client})
			}
		}
	}
	slices.SortFunc(s.room, func(a, b sized) int { return cmp.Compare(b.n, a.n) })
	return s.room[:min(len(s.room), most)]
}
