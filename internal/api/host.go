package api

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// GuardHost refuses requests for names that are not this machine's, if the
// server listens on a loopback address only: a page of another site whose name
// was made to point there could otherwise have the reader's own browser read
// what is here (DNS rebinding). What listens for others is to be guarded by a
// password. Names are those of this machine.
func GuardHost(next http.Handler, listens net.Addr, names ...string) http.Handler {
	tcp, ok := listens.(*net.TCPAddr)
	if !ok || !tcp.IP.IsLoopback() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host := hostname(r.Host); !local(host) && !slices.Contains(names, host) {
			c := &call{w: w, r: r}
			c.refuse(problem{Status: http.StatusMisdirectedRequest, Parameter: "Host", Value: host,
				Detail: "this server answers on this machine alone, for no other name than localhost",
				Remedy: "ask for http://localhost; a proxy has to send the address that it connects to as Host, as nginx does by itself"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostname is a Host header without its port.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

// local reports whether host means this machine wherever it is looked up.
// Browsers always send one.
func local(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().IsLoopback()
	}
	return host == "" || host == "localhost" || strings.HasSuffix(host, ".localhost")
}
