package alertmanager

import (
	"strings"
	"testing"

	"github.com/relaylens/relaylens"
)

// Of what other servers refuse, it is told whose mail it is.
func TestRulesOfOthers(t *testing.T) {
	a := lostDomain("lost.example.com")
	a.Name, a.Kind, a.Cause = "RelaylensRefusalSpike", relaylens.KindRejected, relaylens.CausePolicy
	a.Finding.Evidence[0].Direction = relaylens.Outbound
	_, annotations := (&Describer{}).Describe(&a)
	if want := "# relaylens summary --since \"2026-03-02 09:14\" --by reason,user,recipient_domain direction=outbound"; !strings.Contains(annotations["fixes"], want) {
		t.Errorf("fixes are\n%s\nwithout\n%s", annotations["fixes"], want)
	}
}

// A page about a helper of the server's says which it is and how to bring it back.
func TestHelperFixes(t *testing.T) {
	for name, test := range map[string]struct {
		mta     relaylens.MTA
		reason  relaylens.Reason
		helper  string
		summary string
		want    []string
	}{
		"a milter": {relaylens.Postfix, relaylens.ReasonMilter, "inet:localhost:8891", "A mail filter (milter) of this server does not answer: helper inet:localhost:8891, at mx1",
			[]string{"1. Start the milter again", "# postconf smtpd_milters non_smtpd_milters milter_default_action", "2. Take mail without it", "# postconf -e milter_default_action=accept && postfix reload"}},
		"of Sendmail": {relaylens.Sendmail, relaylens.ReasonMilter, "opendkim", "A mail filter (milter)", []string{"INPUT_MAIL_FILTER"}},
		"a table": {relaylens.Postfix, relaylens.ReasonResources, "mysql:/etc/postfix/boxes.cf", "A lookup table or database",
			[]string{"# postmap -q b@lost.example.com mysql:/etc/postfix/boxes.cf"}},
		"a table with a name for the shell": {relaylens.Postfix, relaylens.ReasonResources, "mysql:/etc/$(x)", "A lookup table or database", []string{"postmap -q b@lost.example.com 'mysql:/etc/$(x)'"}},
		"a table of which the kind is told": {relaylens.Postfix, relaylens.ReasonResources, "mysql", "A lookup table or database", []string{"postmap -q b@lost.example.com {helper}"}},
		"a policy service":                  {relaylens.Postfix, relaylens.ReasonPolicyService, "private/policy", "A policy service", []string{"check_policy_service", "smtpd_policy_service_default_action=DUNNO"}},
		"a scanner":                         {relaylens.Exim, relaylens.ReasonContent, "clamd /run/clamd.ctl", "A virus or spam scanner", []string{"# exim -bP av_scanner spamd_address", "defer_ok"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := lostDomain("lost.example.com")
			a.Kind, a.Cause, a.Host, a.Entity = relaylens.KindRejected, relaylens.CausePolicy, "mx1", relaylens.Entity{Kind: relaylens.EntityHelper, Value: test.helper}
			a.Finding.Cause, a.Finding.MTA, a.Finding.Fault = relaylens.CausePolicy, test.mta, relaylens.FaultServer
			e := &a.Finding.Evidence[0]
			e.MTA, e.Kind, e.Reason, e.Direction, e.RemoteHost, e.Recipient = test.mta, relaylens.KindRejected, test.reason, relaylens.Inbound, test.helper, "b@lost.example.com"
			labels, annotations := (&Describer{}).Describe(&a)
			if !strings.HasPrefix(annotations["summary"], test.summary) || labels["entity"] != "helper="+test.helper || labels["fault"] != "server" {
				t.Errorf("summary %q, labels %v", annotations["summary"], labels)
			}
			for _, want := range test.want {
				if !strings.Contains(annotations["fixes"], want) {
					t.Errorf("fixes are\n%s\nwithout\n%s", annotations["fixes"], want)
				}
			}
		})
	}
}

// A page about refusals by rule says which rule it is and how to look at it.
func TestRuleFixes(t *testing.T) {
	for name, test := range map[string]struct {
		mta    relaylens.MTA
		reason relaylens.Reason
		code   uint16
		dsn    string
		text   string
		want   []string
	}{
		"Postfix, a milter": {relaylens.Postfix, relaylens.ReasonMilter, 451, "4.7.1", "Service unavailable - try again later",
			[]string{"1. See what refuses: milter_default_action: a milter did not answer\n   # postconf smtpd_milters", "2. See who is refused", "kind=rejected"}},
		"Postfix, a table": {relaylens.Postfix, relaylens.ReasonResources, 451, "4.3.0", "Temporary lookup failure", []string{"a table that could not be asked"}},
		"Exim, a rule":     {relaylens.Exim, relaylens.ReasonUnknownRecipient, 550, "", "Unknown user", []string{"1. See what refuses: ", "2. See who"}},
		"Sendmail":         {relaylens.Sendmail, relaylens.ReasonGreylist, 451, "4.7.1", "Greylisting in action", []string{"See who is refused"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := lostDomain("lost.example.com")
			a.Name, a.Kind, a.Cause = "RelaylensRefusalSpike", relaylens.KindRejected, relaylens.CausePolicy
			e := &a.Finding.Evidence[0]
			e.MTA, e.Kind, e.Reason, e.Code, e.Enhanced, e.Text = test.mta, relaylens.KindRejected, test.reason, test.code, test.dsn, test.text
			_, annotations := (&Describer{}).Describe(&a)
			for _, want := range test.want {
				if !strings.Contains(annotations["fixes"], want) {
					t.Errorf("fixes are\n%s\nwithout\n%s", annotations["fixes"], want)
				}
			}
		})
	}
}
