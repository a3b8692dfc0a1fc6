package nats

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/relaylens/relaylens"
)

func write(t *testing.T, name string, text []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func documented(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/fleet/users.conf")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// withUsers runs a server with the users of the documentation, changed.
func withUsers(t *testing.T, users string) *server.Server {
	t.Helper()
	return startServer(t, configured(t, "jetstream: {max_file_store: 1GB}\naccounts { MAIL { jetstream: enabled\n"+users+"\n} }\n"))
}

func login(t *testing.T, o Options, user string) Options {
	t.Helper()
	o.Host, o.User, o.PasswordFile = user, user, write(t, "password", []byte("of-"+user+"-change-it\n"))
	return o
}

// roundTrip ships a few events as mx1 and reads them as reader1; the admin makes
// the stream. For another host mx1 may not speak.
func roundTrip(t *testing.T, admin, mx1, reader1 Options) {
	t.Helper()
	round(t, newTestShipper(t, admin, &memoryOutbox{}))
	outbox := outboxOf(refusals("mx1", 0, 20)...)
	round(t, newTestShipper(t, mx1, outbox))
	if outbox.delivered() != 1 {
		t.Fatal("nothing was delivered")
	}
	r := read(t, SourceOptions{Options: reader1, Consumer: "reader1"})
	r.want(t, 20)
	_, err := newTestShipper(t, mx1, outboxOf(refusals("mx2", 0, 1)...)).round(t.Context())
	failed(t, err, failPublish, "relaylens.main.mx2.", "permissions violation")
}

func TestPasswords(t *testing.T) {
	ns := withUsers(t, documented(t))
	o := options(ns, "")
	roundTrip(t, login(t, o, "admin"), login(t, o, "mx1"), login(t, o, "reader1"))
	wrong := login(t, o, "mx1")
	wrong.PasswordFile = write(t, "password", []byte("guess"))
	_, err := newTestShipper(t, wrong, &memoryOutbox{}).round(t.Context())
	failed(t, err, failConnect, "Authorization Violation", "nats.nkey_file")
}

// An nkey takes the place of a user and a password, with the same permissions.
func TestNKeys(t *testing.T) {
	users, files := documented(t), map[string]string{}
	for _, name := range []string{"mx1", "reader1", "admin"} {
		key, err := nkeys.CreateUser()
		if err != nil {
			t.Fatal(err)
		}
		seed, public := fromKey(t, key)
		files[name] = write(t, name+".nk", seed)
		was := regexp.MustCompile(`user: ` + name + `, password: "[^"]*"`)
		if len(was.FindAllString(users, -1)) != 1 {
			t.Fatalf("docs/fleet/users.conf has no user %s", name)
		}
		users = was.ReplaceAllString(users, "nkey: "+public)
	}
	ns := withUsers(t, users)
	as := func(name string) Options {
		o := options(ns, name)
		o.NKeyFile = files[name]
		return o
	}
	roundTrip(t, as("admin"), as("mx1"), as("reader1"))
	missing := as("mx1")
	missing.NKeyFile = "/nowhere/seed"
	_, err := newTestShipper(t, missing, &memoryOutbox{}).round(t.Context())
	failed(t, err, failConnect, "nats.nkey_file", "/nowhere/seed")
}

func fromKey(t *testing.T, key nkeys.KeyPair) (seed []byte, public string) {
	t.Helper()
	seed, err := key.Seed()
	if err != nil {
		t.Fatal(err)
	}
	if public, err = key.PublicKey(); err != nil {
		t.Fatal(err)
	}
	return seed, public
}

// operator is the root of trust of servers that know no users, only who may
// sign for them.
type operator struct {
	t       *testing.T
	account nkeys.KeyPair
	config  string
}

func newOperator(t *testing.T) *operator {
	t.Helper()
	key := func(create func() (nkeys.KeyPair, error)) nkeys.KeyPair {
		k, err := create()
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	root, system, account := key(nkeys.CreateOperator), key(nkeys.CreateAccount), key(nkeys.CreateAccount)
	_, rootID := fromKey(t, root)
	_, systemID := fromKey(t, system)
	_, accountID := fromKey(t, account)
	encode := func(c jwt.Claims) string {
		text, err := c.Encode(root)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	operatorClaims := jwt.NewOperatorClaims(rootID)
	operatorClaims.SystemAccount = systemID
	mail := jwt.NewAccountClaims(accountID)
	mail.Limits.JetStreamLimits = jwt.JetStreamLimits{DiskStorage: 1 << 30, Streams: -1, Consumer: -1}
	return &operator{t, account, fmt.Sprintf("jetstream: {max_file_store: 1GB}\noperator: %s\nsystem_account: %s\nresolver: MEMORY\nresolver_preload: {\n%s: %s\n%s: %s\n}\n",
		encode(operatorClaims), systemID, systemID, encode(jwt.NewAccountClaims(systemID)), accountID, encode(mail))}
}

// credentials are a file as nsc makes them, with the permissions that a user of
// the documentation has.
func (o *operator) credentials(name string, expires time.Time) (path string) {
	o.t.Helper()
	user, err := nkeys.CreateUser()
	if err != nil {
		o.t.Fatal(err)
	}
	seed, public := fromKey(o.t, user)
	c := jwt.NewUserClaims(public)
	c.Name = name
	if !expires.IsZero() {
		c.Expires = expires.Unix()
	}
	publish, subscribe := documentedRights(o.t, name)
	c.Pub.Allow.Add(publish...)
	c.Sub.Allow.Add(subscribe...)
	token, err := c.Encode(o.account)
	if err != nil {
		o.t.Fatal(err)
	}
	text, err := jwt.FormatUserConfig(token, seed)
	if err != nil {
		o.t.Fatal(err)
	}
	return write(o.t, name+".creds", text)
}

// documentedRights are what docs/fleet/users.conf lets a user do; nothing means
// everything.
func documentedRights(t *testing.T, name string) (publish, subscribe []string) {
	t.Helper()
	for line := range strings.Lines(documented(t)) {
		if !strings.Contains(line, "user: "+name+",") {
			continue
		}
		before, after, ok := strings.Cut(line, "subscribe:")
		if !ok {
			return nil, nil
		}
		_, before, _ = strings.Cut(before, "publish:")
		quoted := regexp.MustCompile(`"([^"]+)"`)
		for _, m := range quoted.FindAllStringSubmatch(before, -1) {
			publish = append(publish, m[1])
		}
		for _, m := range quoted.FindAllStringSubmatch(after, -1) {
			subscribe = append(subscribe, m[1])
		}
		return publish, subscribe
	}
	t.Fatalf("docs/fleet/users.conf has no user %s", name)
	return nil, nil
}

// JWT in credentials files, as nsc makes them.
func TestCredentials(t *testing.T) {
	op := newOperator(t)
	ns := startServer(t, configured(t, op.config))
	as := func(name string) Options {
		o := options(ns, name)
		o.CredentialsFile = op.credentials(name, time.Time{})
		return o
	}
	roundTrip(t, as("admin"), as("mx1"), as("reader1"))
	late := as("mx1")
	late.CredentialsFile = op.credentials("mx1", time.Now().Add(-time.Hour))
	_, err := newTestShipper(t, late, &memoryOutbox{}).round(t.Context())
	failed(t, err, failConnect, "nats.credentials_file")
	stranger := as("mx1")
	stranger.CredentialsFile = newOperator(t).credentials("mx1", time.Time{})
	_, err = newTestShipper(t, stranger, &memoryOutbox{}).round(t.Context())
	failed(t, err, failConnect, "Authorization Violation")
}

// without takes permissions from a user of the documentation.
func without(t *testing.T, user, permission string) string {
	t.Helper()
	var lines []string
	found := false
	for line := range strings.Lines(documented(t)) {
		if strings.Contains(line, "user: "+user+",") && strings.Contains(line, `"`+permission+`"`) {
			line, found = strings.Replace(line, `"`+permission+`"`, `"nothing"`, 1), true
		}
		lines = append(lines, line)
	}
	if !found {
		t.Fatalf("%s has no permission %s", user, permission)
	}
	return strings.Join(lines, "")
}

// What is missing is named, with what to do.
func TestMissingPermissions(t *testing.T) {
	t.Run("to publish", func(t *testing.T) {
		ns := withUsers(t, without(t, "mx1", "relaylens.main.mx1.>"))
		round(t, newTestShipper(t, login(t, options(ns, ""), "admin"), &memoryOutbox{}))
		outbox := outboxOf(refusals("mx1", 0, 1)...)
		core, logs := observer.New(zap.ErrorLevel)
		o := login(t, options(ns, ""), "mx1")
		o.Logger = zap.New(core)
		s := newTestShipper(t, o, outbox)
		_, err := s.round(t.Context())
		failed(t, err, failPublish, `"relaylens.main.mx1.postfix.rejected"`, "docs/fleet.md")
		if n := logs.FilterMessage("NATS refuses").Len(); n != 1 {
			t.Errorf("%d refusals are logged", n)
		}
	})
	t.Run("to look at the stream", func(t *testing.T) {
		ns := withUsers(t, without(t, "mx1", "$JS.API.STREAM.INFO.relaylens_main"))
		round(t, newTestShipper(t, login(t, options(ns, ""), "admin"), &memoryOutbox{}))
		outbox := outboxOf(refusals("mx1", 0, 1)...)
		core, logs := observer.New(zap.WarnLevel)
		o := login(t, options(ns, ""), "mx1")
		o.Logger = zap.New(core)
		round(t, newTestShipper(t, o, outbox)) // it can do without
		if logs.FilterMessageSnippet("the stream is not checked").Len() != 1 || outbox.delivered() != 1 {
			t.Errorf("%d delivered, logged %v", outbox.delivered(), logs.All())
		}
	})
	t.Run("to make the stream", func(t *testing.T) {
		ns := withUsers(t, documented(t))
		outbox := outboxOf(refusals("mx1", 0, 1)...)
		_, err := newTestShipper(t, login(t, options(ns, ""), "mx1"), outbox).round(t.Context())
		failed(t, err, failStream, "create stream relaylens_main", "$JS.API.STREAM.CREATE", "beforehand")
	})
	t.Run("to make a consumer", func(t *testing.T) {
		ns := withUsers(t, without(t, "reader1", "$JS.API.CONSUMER.CREATE.relaylens_main.>"))
		round(t, newTestShipper(t, login(t, options(ns, ""), "admin"), &memoryOutbox{}))
		s := NewSource(SourceOptions{Options: login(t, options(ns, ""), "reader1"), Consumer: "reader1", Metrics: NewMetrics(prometheus.NewRegistry()), Late: func(bool) {}})
		err := s.Run(t.Context(), make(chan relaylens.Batch))
		if err == nil || !strings.Contains(err.Error(), "create consumer reader1") || !strings.Contains(err.Error(), "$JS.API.CONSUMER.CREATE") {
			t.Errorf("error %v", err)
		}
	})
}

// What a machine that was taken over sends in the name of another, or as
// nonsense, is refused and counted, and the reader goes on.
func TestReaderRefuses(t *testing.T) {
	ns := startServer(t)
	o := options(ns, "reader1")
	round(t, newTestShipper(t, o, &memoryOutbox{}))
	conn, err := nats.Connect(ns.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	e, _ := newCodec(t)
	outbox := outboxOf(refusals("mx1", 0, 1)...)
	honest := e.messages(outbox.parcels[0])[0]
	for subject, data := range map[string][]byte{
		"relaylens.main.mx2.postfix.rejected":     honest.data,
		"relaylens.main.mx1.postfix.relay_denied": honest.data,
		"relaylens.main.mx1.postfix.auth_failed":  []byte("\x01nonsense"),
		"relaylens.main.mx1.exim.auth_failed":     []byte("\x02later"),
		"relaylens.main.mx1":                      []byte("\x01"),
	} {
		if _, err := conn.Request(subject, data, patience); err != nil {
			t.Fatal(err)
		}
	}
	round(t, newTestShipper(t, options(ns, "mx1"), outbox))
	r := read(t, SourceOptions{Options: o, Consumer: "reader1"})
	r.want(t, 1)
	m := r.source.metrics
	eventually(t, "all are counted", func() bool {
		return testutil.ToFloat64(m.received[messageSpoofed]) == 2 && testutil.ToFloat64(m.received[messageMalformed]) == 2 && testutil.ToFloat64(m.received[messageVersion]) == 1
	})
	kept := stream(t, ns.ClientURL())
	eventually(t, "none is asked for again", func() bool {
		c, err := kept.Consumer(t.Context(), "reader1")
		if err != nil {
			t.Fatal(err)
		}
		return c.CachedInfo().NumAckPending == 0
	})
}
