package nats

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// Options say how to reach the servers of a fleet, and as whom.
type Options struct {
	URLs  []string
	Fleet string // a token of subjects
	// Host is the name of this machine in the fleet: that of events whose log does
	// not tell, and the last part of the prefix that answers come under.
	Host string

	// Files are read at every connection, so that what is in them may change. At
	// most one of CredentialsFile, NKeyFile and User is set.
	CredentialsFile    string // JWT and seed, as nsc makes them
	NKeyFile           string // seed
	User, PasswordFile string
	CAFile             string
	CertFile, KeyFile  string

	Stream StreamOptions
	Logger *zap.Logger
}

const (
	dialTimeout   = 5 * time.Second
	reconnectWait = 500 * time.Millisecond
	// pingEvery is how often a server has to answer; after pingsLost pings without
	// an answer another one is tried.
	pingEvery = 3 * time.Second
	pingsLost = 2
)

// InboxPrefix is under what a machine gets its answers. It is its own, so that
// its permissions need not let it listen to those of others.
func InboxPrefix(host string) string { return "_INBOX_relaylens." + Token(host) }

// connect tries each server once. A connection that is lost later comes back by
// itself; what is published meanwhile fails at once rather than wait in memory.
// What the servers refuse later is logged, and handed to refused.
func connect(o *Options, role string, refused func(error)) (*nats.Conn, error) {
	options := []nats.Option{
		nats.Name("relaylens " + role + " " + o.Host), nats.CustomInboxPrefix(InboxPrefix(o.Host)), nats.Timeout(dialTimeout),
		nats.MaxReconnects(-1), nats.ReconnectWait(reconnectWait), nats.ReconnectJitter(reconnectWait, reconnectWait), nats.ReconnectBufSize(-1),
		nats.PingInterval(pingEvery), nats.MaxPingsOutstanding(pingsLost),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				o.Logger.Warn("connection to NATS lost", zap.Error(err))
			}
		}),
		nats.ReconnectHandler(func(c *nats.Conn) {
			o.Logger.Info("connected to NATS again", zap.String("server", c.ConnectedUrlRedacted()))
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			o.Logger.Error("NATS refuses", zap.Error(err), zap.String("remedy", remedy(err)))
			refused(err)
		}),
	}
	identity, err := o.identity()
	if err != nil {
		return nil, err
	}
	c, err := nats.Connect(strings.Join(o.URLs, ","), append(options, identity...)...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS: %w%s", err, hint(err))
	}
	return c, nil
}

func (o *Options) identity() ([]nats.Option, error) {
	var options []nats.Option
	switch {
	case o.CredentialsFile != "":
		options = append(options, nats.UserCredentials(o.CredentialsFile))
	case o.NKeyFile != "":
		option, err := nats.NkeyOptionFromSeed(o.NKeyFile)
		if err != nil {
			return nil, fmt.Errorf("read nats.nkey_file %s: %w", o.NKeyFile, err)
		}
		options = append(options, option)
	case o.User != "":
		password, err := os.ReadFile(o.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("read nats.password_file: %w", err)
		}
		options = append(options, nats.UserInfoHandler(func() (string, string) {
			if again, err := os.ReadFile(o.PasswordFile); err == nil {
				password = again
			}
			return o.User, string(bytes.TrimSpace(password))
		}))
	}
	if o.CAFile != "" {
		options = append(options, nats.RootCAs(o.CAFile))
	}
	if o.CertFile != "" {
		options = append(options, nats.ClientCert(o.CertFile, o.KeyFile))
	}
	return options, nil
}

// remedy is what to do about an answer of the servers.
func remedy(err error) string {
	switch {
	case errors.Is(err, nats.ErrPermissionViolation):
		return "let this user publish or subscribe to the subject that the error names; docs/fleet.md has examples"
	case errors.Is(err, nats.ErrAuthorization):
		return "give nats.user, nats.nkey_file or nats.credentials_file what the servers expect of this machine"
	case errors.Is(err, jetstream.ErrNoStreamResponse):
		return "no stream takes it: make it beforehand (docs/fleet.md), or let this user do so"
	case errors.Is(err, nats.ErrMaxPayload):
		return "set max_payload to 1MB in the configuration of the servers"
	case errors.Is(err, nats.ErrTLS), isTLS(err):
		return "check nats.ca_file, and that nats.cert_file is of an authority that the servers trust"
	case errors.Is(err, nats.ErrNoServers):
		return "check nats.urls, and that a server listens there"
	}
	return ""
}

// isTLS reports that one of the two does not like the other's certificate.
func isTLS(err error) bool {
	var said *net.OpError
	var found *tls.CertificateVerificationError
	return errors.As(err, &found) || errors.As(err, &said) && said.Op == "remote error"
}

func hint(err error) string {
	if r := remedy(err); r != "" {
		return "; " + r
	}
	return ""
}
