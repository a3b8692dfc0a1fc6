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
