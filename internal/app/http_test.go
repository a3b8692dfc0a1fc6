package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/relaylens/relaylens/config"
)

func TestRoutes(t *testing.T) {
	next := testConfig("/mail.log")
	r := started(t, reloadable(&next, nil))
	for request, want := range map[string]int{
		"GET /":                               200,
		"HEAD /":                              200,
		"POST /":                              405,
		"GET /api/v1/summary":                 200,
		"GET /api/v1/nothing":                 404,
		"GET /metrics":                        200,
		"HEAD /metrics":                       200,
		"GET /-/healthy":                      200,
		"GET /-/ready":                        200,
		"POST /-/reload":                      200,
		"GET /-/reload":                       405,
		"POST /metrics":                       405,
		"GET /nowhere":                        404,
		"GET /-/../etc/shell":                 404,
		"GET /debug/pprof/":                   404,
		"GET /debug/vars":                     404,
		"GET /api/v1/..%2f..%2fetc%2fpasswd":  404,
		"GET /%2e%2e/%2e%2e/etc/passwd":       404,
		"GET //etc/passwd":                    404,
		"GET /api/v1/events/../../etc/passwd": 404,
	} {
		t.Run(request, func(t *testing.T) {
			method, path, _ := strings.Cut(request, " ")
			code, body, header := r.request(method, path)
			if code != want {
				t.Errorf("%d %s, want %d", code, body, want)
			}
			for name, value := range map[string]string{
				"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cache-Control": "no-store"} {
				if got := header.Get(name); got != value {
					t.Errorf("%s: %q, want %q", name, got, value)
				}
			}
			if got := header.Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'") {
				t.Errorf("Content-Security-Policy: %q", got)
			}
		})
	}
}

// A page of another site can make a browser send the request; it must have no effect.
func TestReloadFromOtherSiteIsRefused(t *testing.T) {
	loads := 0
	r := started(t, func(o *Options) {
		o.Load = func() (*config.Config, error) { loads++; return testConfig("/mail.log"), nil }
	})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.Addr().String()+"/-/reload", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	res, err := r.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusForbidden || loads != 0 {
		t.Errorf("status %d, loaded %d times", res.StatusCode, loads)
	}
}

func TestReloadByHTTPTellsTheMistake(t *testing.T) {
	next := testConfig("/mail.log")
	next.Timezone = "Nowhere/Land"
	r := started(t, reloadable(&next, nil))
	if code, body, _ := r.request("POST", "/-/reload"); code != 500 || !strings.Contains(body, "Nowhere/Land") {
		t.Errorf("%d %q", code, body)
	}
	r.options.Load = nil
	if code, body, _ := r.request("POST", "/-/reload"); code != 501 {
		t.Errorf("without a configuration to load: %d %q", code, body)
	}
}

func TestStatusPage(t *testing.T) {
	r := started(t, func(o *Options) { o.Version = `1.0<script>alert("x")</script>` })
	r.send("/mail.log", refusalLine)
	r.settle()
	_, body, header := r.request("GET", "/?live=off")
	if strings.Contains(body, "<script>") || !strings.Contains(body, "1.0&lt;script&gt;") {
		t.Errorf("the page shows its text unescaped, or not:\n%s", body)
	}
	if !strings.Contains(body, "/mail.log") {
		t.Error("the page does not tell of the source")
	}
	if got := header.Get("Content-Type"); got != "text/html; charset=utf-8" {
		t.Errorf("Content-Type: %q", got)
	}
}

// A client that follows does not keep the daemon from ending.
func TestStopEndsFollowers(t *testing.T) {
	r := started(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+r.Addr().String()+"/api/v1/events?follow", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := r.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	r.stop() // fails when the server waits for its clients
	if rest, err := io.ReadAll(res.Body); err != nil || len(rest) > 0 {
		t.Errorf("the answer ends with %q, %v", rest, err)
	}
}

// The daemon listens on a loopback address: names that lead there by a trick of
// the DNS are none of its.
func TestHostIsLocal(t *testing.T) {
	r := started(t)
	for host, want := range map[string]int{"localhost": 200, "127.0.0.1:9725": 200, "evil.example:80": 421} {
		for _, path := range []string{"/", "/metrics", "/api/v1/events"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+r.Addr().String()+path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			req.Host = host
			res, err := r.client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != want {
				t.Errorf("%s of %s: %d, want %d", path, host, res.StatusCode, want)
			}
		}
	}
}

func TestHealthNeedsPipeline(t *testing.T) {
	r := started(t)
	release, entered := make(chan struct{}), make(chan struct{})
	go func() {
		_ = r.pipeline.do(t.Context(), func() {
			r.pipeline.beat.Store(-int64(2 * stuck))
			close(entered)
			<-release
		})
	}()
	<-entered
	code, body := r.get("/-/healthy")
	text, ok := strings.CutPrefix(body, "no line was taken for ")
	if silent, err := time.ParseDuration(strings.TrimSpace(text)); code != 503 || !ok || err != nil || silent < 2*stuck {
		t.Errorf("while the pipeline hangs: %d %q", code, body)
	}
	close(release)
	waitFor(t, func() bool { return r.pipeline.silent() < stuck })
	if code, _ := r.get("/-/healthy"); code != 200 {
		t.Errorf("after it went on: %d", code)
	}
}

// certificate writes a key and a certificate for 127.0.0.1 into dir.
func certificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	writeFile(t, filepath.Join(dir, "cert.pem"), string(certPEM))
	writeFile(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})))
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return pool
}

func TestTLSAndBasicAuth(t *testing.T) {
	dir := t.TempDir()
	pool := certificate(t, dir)
	webFile := filepath.Join(dir, "web.yml")
	// The password is "fakepassword".
	writeFile(t, webFile, `tls_server_config: {cert_file: cert.pem, key_file: key.pem}
basic_auth_users:
  scraper: $2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi
`)
	r := started(t, func(o *Options) { o.Config.Web.ConfigFile = webFile })
	r.client.Transport = &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	for password, want := range map[string]int{"": 401, "wrong": 401, "fakepassword": 200} {
		for _, path := range []string{"/metrics", "/", "/api/v1/events", "/-/healthy", "/-/reload"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+r.Addr().String()+path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			if password != "" {
				req.SetBasicAuth("scraper", password)
			}
			res, err := r.client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if path == "/-/reload" && want == 200 {
				want = 405
			}
			if res.StatusCode != want {
				t.Errorf("password %q, %s: %d, want %d", password, path, res.StatusCode, want)
			}
		}
	}
}

// What clients send reaches the log under a constant message, escaped.
func TestWebLog(t *testing.T) {
	r := started(t)
	r.server.ErrorLog.Printf("http: bad \x1b[31m%s\n", "\u202ename")
	entries := r.logs.FilterMessage("web server").All()
	if len(entries) != 1 {
		t.Fatalf("%d entries", len(entries))
	}
	said := entries[0].ContextMap()["said"].(string)
	if strings.ContainsAny(said, "\x1b\u202e\n") || !strings.Contains(said, "bad") {
		t.Errorf("said %q", said)
	}
	for i := range 10 * webLogBurst {
		r.server.ErrorLog.Printf("http: TLS handshake error %d", i)
	}
	if n := r.logs.FilterMessage("web server").Len(); n != webLogBurst {
		t.Errorf("%d entries in a minute, want %d", n, webLogBurst)
	}
}

func TestServerFailureIsReported(t *testing.T) {
	r := newRig(t)
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.listener.Close()
	select {
	case err := <-r.Failed():
		if !strings.HasPrefix(err.Error(), "serve web: ") {
			t.Errorf("error %q", err)
		}
	case <-time.After(patience):
		t.Fatal("nobody was told")
	}
	r.stop()
}

func TestMetricsPassLint(t *testing.T) {
	r := started(t)
	r.send("/mail.log", refusalLine)
	r.settle()
	problems, err := testutil.GatherAndLint(r.exporter.Registry())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("promtool is not installed (Debian package prometheus)")
	}
	_, body := r.get("/metrics")
	cmd := exec.Command(promtool, "check", "metrics")
	cmd.Stdin = strings.NewReader(body)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}
