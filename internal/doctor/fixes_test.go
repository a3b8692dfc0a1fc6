package doctor

import (
	"strings"
	"testing"
)

// fixesOf are the texts to write that a report has for a check.
func fixesOf(r *Report, check Check) string {
	var texts []string
	for _, c := range r.Complaints {
		if c.Check != check {
			continue
		}
		for _, f := range c.Fixes {
			texts = append(texts, f.Text)
		}
	}
	return strings.Join(texts, "")
}

// A check that is kept without its callout refuses whom it refused, and no one else.
func TestCalloutFix(t *testing.T) {
	for statement, want := range map[string]string{
		"require verify = sender/callout=10s": "require verify = sender\n",
		"deny !verify = sender/callout":       "deny !verify = sender\n",
	} {
		t.Run(statement, func(t *testing.T) {
			x, err := ReadExim("acl_smtp_rcpt = r\nbegin acl\nr:\n  "+statement+"\n  accept\n", "", "exim.conf", Elsewhere{})
			if err != nil {
				t.Fatal(err)
			}
			if got := fixesOf(Examine(x, nil), SenderCallout); !strings.HasPrefix(got, want) || !strings.Contains(got, "!verify        = sender/callout") {
				t.Errorf("fixes %q", got)
			}
		})
	}
}

// Sendmail opens the ports that are written and no others, once one is.
func TestPortFix(t *testing.T) {
	m, err := ReadSendmail("Cwlocalhost\nO DaemonPortOptions=Name=MTA\nSlocal_check_rcpt\n", "sendmail.cf", nil, Elsewhere{})
	if err != nil {
		t.Fatal(err)
	}
	got := fixesOf(Examine(m, nil), SubmissionMissing)
	for _, want := range []string{"no_default_msa", "Port=smtp,", "Port=submission,"} {
		if !strings.Contains(got, want) {
			t.Errorf("fixes %q lack %s", got, want)
		}
	}
}
