package alertmanager

import (
	"fmt"
	"strings"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier/knowledge"
)

// ruleFixes are what to look at first where rules of this server refuse: the one
// that writes the text, and whom it hits. Only words of the knowledge base are in it.
func ruleFixes(a *relaylens.Alert) string {
	if a.Finding == nil || len(a.Finding.Evidence) == 0 {
		return ""
	}
	e := &a.Finding.Evidence[0]
	since := a.StartsAt.Format("2006-01-02 15:04")
	if e.Direction == relaylens.Outbound { // other servers' rules
		return fmt.Sprintf("1. See whose mail other servers refuse, and why\n   # relaylens summary --since %q --by reason,user,recipient_domain direction=outbound\n", since)
	}
	var b strings.Builder
	n := 0
	if found := knowledge.WrittenBy(e); len(found) > 0 {
		n++
		fmt.Fprintf(&b, "%d. See what refuses: %s\n", n, found[0].By)
		if run := showSettings(e.MTA, found[0].Settings); run != "" {
			b.WriteString("   # " + run + "\n")
		}
	}
	n++
	fmt.Fprintf(&b, "%d. See who is refused, and since when\n   # relaylens summary --since %q --by reason,client_net kind=%s\n", n, since, e.Kind)
	return b.String()
}

// showSettings is the command that shows settings of a mail server; empty where there
// is none.
func showSettings(mta relaylens.MTA, names []string) string {
	if len(names) == 0 {
		return ""
	}
	switch mta {
	case relaylens.Postfix:
		return "postconf " + strings.Join(names, " ")
	case relaylens.Exim:
		return "exim -bP " + strings.Join(names, " ")
	case relaylens.Sendmail:
		return "grep -n -E '" + strings.Join(names, "|") + "' /etc/mail/sendmail.mc"
	}
	return ""
}
