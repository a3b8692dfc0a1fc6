package stack

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Pager is a webhook of Alertmanager's.
type Pager struct {
	URL    string
	Pages  chan Page
	server *http.Server
}

// Page is what Alertmanager sends to a webhook.
type Page struct {
	Status string  `json:"status"` // of all alerts together: firing or resolved
	Alerts []Alert `json:"alerts"`
}

// Alert is one alert of a page.
type Alert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
}

func newPager() (*Pager, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start pager: %w", err)
	}
	p := &Pager{URL: "http://" + l.Addr().String() + "/", Pages: make(chan Page, 1000)}
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = p.server.Serve(l) }() // ends with close
	return p, nil
}

// ServeHTTP takes one page.
func (p *Pager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var page Page
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&page); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.Pages <- page
}

func (p *Pager) close() error { return p.server.Close() }
