package parsers

import (
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/internal/bounded"
)

const (
	maxTroubles = 1 << 10
	// troubleTTL is for how long a session is refused for what was told of it once: of a
	// milter that fails at its begin every command hears.
	troubleTTL = int64(5 * 60)
	// nearby is within what time a refusal follows the error that it is for.
	nearby = int64(10)
)

// trouble is a helper that a server could not ask.
type trouble struct {
	helper relaylens.Helper
	name   string
	at     int64
}

// troubles are known by the process and by the message whose line told of them, and
// the last of a table by its host, as other processes may ask in the name of one.
type troubles struct{ *bounded.Table[trouble] }

func newTroubles() troubles {
	return troubles{bounded.NewTable[trouble](maxTroubles, troubleTTL, nil)}
}

// note remembers what failed.
func (t troubles) note(r *scannedRecord, now int64) {
	if r.rec.Event.Kind != relaylens.KindBackendError || r.rec.Helper == relaylens.HelperNone {
		return
	}
	told := trouble{r.rec.Helper, strings.Clone(r.rec.Event.RemoteHost), now}
	for _, key := range []uint64{r.process(), r.keys.message, r.ofTables()} {
		if key != 0 {
			v, _ := t.Put(key, now)
			*v = told
		}
	}
}

// explain gives a refusal for the want of a helper the name of it.
func (t troubles) explain(r *scannedRecord, now int64) {
	rec := &r.rec
	if rec.Helper == relaylens.HelperNone || !rec.Event.Kind.Refusal() || t.Len() == 0 {
		return
	}
	for _, key := range []uint64{r.process(), r.keys.message} {
		if key == 0 {
			continue
		}
		if v := t.Get(key, now); v != nil && v.explains(rec.Helper) && now-v.at <= lasting(rec) {
			rec.Event.RemoteHost = v.name
			return
		}
	}
	if e := &rec.Event; rec.Helper == relaylens.HelperTable && e.Enhanced == "4.3.0" && !strings.Contains(e.Text, "rejected: ") { // nobody else says that
		if v := t.Get(r.ofTables(), now); v != nil && now-v.at <= nearby {
			e.RemoteHost = v.name
		}
	}
}

// explains reports whether a refusal for the want of h may be due to t: where Postfix cannot
// read its restrictions it says the same as where it cannot read a table.
func (t *trouble) explains(h relaylens.Helper) bool {
	return t.helper == h || t.helper == relaylens.HelperConfiguration && h == relaylens.HelperTable
}

// lasting is for how long an error may be the reason of a refusal.
func lasting(rec *relaylens.Record) int64 {
	if rec.Helper == relaylens.HelperMilter && rec.Event.Stage != relaylens.StageEOD {
		return troubleTTL
	}
	return nearby
}

// forget lets go of what was told of a session that is over.
func (t troubles) forget(r *scannedRecord) {
	if (r.rec.Fact == relaylens.FactSession || r.rec.Fact == relaylens.FactSessionEnd) && t.Len() > 0 {
		t.Delete(r.process())
	}
}

func (r *scannedRecord) process() uint64 {
	if !r.keys.process {
		return 0
	}
	return r.keys.session
}

// ofTables is 0 where no other process is asked for a table.
func (r *scannedRecord) ofTables() uint64 {
	if r.rec.Helper != relaylens.HelperTable || r.mta != relaylens.Postfix {
		return 0
	}
	return bounded.Mix(r.writer.hostKey, uint64(relaylens.HelperTable))
}
