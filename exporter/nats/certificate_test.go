package nats

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// authority signs certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	a.cert = &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	var der []byte
	a.key, der = a.sign(a.cert, a.cert, nil)
	a.file = write(t, "ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return a
}

func (a *authority) sign(c, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*ecdsa.PrivateKey, []byte) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	if signer == nil {
		signer = key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	return key, der
}

// issue makes a certificate for a server on loopback or for a machine.
func (a *authority) issue(name string) (certFile, keyFile string) {
	a.t.Helper()
	key, der := a.sign(&x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}, a.cert, a.key)
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	return write(a.t, name+".pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		write(a.t, name+".key", pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}))
}

// The servers and the machines show each other certificates of one authority.
func TestClientCertificates(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	cert, key := ours.issue("server")
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(mustRead(t, ours.file))
	users := configured(t, "jetstream: {max_file_store: 1GB}\naccounts { MAIL { jetstream: enabled\n"+documented(t)+"\n} }\n")
	ns := startServer(t, users, func(o *server.Options) {
		o.TLSVerify, o.TLSConfig = true, &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: roots, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS13}
	})
	as := func(name string, a *authority) Options {
		o := login(t, options(ns, ""), name)
		o.URLs = []string{strings.Replace(ns.ClientURL(), "nats://", "tls://", 1)}
		o.CAFile = ours.file
		o.CertFile, o.KeyFile = a.issue(name)
		return o
	}
	roundTrip(t, as("admin", ours), as("mx1", ours), as("reader1", ours))

	none, other, misled := as("mx1", ours), as("mx1", theirs), as("mx1", ours)
	none.CertFile, none.KeyFile = "", ""
	misled.CAFile = theirs.file
	for name, tt := range map[string]struct {
		o    Options
		says string
	}{
		"no certificate":                {none, "nats.cert_file"},
		"one of another authority":      {other, "nats.cert_file"},
		"the server's is of another":    {misled, "nats.ca_file"},
		"the authority's file is wrong": {func() Options { o := misled; o.CAFile = write(t, "ca.pem", []byte("no PEM")); return o }(), "ca.pem"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newTestShipper(t, tt.o, &memoryOutbox{}).round(t.Context())
			failed(t, err, failConnect, tt.says)
		})
	}
}

func mustRead(t *testing.T, path string) *x509.Certificate {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
