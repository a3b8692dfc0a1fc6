package doctor

import (
	"fmt"
	"strings"
	"time"

	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier/knowledge"
)

// titles say in short what is wrong.
var titles = map[Check]string{
	RestrictionOrder:      "Users who logged in are refused",
	SASLOff:               "Nobody can log in",
	BackendMissing:        "What logins are checked with is missing",
	SubmissionMissing:     "There is no submission port",
	SubmissionWithoutAuth: "The submission port offers no login",
	SubmissionWithoutTLS:  "The submission port offers no TLS",
	NetworksTooWide:       "The networks that may relay are too wide",
	ClientMissing:         "A client of yours may not relay",
	DomainMissing:         "A domain is missing",
	DomainTwice:           "A domain is configured twice",
	OpenRelay:             "Open relay",
	SenderCallout:         "Every sender is verified by callout",
	DeadDNSBL:             "A blocklist is dead",
}

// maxShown bounds what is shown of one text.
const maxShown = 600

// AppendText adds the report as a person reads it. Times are shown in the zone.
func (r *Report) AppendText(dst []byte, zone *time.Location) []byte {
	if len(r.Complaints) == 0 {
		dst = fmt.Appendf(dst, "%s: nothing is wrong with the configuration.\n", r.MTA)
	} else {
		dst = fmt.Appendf(dst, "%s: %s.\n", r.MTA, count(len(r.Complaints), "complaint"))
	}
	for i := range r.Complaints {
		dst = r.Complaints[i].appendText(append(dst, '\n'), zone)
	}
	for i := range r.Unexplained {
		f := &r.Unexplained[i]
		dst = fmt.Appendf(dst, "\nThe log shows %s (%s, last %s), the configuration does not: it was changed since, or is not the one in force; reload the server.\n",
			escaped(f.Cause.String()+" for "+f.Entity.Value), count(f.Events, "refusal"), f.Last.In(zone).Format(time.DateTime))
	}
	for i, why := range r.Unknown {
		if i == 0 {
			dst = append(dst, "\nNot judged:\n"...)
		}
		dst = fmt.Appendf(dst, "  %s\n", escaped(why))
	}
	return dst
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func escaped(s string) string { return relaylens.Escaped(s, maxShown) }

func (c *Complaint) appendText(dst []byte, zone *time.Location) []byte {
	dst = fmt.Appendf(dst, "%s [%s, leads to %s]\n", titles[c.Check], c.Check, c.Cause)
	dst = fmt.Appendf(dst, "  %s\n", escaped(c.Text))
	at := c.Setting
	if c.Value != "" {
		at += " = " + c.Value
	}
	dst = fmt.Appendf(dst, "  setting: %s\n  file: %s\n", escaped(at), escaped(c.File))
	if len(c.Services) > 0 {
		dst = fmt.Appendf(dst, "  services: %s\n", escaped(strings.Join(c.Services, ", ")))
	}
	if f := c.Finding; f != nil {
		dst = fmt.Appendf(dst, "  the log agrees: %s from %s, %s to %s; confirmed by configuration\n", count(f.Events, "refusal"), count(f.Clients, "client"),
			f.First.In(zone).Format(time.DateTime), f.Last.In(zone).Format(time.DateTime))
	}
	for i, step := range c.Fixes {
		head := "       "
		if i == 0 {
			head = "  fix: "
		}
		dst = appendStep(append(dst, head...), &step)
	}
	return fmt.Appendf(dst, "  see: %s\n", strings.Join(c.References, "; "))
}

func appendStep(dst []byte, s *knowledge.Step) []byte {
	switch {
	case s.Run != "":
		return fmt.Appendf(dst, "# %s\n", escaped(s.Run))
	case s.File == "":
		return fmt.Appendf(dst, "%s\n", escaped(s.Say))
	}
	dst = fmt.Appendf(dst, "%s:\n", escaped(s.File))
	for line := range strings.Lines(s.Text) {
		dst = fmt.Appendf(dst, "           %s\n", escaped(strings.TrimRight(line, "\n")))
	}
	return dst
}
