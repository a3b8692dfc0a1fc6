package ask

import (
	"github.com/relaylens/relaylens"
	"github.com/relaylens/relaylens/classifier/knowledge"
	"github.com/relaylens/relaylens/summary"
)

// diagnoses adds to findings what is known of their causes; it is never nil.
func diagnoses(findings []relaylens.Finding) []*summary.Diagnosis {
	list := make([]*summary.Diagnosis, len(findings))
	for i := range findings {
		list[i] = diagnose(&findings[i])
	}
	return list
}

// diagnose fills in the knowledge of the cause from the evidence.
func diagnose(f *relaylens.Finding) *summary.Diagnosis {
	d := &summary.Diagnosis{Finding: *f, Fixes: []summary.DiagnosisFix{}}
	entry := knowledge.OfFinding(f).Fill(&f.Evidence[0])
	d.Title, d.Text = entry.Title, entry.Text
	for i := range entry.Fixes {
		fix := &entry.Fixes[i]
		told := summary.DiagnosisFix{Title: fix.Title, Rate: fix.Rate, Steps: []string{}}
		for _, step := range fix.Steps(f.MTA) {
			told.Steps = append(told.Steps, stepText(&step))
		}
		d.Fixes = append(d.Fixes, told)
	}
	return d
}

// stepText is a step as it is shown: a sentence, a command, or what belongs into
// a file.
func stepText(s *knowledge.Step) string {
	switch {
	case s.Run != "":
		return "# " + s.Run
	case s.File != "":
		return s.File + ":\n" + s.Text
	}
	return s.Say
}
