package exim

import (
	"strings"

	"github.com/relaylens/relaylens"
)

// notStored reads "{address} R={router} T={transport} defer ({number})⟦: {the system's words}⟧: {why}"
// of a transport that delivers on this machine: to a socket, a program or a file. One to
// another server names none of these. A quota is its user's.
// deliver.c, post_process_one; transports/lmtp.c, pipe.c, appendfile.c
func notStored(s string, rec *relaylens.Record) relaylens.Verdict {
	const begin = " defer ("
	at := strings.Index(s, begin)
	if at < 0 || remoteErrorAt(s) >= 0 {
		return relaylens.Ignored
	}
	number, why, ok := strings.Cut(s[at+len(begin):], "): ")
	switch number {
	case "-1":
		ok = ok && hasAnyPrefix(why, "Failed to connect to socket ", "Failed to create child process for ", "Tainted '")
	case "0":
		ok = ok && strings.HasPrefix(why, "Child process of ") && strings.Contains(why, " transport returned ")
	case "2", "5", "12", "13", "20", "23", "24", "28", "30", "107", "116": // of files, not of connections
		ok = ok && strings.Contains(why, ": ")
	default:
		ok = false
	}
	if !ok || strings.Contains(why, "uota") {
		return relaylens.Ignored
	}
	e := &rec.Event
	fields, read := cutRecipient(s[:at], e)
	_, transport, found := strings.Cut(fields, " T=")
	if transport = strings.TrimSuffix(transport, ":"); !read || !found || transport == "" || strings.IndexByte(transport, ' ') >= 0 {
		*rec = relaylens.Record{}
		return relaylens.Ignored
	}
	e.Kind, e.Text, e.RemoteHost, rec.Copied = relaylens.KindBackendError, why, relaylens.Store+transport, true
	return relaylens.Parsed
}
