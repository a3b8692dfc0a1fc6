package tailer

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The real rsyslogd hands over what it is given, in each of the ways it knows.
func TestSocketRsyslog(t *testing.T) {
	rsyslogd := daemonPath(t, "usr/sbin/rsyslogd")
	modules, err := filepath.Glob(filepath.Join(strings.TrimSuffix(rsyslogd, "usr/sbin/rsyslogd"), "usr/lib/*/rsyslog"))
	if err != nil || len(modules) == 0 {
		t.Fatalf("modules of rsyslog: %v", err)
	}
	dir := t.TempDir()
	udp, tcp, counted := freePort(t, "udp"), freePort(t, "tcp"), freePort(t, "tcp")
	for counted == tcp { // which is free again
		counted = freePort(t, "tcp")
	}
	port := func(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }
	conf := filepath.Join(dir, "rsyslog.conf")
	writeFile(t, conf, fmt.Sprintf(`
module(load="imuxsock" SysSock.Use="off")
module(load="omuxsock")
input(type="imuxsock" Socket="%[1]s/in")
$OMUxSockSocket %[1]s/log
*.* :omuxsock:;RSYSLOG_SyslogProtocol23Format
*.* action(type="omfwd" target="127.0.0.1" port="%[2]s" protocol="udp" template="RSYSLOG_TraditionalForwardFormat")
*.* action(type="omfwd" target="127.0.0.1" port="%[3]s" protocol="tcp" TCP_Framing="traditional" template="RSYSLOG_ForwardFormat")
*.* action(type="omfwd" target="127.0.0.1" port="%[4]s" protocol="tcp" TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format")
`, dir, port(udp), port(tcp), port(counted)))
	runs := map[string]*socketRun{}
	for name, listen := range map[string]string{"omuxsock": "unixgram://" + dir + "/log", "udp": "udp://" + udp, "tcp": "tcp://" + tcp, "counted": "tcp://" + counted} {
		runs[name] = runSocket(t, SocketOptions{Listen: listen})
	}
	cmd := exec.CommandContext(t.Context(), rsyslogd, "-n", "-f", conf, "-i", filepath.Join(dir, "pid"), "-M", modules[0])
	cmd.Env = libraries(t)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("rsyslogd wrote %s", said.Bytes())
		}
	}()
	eventually(t, func() bool { _, err := os.Stat(filepath.Join(dir, "in")); return err == nil })
	const count = 200
	c := dial(t, "unixgram", filepath.Join(dir, "in"))
	for i := range count {
		send(t, c, fmt.Sprintf("<22>Nov 21 10:00:00 postfix/smtpd[4711]: NOQUEUE: reject: number %d.", i))
	}
	for name, r := range runs {
		t.Run(name, func(t *testing.T) {
			r.t = t
			next := 0
			for next < count {
				for _, text := range r.lines(1) {
					if strings.Contains(text, "rsyslogd") {
						continue // it says that it began
					}
					// RFC 5424's APP-NAME is the tag up to its first slash.
					if !strings.HasPrefix(text, "<22>") || !strings.Contains(text, " postfix") || !strings.HasSuffix(text, fmt.Sprintf(" NOQUEUE: reject: number %d.", next)) {
						t.Fatalf("line %d is %q", next, text)
					}
					next++
				}
			}
		})
	}
}
