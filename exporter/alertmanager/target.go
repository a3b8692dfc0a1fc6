package alertmanager

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/api/v2/models"
	promconfig "github.com/prometheus/common/config"
	"go.uber.org/zap"

	"github.com/relaylens/relaylens"
)

// Target is one Alertmanager.
type Target struct {
	// URL of it, to which /api/v2/alerts is added.
	URL string
	// Username and PasswordFile, or CredentialsFile with a bearer token. Files are
	// read for every request.
	Username, PasswordFile, CredentialsFile string
	// CAFile, CertFile, KeyFile and ServerName are for TLS.
	CAFile, CertFile, KeyFile, ServerName string
}

const (
	// sendTimeout bounds one request.
	sendTimeout = 10 * time.Second
	// lastTimeout bounds what is sent at the end.
	lastTimeout = 3 * time.Second
	// maxBatch is how many alerts are in one request.
	maxBatch = 64
	minRetry = time.Second
	maxRetry = 30 * time.Second
	// sayAgain is how often a target that fails is spoken of.
	sayAgain = time.Minute
	// maxReply is how much of an answer is read.
	maxReply = 512
)

// target sends to one Alertmanager.
type target struct {
	sender *Sender
	name   string
	url    string
	client *http.Client
	woken  chan struct{} // holds at most one

	mu       sync.Mutex
	accepted map[string]uint64 // versions
	said     time.Time         // when its failure was last logged
}

func newTarget(t Target, s *Sender) (*target, error) {
	config := promconfig.DefaultHTTPClientConfig
	config.TLSConfig = promconfig.TLSConfig{CAFile: t.CAFile, CertFile: t.CertFile, KeyFile: t.KeyFile, ServerName: t.ServerName}
	config.ProxyFromEnvironment = true
	switch {
	case t.Username != "":
		config.BasicAuth = &promconfig.BasicAuth{Username: t.Username, PasswordFile: t.PasswordFile}
	case t.CredentialsFile != "":
		config.Authorization = &promconfig.Authorization{Type: "Bearer", CredentialsFile: t.CredentialsFile}
	}
	if err := config.Validate(); err != nil {
		return nil, err
	}
	client, err := promconfig.NewClientFromConfig(config, "alertmanager", promconfig.WithUserAgent("relaylens"))
	if err != nil {
		return nil, err
	}
	return &target{sender: s, name: t.URL, url: strings.TrimSuffix(t.URL, "/") + "/api/v2/alerts", client: client,
		woken: make(chan struct{}, 1), accepted: map[string]uint64{}}, nil
}

func (t *target) wake() {
	select {
	case t.woken <- struct{}{}:
	default:
	}
}

// run sends what is new at once, and everything again at its time. It begins with
// a question, as the first page is too late to find that none arrives.
func (t *target) run(ctx context.Context) {
	defer t.client.CloseIdleConnections()
	timer := time.NewTimer(t.sender.options.resend)
	defer timer.Stop()
	retry := minRetry
	failed := false
	if err := t.probe(ctx); err != nil && ctx.Err() == nil {
		t.failed(err)
		failed = true
		timer.Reset(retry)
	}
	for {
		all := false
		woken := t.woken
		if failed { // it has its time to recover, whatever happens meanwhile
			woken = nil
		}
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastTimeout)
			_ = t.send(last, false) // there is nobody left to try again
			cancel()
			return
		case <-woken:
		case <-timer.C:
			all = true
		}
		if err := t.send(ctx, all); err != nil && ctx.Err() == nil {
			t.failed(err)
			failed = true
			timer.Reset(retry)
			retry = min(2*retry, maxRetry)
			continue
		}
		failed, retry = false, minRetry
		if all {
			timer.Reset(t.sender.options.resend)
		}
	}
}

// probe asks, with no alerts, whether the target would take some.
func (t *target) probe(ctx context.Context) error { return t.post(ctx, nil, nil, nil) }

// send posts what the target does not know yet, or everything, and no alerts where
// there are none.
func (t *target) send(ctx context.Context, all bool) error {
	if t.sender.standsBy() {
		t.sender.options.Metrics.queueLength.WithLabelValues(t.name).Set(0)
		if !all {
			return nil
		}
		return t.probe(ctx)
	}
	keys, entries := t.sender.state(t.sender.options.now())
	var some []int
	for i, key := range keys {
		known, ok := t.version(key)
		fresh := known != entries[i].version
		if !ok && !entries[i].active {
			continue // it never began there
		}
		if all || fresh {
			some = append(some, i)
		}
	}
	var err error
	if all && len(some) == 0 {
		err = t.probe(ctx)
	}
	for len(some) > 0 && err == nil {
		n := min(maxBatch, len(some))
		err = t.post(ctx, keys, entries, some[:n])
		some = some[n:]
	}
	t.measure(keys, entries)
	return err
}

func (t *target) post(ctx context.Context, keys []string, entries []*entry, some []int) error {
	batch := make([]*models.PostableAlert, len(some))
	for i, n := range some {
		batch[i] = &entries[n].alert
	}
	body, err := json.Marshal(batch)
	if err != nil {
		return fmt.Errorf("write alerts: %w", err)
	}
	began := time.Now()
	refused, err := t.request(ctx, body)
	m := t.sender.options.Metrics
	m.duration.WithLabelValues(t.name).Observe(time.Since(began).Seconds())
	switch {
	case err == nil:
		m.up.WithLabelValues(t.name).Set(1)
		m.sent.WithLabelValues(t.name).Add(float64(len(some)))
		t.recovered()
	case refused: // sending the same again would be refused again
		m.up.WithLabelValues(t.name).Set(0)
		m.errors.WithLabelValues(t.name).Inc()
		m.dropped.WithLabelValues(t.name).Add(float64(len(some)))
		t.failed(err)
	default:
		m.up.WithLabelValues(t.name).Set(0)
		m.errors.WithLabelValues(t.name).Inc()
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, n := range some {
		t.accepted[keys[n]] = entries[n].version
	}
	return nil
}

// request posts the body. refused says that it was read and is wrong.
func (t *target) request(ctx context.Context, body []byte) (refused bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := t.client.Do(request)
	if err != nil {
		return false, err
	}
	defer response.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(response.Body, maxReply))
	switch {
	case response.StatusCode/100 == 2:
		return false, nil
	case err != nil:
		return false, fmt.Errorf("post alerts: %s: %w", response.Status, err)
	}
	err = fmt.Errorf("post alerts: %s: %s", response.Status, relaylens.Escaped(string(bytes.TrimSpace(reply)), maxReply))
	return response.StatusCode == http.StatusBadRequest || response.StatusCode == http.StatusRequestEntityTooLarge ||
		response.StatusCode == http.StatusUnprocessableEntity, err
}

// version is the one of an alert that was accepted.
func (t *target) version(key string) (uint64, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v, ok := t.accepted[key]
	return v, ok
}

// forget takes it that the target may know of alerts, in whatever state.
func (t *target) forget(keys []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, key := range keys {
		t.accepted[key] = 0
	}
}

// lost settles the accounts of alerts that are gone: one whose last state was
// never accepted is lost, unless it was another's to tell.
func (t *target) lost(before, after map[string]*entry, silent bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, e := range before {
		if after[key] != nil {
			continue
		}
		if !silent && t.accepted[key] != e.version {
			t.sender.options.Metrics.dropped.WithLabelValues(t.name).Inc()
		}
		delete(t.accepted, key)
	}
}

// measure exports how many alerts wait.
func (t *target) measure(keys []string, entries []*entry) {
	waiting := 0
	for i, key := range keys {
		if known, ok := t.version(key); known != entries[i].version && (ok || entries[i].active) {
			waiting++
		}
	}
	t.sender.options.Metrics.queueLength.WithLabelValues(t.name).Set(float64(waiting))
}

func (t *target) failed(err error) {
	if time.Since(t.said) < sayAgain {
		return
	}
	t.said = time.Now()
	t.sender.options.Logger.Error("Alertmanager does not take alerts", zap.String("alertmanager", t.name), zap.Error(err),
		zap.String("remedy", "see that it runs, and alerting.alertmanagers: relaylens check-config"))
}

func (t *target) recovered() {
	if t.said.IsZero() {
		return
	}
	t.said = time.Time{}
	t.sender.options.Logger.Info("Alertmanager takes alerts again", zap.String("alertmanager", t.name))
}
