package app

import (
	"path/filepath"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/config"
	"github.com/relaylens/relaylens/exporter/prom"
	"github.com/relaylens/relaylens/parsers"
)

// counted is what is known of a source whose lines came by.
type counted struct {
	counters  *prom.Source
	resumes   bool // it has positions
	published parsers.Counts
}

func (p *pipeline) addSource(name string) *counted {
	s := &counted{counters: p.exporter.Source(name), published: p.parser.Counts(name)}
	p.sources[name] = s
	p.parser.SetSourceMTA(name, p.mta(name))
	return s
}

// mta is the MTA that the configuration states for the file called name.
func (p *pipeline) mta(name string) relaylens.MTA {
	for _, s := range p.configured {
		if matches(s, name) {
			return s.Grammar()
		}
	}
	return relaylens.MTANone
}

// matches reports whether source s gives the lines that are called name.
func matches(s config.Source, name string) bool {
	if s.Name() == name {
		return true
	}
	ok, err := filepath.Match(s.Path, name)
	return ok && err == nil
}

// publish adds what the parser counted since the last time. A count that went
// down, as when a split record turns out to be of interest after all, is made
// up for by the next that go up.
func (p *pipeline) publish(name string, s *counted) {
	counts := p.parser.Counts(name)
	for r, n := range counts {
		if n > s.published[r] {
			s.counters.Add(r, n-s.published[r])
			s.published[r] = n
		}
	}
	s.counters.LastLine(p.parser.LastTime(name))
}

func (p *pipeline) publishAll() {
	for name, s := range p.sources {
		p.publish(name, s)
	}
}

// setSources says which sources are configured. Names that none of them reads
// are forgotten and returned.
func (p *pipeline) setSources(sources []config.Source) (forgotten []string) {
	p.configured = sources
	for name := range p.sources {
		if p.known(name) {
			p.parser.SetSourceMTA(name, p.mta(name))
			continue
		}
		delete(p.sources, name)
		forgotten = append(forgotten, name)
	}
	return forgotten
}

func (p *pipeline) known(name string) bool {
	for _, s := range p.configured {
		if matches(s, name) {
			return true
		}
	}
	return false
}
