package knowledge

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/relaylens/relaylens"
)

func TestEveryCause(t *testing.T) {
	for _, c := range relaylens.Causes() {
		t.Run(c.String(), func(t *testing.T) {
			e := Of(c)
			if e == nil {
				t.Fatal("nothing is known of it")
			}
			if e.Fault != c.Fault() {
				t.Errorf("fault %q, the cause says %q", e.Fault, c.Fault())
			}
			for what, text := range map[string]string{"title": e.Title, "text": e.Text} {
				if strings.TrimSpace(text) == "" {
					t.Errorf("no %s", what)
				}
			}
			for what, n := range map[string]int{"proof": len(e.Proof), "against": len(e.Against), "fixes": len(e.Fixes),
				"dead_ends": len(e.DeadEnds), "checks": len(e.Checks), "references": len(e.References)} {
				if n == 0 {
					t.Errorf("no %s", what)
				}
			}
			checkFixes(t, e)
			checkDeadEnds(t, e)
			for _, check := range e.Checks {
				if check.What == "" || check.Run == "" || check.MTA != "" && displayNames[check.MTA] == "" {
					t.Errorf("check %+v is incomplete", check)
				}
			}
		})
	}
	if n := len(load().Causes); n != len(relaylens.Causes()) {
		t.Errorf("%d causes in the file, %d in the program", n, len(relaylens.Causes()))
	}
}

// TestOwn is TestEveryCause for findings that are the server's own fault.
func TestOwn(t *testing.T) {
	for name, e := range load().Own {
		if e.Cause.Fault() == relaylens.FaultServer || e.Fault != relaylens.FaultServer || e.Title == "" || e.Text == "" ||
			len(e.Proof) == 0 || len(e.Against) == 0 || len(e.Fixes) < 2 || len(e.Checks) == 0 || len(e.References) == 0 {
			t.Errorf("entry of %s is incomplete, or is none: %+v", name, e)
		}
		checkFixes(t, e)
		checkDeadEnds(t, e)
		f := relaylens.Finding{Cause: e.Cause, Fault: e.Cause.Fault(), Evidence: make([]relaylens.Event, 1)}
		if of := OfFinding(&f); of.Fault == relaylens.FaultServer {
			t.Errorf("%s: a finding that is %s's fault is told as the server's", name, f.Fault)
		}
		if f.Fault = relaylens.FaultServer; OfFinding(&f) != e {
			t.Errorf("%s: the server's own finding is not told as such", name)
		}
	}
}

// TestEveryHelper is TestEveryCause for what the server asks. Not all of them are
// of every server.
func TestEveryHelper(t *testing.T) {
	of := map[relaylens.Helper][]relaylens.MTA{relaylens.HelperMilter: {relaylens.Postfix, relaylens.Sendmail}, relaylens.HelperPolicy: {relaylens.Postfix},
		relaylens.HelperTable: relaylens.MTAs(), relaylens.HelperFilter: {relaylens.Postfix}, relaylens.HelperScanner: {relaylens.Exim},
		relaylens.HelperDisk: relaylens.MTAs(), relaylens.HelperConfiguration: relaylens.MTAs(), relaylens.HelperBlocklist: relaylens.MTAs(), relaylens.HelperCertificate: relaylens.MTAs(), relaylens.HelperCapacity: relaylens.MTAs()}
	for _, h := range relaylens.Helpers() {
		t.Run(h.String(), func(t *testing.T) {
			e := load().Helpers[h.String()]
			if e == nil || e.Title == "" || e.Text == "" || e.Fault != relaylens.FaultServer || e.Cause != relaylens.CausePolicy {
				t.Fatalf("entry %+v is incomplete", e)
			}
			if len(e.Proof) == 0 || len(e.Against) == 0 || len(e.Fixes) < 2 || len(e.Checks) == 0 || len(e.References) == 0 {
				t.Error("proof, against, two fixes, checks and references have to be there")
			}
			for i := range e.Fixes {
				for _, mta := range of[h] {
					steps := e.Fixes[i].Steps(mta)
					checkSteps(t, e.Fixes[i].Title, steps)
					if len(steps) == len(e.Fixes[i].Any) {
						t.Errorf("%s: nothing that is for %s", e.Fixes[i].Title, mta)
					}
				}
			}
			checkDeadEnds(t, e)
		})
	}
	if n := len(load().Helpers); n != len(relaylens.Helpers()) {
		t.Errorf("%d helpers in the file, %d in the program", n, len(relaylens.Helpers()))
	}
}

func checkFixes(t *testing.T, e *Entry) {
	t.Helper()
	own := map[relaylens.MTA]bool{}
	rates, titles := []int{}, map[string]bool{}
	for i := range e.Fixes {
		f := &e.Fixes[i]
		if f.Title == "" || titles[f.Title] {
			t.Errorf("fix %d: title %q is empty or there twice", i, f.Title)
		}
		titles[f.Title] = true
		rates = append(rates, f.Rate)
		for _, mta := range relaylens.MTAs() {
			steps := f.Steps(mta)
			if len(steps) == 0 {
				t.Errorf("%s: nothing to do for %s", f.Title, mta)
			}
			own[mta] = own[mta] || len(steps) > len(f.Any)
			checkSteps(t, f.Title, steps)
		}
		for _, p := range f.Products() {
			checkSteps(t, f.Title, p.Steps)
		}
	}
	for _, mta := range relaylens.MTAs() {
		if !own[mta] {
			t.Errorf("no fix has a setting or command of %s", mta)
		}
	}
	checkRates(t, "fixes", rates)
}

func checkDeadEnds(t *testing.T, e *Entry) {
	t.Helper()
	var rates []int
	for _, d := range e.DeadEnds {
		if d.Title == "" || d.Why == "" {
			t.Errorf("dead end %+v is incomplete", d)
		}
		rates = append(rates, d.Rate)
	}
	checkRates(t, "dead ends", rates)
}

// checkRates: within 0 to 100, falling, those that are not known last.
func checkRates(t *testing.T, what string, rates []int) {
	t.Helper()
	if slices.ContainsFunc(rates, func(r int) bool { return r < 0 || r > 100 }) || !slices.IsSortedFunc(rates, func(a, b int) int { return b - a }) {
		t.Errorf("rates of %s are %v, want them falling within 0 to 100", what, rates)
	}
}

func checkSteps(t *testing.T, title string, steps []Step) {
	t.Helper()
	for _, s := range steps {
		forms := 0
		for _, is := range []bool{s.Say != "", s.Run != "", s.File != "" && strings.TrimSpace(s.Text) != ""} {
			if is {
				forms++
			}
		}
		if forms != 1 || (s.File == "") != (s.Text == "") {
			t.Errorf("%s: step %+v has to be one of say, run, file with text", title, s)
		}
	}
}

// braces finds what looks like a placeholder.
var braces = regexp.MustCompile(`\{[a-z_]+\}`)

// TestCommands holds every command to what filling it safely takes.
func TestCommands(t *testing.T) {
	eachCommand(func(where, run string) {
		if strings.ContainsAny(run, "\n\t") {
			t.Errorf("%s: %q has more than one line", where, run)
		}
		for _, p := range braces.FindAllString(run, -1) {
			if p == "{client_addr}" { // a macro of Sendmail
				continue
			}
			if _, ok := placeholders[p[1:len(p)-1]]; !ok {
				t.Errorf("%s: %q has the unknown placeholder %s", where, run, p)
			}
		}
		if placeholderInDoubleQuotes(run) {
			t.Errorf("%s: %q has a placeholder in double quotes, where it cannot be quoted", where, run)
		}
		// A backslash in the value is for echo to obey, a percent sign for printf, ${run} for exim -be.
		if braces.MatchString(run) && (regexp.MustCompile(`\becho\b|exim -be|printf '[^']*\{`).MatchString(run)) {
			t.Errorf("%s: %q gives a stranger's text to a program that obeys it", where, run)
		}
		if out, err := exec.CommandContext(t.Context(), "sh", "-n", "-c", Command(run, hostileEvent())).CombinedOutput(); err != nil {
			t.Errorf("%s: the shell cannot read %q: %s", where, run, out)
		}
	})
}

func placeholderInDoubleQuotes(run string) bool {
	single, double := false, false
	for i := range len(run) {
		switch {
		case run[i] == '\'' && !double:
			single = !single
		case run[i] == '"' && !single:
			double = !double
		case double && braces.MatchString(run[i:]) && strings.HasPrefix(run[i:], braces.FindString(run[i:])):
			return true
		}
	}
	return false
}

// eachCommand calls f with every command of the file.
func eachCommand(f func(where, run string)) {
	eachStep(func(where string, s Step) {
		if s.Run != "" {
			f(where, s.Run)
		}
	})
	for name, e := range everyEntry() {
		for _, check := range e.Checks {
			f(name+": "+check.What, check.Run)
		}
	}
}

// everyEntry are those of causes and of helpers.
func everyEntry() map[string]*Entry {
	all := maps.Clone(load().Causes)
	maps.Copy(all, load().Helpers)
	for name, e := range load().Own {
		all[name+", own"] = e
	}
	return all
}

func eachStep(f func(where string, s Step)) {
	for name, e := range everyEntry() {
		for _, fix := range e.Fixes {
			for _, steps := range [][]Step{fix.Any, fix.Postfix, fix.Exim, fix.Sendmail, fix.CPanel, fix.Plesk, fix.Dovecot} {
				for _, s := range steps {
					f(name+": "+fix.Title, s)
				}
			}
		}
	}
}

// TestSnippets: files get domains and addresses only.
func TestSnippets(t *testing.T) {
	eachStep(func(where string, s Step) {
		for _, p := range braces.FindAllString(s.Text, -1) {
			if ph, ok := placeholders[p[1:len(p)-1]]; ok && ph.free {
				t.Errorf("%s: %q has %s, which may be any text", where, s.Text, p)
			}
		}
		if braces.MatchString(s.Say) {
			t.Errorf("%s: %q has a placeholder, and nothing fills it there", where, s.Say)
		}
	})
}

func TestPage(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "causes.md")
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != Page() {
		t.Errorf("%s is not what knowledge.yaml says; run make docs", path)
	}
	for line := range strings.Lines(Page()) {
		if strings.Contains(line, "%!") {
			t.Errorf("misprinted: %s", line)
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	for text, want := range map[string]string{
		"causes: {policy: {titel: x}}":           "titel",
		"causes: {nonsense: {title: x}}":         `unknown cause "nonsense"`,
		"causes: {policy: {fault: nobody}}":      `unknown fault "nobody"`,
		"causes: {policy: {title: x}, policy: }": "already defined",
		"codes: {abc: {means: x}}":               "abc",
	} {
		t.Run(text, func(t *testing.T) {
			if _, err := decode([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want one with %q", err, want)
			}
		})
	}
}

// TestEximRequires: require refuses whom a condition does not fit, so that one
// which is negated refuses just those who are to be spared.
func TestEximRequires(t *testing.T) {
	eachStep(func(where string, s Step) {
		verb := ""
		for line := range strings.Lines(s.Text) {
			fields := strings.Fields(line)
			if len(fields) == 0 {
				continue
			}
			if !strings.HasPrefix(line, " ") {
				verb = fields[0]
				fields = fields[1:]
			}
			if verb == "require" && len(fields) > 0 && strings.HasPrefix(fields[0], "!") {
				t.Errorf("%s: %q refuses those whom it names; write deny, and negate the check", where, s.Text)
			}
		}
	})
}

// TestPostfixActions: what Postfix does when it cannot tell has two values, and
// any other ends each smtpd. Postfix src/smtpd/smtpd_check.c, tempfail_actions.
func TestPostfixActions(t *testing.T) {
	eachStep(func(where string, s Step) {
		for line := range strings.Lines(s.Text) {
			name, value, _ := strings.Cut(line, "=")
			if value = strings.TrimSpace(value); strings.HasSuffix(strings.TrimSpace(name), "_tempfail_action") && value != "defer" && value != "defer_if_permit" {
				t.Errorf("%s: %q is neither defer nor defer_if_permit", where, line)
			}
		}
	})
}

// TestSendmailPorts: with one DAEMON_OPTIONS Sendmail opens the ports that are
// written and no others, and a submission port besides unless no_default_msa.
func TestSendmailPorts(t *testing.T) {
	eachStep(func(where string, s Step) {
		if strings.Contains(s.Text, "DAEMON_OPTIONS") && !strings.Contains(s.Text, "Port=smtp,") {
			t.Errorf("%s: %q closes port 25", where, s.Text)
		}
		if strings.Contains(s.Text, "Port=submission") && !strings.Contains(s.Text, "no_default_msa") {
			t.Errorf("%s: %q opens port 587 twice", where, s.Text)
		}
	})
}
