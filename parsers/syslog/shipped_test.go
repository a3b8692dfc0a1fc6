package syslog

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestShipped is about what shippers and stores of logs make of a line.
func TestShipped(t *testing.T) {
	const at = "2025-01-02T03:04:05Z mx1|postfix/smtpd|1234|x"
	const raw = "Jan  2 03:04:05 mx1 postfix/smtpd[1234]: x"
	for name, tt := range map[string]struct{ line, want string }{
		"Filebeat":                {`{"@timestamp":"2025-01-02T03:04:06.123Z","log":{"offset":1,"file":{"path":"/var/log/mail.log"}},"message":"` + raw + `","host":{"name":"shipper"}}`, at},
		"a hit of Elasticsearch":  {`{"_index":"logs","_source":{"@timestamp":"2025-01-02T03:04:06.123Z","message":"` + raw + `","host":{"name":"shipper"}}}`, at},
		"the common schema":       {`{"@timestamp":"2025-01-02T03:04:05Z","message":"x","host":{"hostname":"mx1"},"process":{"name":"postfix/smtpd","pid":1234}}`, at},
		"its fields for syslog":   {`{"@timestamp":"2025-01-02T03:04:05Z","message":"x","log":{"syslog":{"appname":"postfix/smtpd","procid":"1234","hostname":"mx1"}}}`, at},
		"its original":            {`{"@timestamp":"2025-01-02T03:04:06Z","message":"x","event":{"original":"` + raw + `"}}`, at},
		"Logstash":                {`{"message":"x","logsource":"mx1","program":"postfix/smtpd","pid":"1234","timestamp":"Jan  2 03:04:05","@timestamp":"2025-01-02T03:04:09.000Z"}`, at},
		"rsyslog's jsonmesg":      {`{"msg":" x","rawmsg":"<22>Jan  2 03:04:05 postfix/smtpd[1234]: x","timereported":"2025-01-02T03:04:05+00:00","hostname":"mx1","syslogtag":"postfix/smtpd[1234]:","programname":"postfix","procid":"1234"}`, at},
		"a template of rsyslog's": {`{"@timestamp":"2025-01-02T03:04:05+00:00","message":" x","sysloghost":"mx1","programname":"postfix","procid":"1234"}`, "2025-01-02T03:04:05Z mx1|postfix|1234|x"},
		"Fluentd's file":          {"2025-01-02T03:04:05+00:00\tmail.info\t" + `{"host":"mx1","ident":"postfix/smtpd","pid":"1234","message":"x"}`, at},
		"Fluent Bit":              {`{"date":1735787045.123,"log":"` + raw + `"}`, at},
		"Fluent Bit, a CRI line":  {`{"date":1735787045.123,"stream":"stdout","logtag":"F","log":"` + raw + `"}`, at},
		"Vector":                  {`{"appname":"postfix/smtpd","host":"mx1","message":"x","procid":1234,"timestamp":"2025-01-02T03:04:05Z"}`, at},
		"GELF":                    {`{"version":"1.1","host":"mx1","short_message":"x","timestamp":1735787045,"level":6,"_application_name":"postfix/smtpd","_process_id":"1234"}`, at},
		"GELF of Docker":          {`{"version":"1.1","host":"node","short_message":"` + raw + `","timestamp":1735787045.5,"_container_name":"mail"}`, at},
		"Loki":                    {`{"labels":{"host":"mx1"},"line":"` + raw + `","timestamp":"2025-01-02T03:04:05.123Z"}`, at},
		"Loki, in nanoseconds":    {`{"labels":{"host":"mx1"},"line":"postfix/smtpd[1234]: x","timestamp":"1735787045000000000"}`, "2025-01-02T03:04:05.000000000Z mx1|postfix/smtpd|1234|x"},
		"Splunk":                  {`{"preview":false,"result":{"_raw":"` + raw + `","_time":"2025-01-02 03:04:05.000 UTC"}}`, at},
		"CloudWatch":              {`{"timestamp":1735787046000,"message":"` + raw + `\n","ingestionTime":1},`, at},
		"Exim's own stamp within": {`{"@timestamp":"2025-01-02T03:04:05Z","message":"2025-01-02 03:04:05 H=a","host":{"hostname":"mx1"},"process":{"name":"exim","pid":7}}`, "2025-01-02T03:04:05Z mx1|exim|7|H=a"},
		"json-seq":                {"\x1e" + `{"MESSAGE":"x","SYSLOG_IDENTIFIER":"postfix/smtpd","SYSLOG_PID":"1234","_HOSTNAME":"mx1","_SOURCE_REALTIME_TIMESTAMP":"1735787045000000"}`, "2025-01-02T03:04:05.000000Z mx1|postfix/smtpd|1234|x"},
		"json-sse":                {`data: {"MESSAGE":"x","SYSLOG_IDENTIFIER":"postfix/smtpd","SYSLOG_PID":"1234","_HOSTNAME":"mx1","_SOURCE_REALTIME_TIMESTAMP":"1735787045000000"}`, "2025-01-02T03:04:05.000000Z mx1|postfix/smtpd|1234|x"},
		"a number":                {`{"message":1,"program":"x"}`, "malformed"},
		"an object of another":    {`{"other":{"message":"` + raw + `"}}`, "malformed"},
		"no text":                 {`{"@timestamp":"2025-01-02T03:04:05Z","level":"info"}`, "malformed"},

		"Solaris":          {"Jan  2 03:04:05 mx1 sendmail[1234]: [ID 197553 mail.info] x", "2025-01-02T03:04:05Z mx1|sendmail|1234|x"},
		"almost Solaris":   {"Jan  2 03:04:05 mx1 sendmail[1234]: [ID x mail.info] x", "2025-01-02T03:04:05Z mx1|sendmail|1234|[ID x mail.info] x"},
		"AIX":              {"Jan  2 03:04:05 mx1 mail:info sendmail[1234]: x", "2025-01-02T03:04:05Z mx1|sendmail|1234|x"},
		"AIX, forwarded":   {"Jan  2 03:04:05 relay mail:info Message forwarded from mx1: sendmail[1234]: x", "2025-01-02T03:04:05Z mx1|sendmail|1234|x"},
		"BSD, forwarded":   {"Jan  2 03:04:05 relay Forwarded from mx1: postfix/smtpd[1234]: x", at},
		"an escaped end":   {raw + "#015#012", at},
		"no escaped end":   {raw + "#011", at + "#011"},
		"grep":             {"/var/log/mail.log:" + raw, at},
		"grep -n":          {"12:" + raw, at},
		"grep -Hn":         {"mail.log.1:12:" + raw, at},
		"kubetail":         {"[mail-0] " + raw, at},
		"stern":            {"mail-0 postfix " + raw, at},
		"podman --names":   {"mail 2025-01-02T03:04:05.5Z " + raw, at},
		"three words":      {"a b c " + raw, "malformed"},
		"a header":         {"Subject: (x) " + raw, "malformed"},
		"aws logs tail":    {"2025-01-02T03:04:05.500000+00:00 mail/stream " + raw, at},
		"logcli":           {`2025-01-02T03:04:05Z {host="a b", job="mail"} ` + raw, at},
		"syslog-ng's date": {"2019 Jan  2 03:04:05 mx1 postfix/smtpd[1234]: x", "2019-01-02T03:04:05Z mx1|postfix/smtpd|1234|x"},
		"New Year's Eve":   {"2019 Dec 31 23:59:59 mx1 postfix/smtpd[1234]: x", "2019-12-31T23:59:59Z mx1|postfix/smtpd|1234|x"},
	} {
		t.Run(name, func(t *testing.T) {
			got := run(NewDecoder(Options{Location: time.UTC}), reference, tt.line)
			if diff := cmp.Diff([]string{tt.want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestShippedStreams is about framings of which one line is not enough.
func TestShippedStreams(t *testing.T) {
	const entry = "    PRIORITY=6\n    SYSLOG_IDENTIFIER=postfix/smtpd\n    SYSLOG_PID=1234\n    _HOSTNAME=mx1\n    MESSAGE=say \"x\"\n            =more"
	for _, tt := range []struct {
		name        string
		lines, want []string
	}{
		{"journalctl -o json-pretty", []string{"{", "\t\"MESSAGE\" : \"x\",", "\t\"_HOSTNAME\" : \"mx1\",", "\t\"SYSLOG_IDENTIFIER\" : \"exim\",", "\t\"__REALTIME_TIMESTAMP\" : \"1735787045000000\"", "}"},
			[]string{"pending", "pending", "pending", "pending", "pending", "2025-01-02T03:04:05.000000Z mx1|exim|0|x"}},
		{"an object without its end", []string{"{", "\t\"MESSAGE\" : \"x\",", "Jan  2 03:04:05 mx1 exim[7]: y"},
			[]string{"pending", "pending", "2025-01-02T03:04:05Z mx1|exim|7|y"}},
		{"macOS", []string{"Jan  2 03:04:05 mx1 postfix/smtpd[7]: y", "Jan  2 03:04:06 --- last message repeated 2 times ---"},
			[]string{"2025-01-02T03:04:05Z mx1|postfix/smtpd|7|y", "2 times 2025-01-02T03:04:06Z mx1|postfix/smtpd|7|y"}},
		{"a line without a pid does not make it Exim's", []string{"2025-01-02 03:04:05 mx1 rsyslogd: start", "2025-01-02 03:04:05 mx1 postfix/smtpd[7]: y"},
			[]string{"native 2025-01-02T03:04:05Z ||0|mx1 rsyslogd: start", "2025-01-02T03:04:05Z mx1|postfix/smtpd|7|y"}},
		{"UTF-16, little endian", []string{"\xff\xfeJ\x00a\x00n\x00 \x00 \x002\x00 \x000\x003\x00:\x000\x004\x00:\x000\x005\x00 \x00m\x00x\x001\x00 \x00e\x00x\x00i\x00m\x00:\x00 \x00\xe4\x00\r\x00", "\x00", "Jan  2 03:04:05 mx1 exim[7]: y"},
			[]string{"2025-01-02T03:04:05Z mx1|exim|0|ä", "blank", "2025-01-02T03:04:05Z mx1|exim|7|y"}},
		{"UTF-16, big endian", []string{"\xfe\xff\x00J\x00a\x00n\x00 \x00 \x002\x00 \x000\x003\x00:\x000\x004\x00:\x000\x005\x00 \x00m\x00x\x001\x00 \x00e\x00x\x00i\x00m\x00:\x00 \xd8\x3d\xde\x00\x00"},
			[]string{"2025-01-02T03:04:05Z mx1|exim|0|😀"}},
		{"journalctl -o verbose", append(append([]string{"Thu 2025-01-02 03:04:05.123456 UTC [s=a;i=1;b=b;m=1;t=1;x=1]"}, strings.Split(entry, "\n")...),
			"Thu 2025-01-02 03:04:06.123456 UTC [s=a;i=2;b=b;m=1;t=1;x=1]", "    MESSAGE=y", "    _COMM=exim"),
			[]string{"pending", "pending", "pending", "pending", "pending", "pending", "pending",
				`popped at 7: 2025-01-02T03:04:05.123456Z mx1|postfix/smtpd|1234|say "x"`, "pending", "pending", "pending",
				"popped at 10: 2025-01-02T03:04:06.123456Z |exim|0|y"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := run(NewDecoder(Options{Location: time.UTC}), reference, tt.lines...)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
