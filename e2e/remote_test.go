//go:build e2e

package e2e

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
)

// startRemote is the mail server of the example domains, on 192.0.2.25:25. It
// relays for nobody, does not know anyone whose name begins with "nobody" and
// takes what is left. What it refuses it notes in tr; submitted tells who the
// mail of a sender came from.
func startRemote(t *testing.T, tr *truth, submitted func(sender string) (ip, user string)) {
	t.Helper()
	listener, err := net.Listen("tcp", "192.0.2.25:25")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serveRemote(conn, tr, submitted)
		}
	}()
}

func serveRemote(conn net.Conn, tr *truth, submitted func(string) (string, string)) {
	defer conn.Close()
	var sender string
	say := func(line string) { fmt.Fprintf(conn, "%s\r\n", line) }
	say("220 mail.example.net ESMTP")
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		line := lines.Text()
		verb := strings.ToUpper(line)
		switch {
		case strings.HasPrefix(verb, "MAIL FROM:"):
			sender = path(line)
			say("250 2.1.0 Ok")
		case strings.HasPrefix(verb, "RCPT TO:"):
			reply, r := judge(path(line))
			if r.Code != 0 {
				r.Direction, r.Stage, r.Sender = "outbound", "rcpt", sender
				r.ClientIP, r.User = submitted(sender)
				tr.add(r)
			}
			say(reply)
		case verb == "DATA":
			say("354 End data with <CR><LF>.<CR><LF>")
			for lines.Text() != "." && lines.Scan() {
				continue
			}
			say("250 2.0.0 Ok: queued as 4TestQueue")
		case verb == "QUIT":
			say("221 2.0.0 Bye")
			return
		case strings.HasPrefix(verb, "EHLO "):
			say("250-mail.example.net\r\n250 ENHANCEDSTATUSCODES")
		default:
			say("250 2.0.0 Ok")
		}
	}
}

// judge is the remote's answer to a recipient.
func judge(recipient string) (reply string, r refusal) {
	switch {
	case strings.HasSuffix(recipient, "@example.org"):
		return "554 5.7.1 <" + recipient + ">: Relay access denied",
			refusal{Kind: "relay_denied", Code: 554, Enhanced: "5.7.1", Recipient: recipient}
	case strings.HasPrefix(recipient, "nobody"):
		return "550 5.1.1 <" + recipient + ">: Recipient address rejected: User unknown",
			refusal{Kind: "rejected", Code: 550, Enhanced: "5.1.1", Recipient: recipient}
	}
	return "250 2.1.5 Ok", refusal{}
}

// path is the address between the angle brackets of a command.
func path(line string) string {
	_, address, _ := strings.Cut(line, "<")
	address, _, _ = strings.Cut(address, ">")
	return address
}
