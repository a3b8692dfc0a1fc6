package api

import (
	"context"
	_ "embed" // for the description
	"net/http"
	"strings"
	"time"

	"github.com/relaylens/relaylens/store"
)

const (
	// maxQuestions are answered at a time. Each may use a processor and a
	// connection of the database.
	maxQuestions = 4
	// maxFollowers may wait for new events at a time.
	maxFollowers = 16
	// patience is how long a question waits for its turn.
	patience = 2 * time.Second
	// maxQuery is the longest text of parameters that is read.
	maxQuery = 8 << 10
)

// Limits bound what one question may cost.
type Limits struct {
	Span   time.Duration // of a summary and of findings
	Events int           // of a list and for findings
}

// Source is how one source of lines is doing.
type Source struct {
	Name string
	Up   bool
	Last time.Time // what its last line bears; zero when there was none
	Lag  float64   // bytes that are not read yet; negative when it is not known
}

// Options are what an [API] is made of.
type Options struct {
	Store   *store.Store
	Limits  func() Limits // asked for each question, as a reload may change them
	Version string
	// Sources, when it is set, tells how the sources are doing.
	Sources func() []Source
	// Failed, when it is set, is told why a question could not be answered.
	Failed func(error)
	// Location is the zone of times without one.
	Location *time.Location
	// Timeout is what one question may take.
	Timeout time.Duration
}

// API answers requests for the paths below /api/ and for /.
type API struct {
	o         Options
	questions chan struct{}
	followers chan struct{}
	closed    context.Context // ended by Close
	close     context.CancelFunc
	page      pageCache
}

// New makes an API over an open store, which the caller closes after it.
func New(o Options) *API {
	a := &API{o: o, questions: make(chan struct{}, maxQuestions), followers: make(chan struct{}, maxFollowers)}
	a.closed, a.close = context.WithCancel(context.Background())
	return a
}

// Close ends the requests that follow the store, which would go on for ever.
func (a *API) Close() { a.close() }

// endpoint is one path of the interface. Its description is in openapi.yaml.
type endpoint struct {
	path   string
	params []string
	many   []string // of params, those that may be given several times
	serve  func(*API, *call)
}

var endpoints = []endpoint{
	{path: "/api/v1/summary", params: []string{"since", "until", "match", "by", "top", "sketches"}, many: []string{"match", "by"}, serve: (*API).summary},
	{path: "/api/v1/events", params: []string{"since", "until", "match", "grep", "n", "reverse", "after_cursor", "follow"}, many: []string{"match"}, serve: (*API).events},
	{path: "/api/v1/findings", params: []string{"since", "until", "match"}, many: []string{"match"}, serve: (*API).findings},
	{path: "/api/v1/hosts", params: []string{"since", "until", "match"}, many: []string{"match"}, serve: (*API).hosts},
	{path: "/api/v1/openapi.yaml", serve: (*API).description},
	{path: "/", params: []string{"span", "match", "live"}, many: []string{"match"}, serve: (*API).statusPage},
}

// ServeHTTP implements [http.Handler].
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{w: w, r: r}
	for i := range endpoints {
		if endpoints[i].path == r.URL.Path {
			a.ask(c, &endpoints[i])
			return
		}
	}
	var paths []string
	for _, e := range endpoints {
		paths = append(paths, e.path)
	}
	c.refuse(problem{Status: http.StatusNotFound, Detail: "there is nothing at this path", Remedy: "ask one of " + strings.Join(paths, ", ")})
}

// ask checks what all questions have in common.
func (a *API) ask(c *call, e *endpoint) {
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodHead {
		c.w.Header().Set("Allow", "GET, HEAD")
		c.refuse(problem{Status: http.StatusMethodNotAllowed, Detail: "nothing can be changed here", Remedy: "use GET or HEAD"})
		return
	}
	if p := c.readQuery(e); p != nil {
		c.refuse(*p)
		return
	}
	// The server's time to read a request is over soon, and an answer may take
	// longer; a client that goes away is noticed all the same.
	_ = http.NewResponseController(c.w).SetReadDeadline(time.Time{})
	e.serve(a, c)
}

//go:embed openapi.yaml
var description []byte

func (a *API) description(c *call) {
	c.w.Header().Set("Content-Type", "application/yaml")
	c.write(description)
}

// begin waits for a turn and gives the time that the question may take; without
// one it has answered the request.
func (a *API) begin(c *call) (ctx context.Context, end func(), ok bool) {
	wait := time.NewTimer(patience)
	defer wait.Stop()
	select {
	case a.questions <- struct{}{}:
	case <-c.r.Context().Done():
		return nil, nil, false
	case <-wait.C:
		c.busy("%d questions are being answered", maxQuestions)
		return nil, nil, false
	}
	ctx, cancel := context.WithTimeout(c.r.Context(), a.o.Timeout)
	return ctx, func() {
		cancel()
		<-a.questions
	}, true
}

// fail answers a question that the store could not.
func (a *API) fail(ctx context.Context, c *call, err error) {
	if c.r.Context().Err() != nil {
		return // nobody waits for the answer
	}
	if ctx.Err() != nil {
		c.refuse(problem{Status: http.StatusServiceUnavailable, Detail: "the answer takes longer than " + a.o.Timeout.String(),
			Remedy: "ask about a shorter time, or fewer events with match"})
		return
	}
	if a.o.Failed != nil {
		a.o.Failed(err)
	}
	c.refuse(problem{Status: http.StatusInternalServerError, Detail: err.Error(), Remedy: store.FailureOf(err).Remedy()})
}
