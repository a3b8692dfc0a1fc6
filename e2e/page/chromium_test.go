//go:build e2e

package page

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/relaylens/relaylens/internal/testutil"
)

// chromium is a browser without a window that is spoken to in the Chrome
// DevTools Protocol, over pipes.
type chromium struct {
	t  *testing.T
	in io.WriteCloser

	mu      sync.Mutex
	next    int
	waiting map[int]chan message
	heard   func(message) // events of the page at hand
}

type message struct {
	ID     int             `json:"id,omitempty"`
	Method string          `json:"method,omitempty"`
	Params json.RawMessage `json:"params,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
	Session string `json:"sessionId,omitempty"`
}

func startChromium(t *testing.T) *chromium {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("chromium is not installed")
	}
	fromUs, in := pipe(t)
	out, toUs := pipe(t)
	home := t.TempDir()
	cmd := exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
		"--disable-background-networking", "--disable-component-update", "--user-data-dir="+home, "--remote-debugging-pipe", "about:blank")
	cmd.ExtraFiles = []*os.File{fromUs, toUs}
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	fromUs.Close()
	toUs.Close()
	c := &chromium{t: t, in: in, waiting: map[int]chan message{}}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.listen(out)
	}()
	t.Cleanup(func() {
		in.Close()
		cmd.Process.Kill()
		cmd.Wait()
		<-ended
		if t.Failed() {
			t.Logf("chromium wrote:\n%s", stderr.Bytes())
		}
	})
	return c
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Close()
		w.Close()
	})
	return r, w
}

// listen hands on what the browser says until it ends.
func (c *chromium) listen(out io.Reader) {
	r := bufio.NewReader(out)
	for {
		text, err := r.ReadBytes(0)
		if err != nil {
			return
		}
		var m message
		if err := json.Unmarshal(text[:len(text)-1], &m); err != nil {
			continue
		}
		c.mu.Lock()
		heard, answer := c.heard, c.waiting[m.ID]
		delete(c.waiting, m.ID)
		c.mu.Unlock()
		switch {
		case m.ID == 0 && heard != nil:
			heard(m)
		case answer != nil:
			answer <- m
		}
	}
}

// call waits for the answer to one command.
func (c *chromium) call(session, method string, params, result any) error {
	args, err := json.Marshal(params)
	if err != nil {
		return err
	}
	answer := make(chan message, 1)
	c.mu.Lock()
	c.next++
	m := message{ID: c.next, Method: method, Params: args, Session: session}
	c.waiting[m.ID] = answer
	c.mu.Unlock()
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if _, err := c.in.Write(append(text, 0)); err != nil {
		return err
	}
	select {
	case m = <-answer:
	case <-time.After(testutil.Patience):
		return errors.New(method + ": no answer")
	}
	switch {
	case m.Error != nil:
		return errors.New(method + ": " + m.Error.Message)
	case result != nil:
		return json.Unmarshal(m.Result, result)
	}
	return nil
}

// tab is one page in the browser.
type tab struct {
	*chromium
	session string
	width   int
	loaded  chan struct{}

	mu     sync.Mutex
	noises []string // what a quiet page never says
}

// none are parameters that there are none of.
var none = struct{}{}

func (c *chromium) open(width, height int, scheme string) *tab {
	c.t.Helper()
	p := &tab{chromium: c, width: width, loaded: make(chan struct{}, 1)}
	var target struct{ TargetID string }
	p.must(c.call("", "Target.createTarget", map[string]any{"url": "about:blank"}, &target))
	var attached struct{ SessionID string }
	p.must(c.call("", "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached))
	p.session = attached.SessionID
	c.mu.Lock()
	c.heard = p.hear
	c.mu.Unlock()
	for _, domain := range []string{"Page", "Runtime", "Log", "Network", "DOM"} {
		p.do(domain+".enable", none, nil)
	}
	p.do("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}, nil)
	p.do("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
	return p
}

func (p *tab) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *tab) do(method string, params, result any) {
	p.t.Helper()
	p.must(p.call(p.session, method, params, result))
}

// hear notes what only a page does that runs, loads or breaks something.
func (p *tab) hear(m message) {
	switch m.Method {
	case "Page.loadEventFired":
		select {
		case p.loaded <- struct{}{}:
		default:
		}
		return
	case "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening", "Page.windowOpen", "Page.downloadWillBegin":
		if bytes.Contains(m.Params, []byte("favicon.ico")) {
			return // the browser's own idea
		}
	case "Network.requestWillBeSent":
		var sent struct {
			Type string
		}
		if json.Unmarshal(m.Params, &sent) == nil && sent.Type == "Document" {
			return
		}
		if bytes.Contains(m.Params, []byte("favicon.ico")) {
			return
		}
	default:
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.noises = append(p.noises, m.Method+" "+string(m.Params[:min(len(m.Params), 600)]))
}

// visit loads a URL and waits for it.
func (p *tab) visit(url string) {
	p.t.Helper()
	var answer struct{ ErrorText string }
	p.do("Page.navigate", map[string]any{"url": url}, &answer)
	if answer.ErrorText != "" {
		p.t.Fatalf("%s: %s", url, answer.ErrorText)
	}
	select {
	case <-p.loaded:
	case <-time.After(testutil.Patience):
		p.t.Fatalf("%s does not load", url)
	}
}

// eval runs JavaScript in the page and reads what it gives.
func (p *tab) eval(script string, value any) {
	p.t.Helper()
	var answer struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *json.RawMessage
	}
	p.do("Runtime.evaluate", map[string]any{"expression": script, "returnByValue": true}, &answer)
	if answer.ExceptionDetails != nil {
		p.t.Fatalf("%s: %s", script, *answer.ExceptionDetails)
	}
	p.must(json.Unmarshal(answer.Result.Value, value))
}

// press presses a key and lets it go.
func (p *tab) press(key string, code int, text string) {
	p.t.Helper()
	for _, kind := range []string{"keyDown", "keyUp"} {
		event := map[string]any{"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code}
		if kind == "keyDown" && text != "" {
			event["text"] = text
		}
		p.do("Input.dispatchKeyEvent", event, nil)
	}
}

// quiet fails when the page did anything.
func (p *tab) quiet() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range p.noises {
		p.t.Errorf("the page is not quiet: %s", n)
	}
}

// picture keeps what the page looks like below the directory SCREENSHOTS, if
// that is set.
func (p *tab) picture(name string) {
	p.t.Helper()
	var shot struct{ Data string }
	p.do("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true,
		"clip": map[string]int{"x": 0, "y": 0, "width": p.width, "height": 2400, "scale": 1}}, &shot)
	data, err := base64.StdEncoding.DecodeString(shot.Data)
	p.must(err)
	if len(data) < 5000 {
		p.t.Errorf("the picture of %s has %d bytes: it is empty", name, len(data))
	}
	if dir := os.Getenv("SCREENSHOTS"); dir != "" {
		p.must(os.MkdirAll(dir, 0o750))
		p.must(os.WriteFile(filepath.Join(dir, strings.ReplaceAll(name, "/", "-")+".png"), data, 0o600))
	}
}

func (p *tab) close() {
	p.t.Helper()
	p.do("Page.close", none, nil)
}
