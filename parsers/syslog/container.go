package syslog

import (
	"strings"
	"time"

	"github.com/relaylens/relaylens"
)

// partial is a container's line of which the end is missing: Docker cuts at 16
// KiB, container runtimes at their buffer. One stream each of stdout and stderr.
type partial struct {
	buf  []byte
	env  relaylens.Envelope
	line relaylens.Line
}

func (p *partial) add(s string) {
	p.buf = append(p.buf, s[:min(len(s), relaylens.MaxLine-len(p.buf))]...)
}

func (p *partial) flush(d *Decoder) {
	if len(p.buf) == 0 {
		return
	}
	p.env.Text = string(p.buf)
	d.ready = append(d.ready, record{env: p.env, line: p.line, wrapped: true})
	*p = partial{}
}

// inContainer is the time t that a container wrote without a zone within a line
// that its runtime stamped: containers mostly show UTC, wherever the machine is.
func inContainer(t, outer time.Time) time.Time {
	const near = time.Minute
	if outer.IsZero() || t.Sub(outer).Abs() <= near {
		return t
	}
	_, offset := t.Zone()
	if wall := t.Add(time.Duration(offset) * time.Second).UTC(); wall.Sub(outer).Abs() <= near {
		return wall
	}
	return t
}

// container decodes a payload, or keeps it until the rest of its line comes.
// env has the time that the runtime gave it.
func (d *Decoder) container(line *relaylens.Line, stream byte, payload string, complete bool, env *relaylens.Envelope) Status {
	p := &d.partials[0]
	if env.Stderr = stream == 'e'; env.Stderr {
		p = &d.partials[1]
	}
	if !complete {
		p.add(payload)
		p.env, p.line = *env, cloneLine(line)
		p.env.Host, p.env.Program, p.env.Text = strings.Clone(env.Host), "", ""
		return Pending
	}
	if len(p.buf) > 0 {
		p.add(payload)
		payload = string(p.buf)
		*p = partial{}
	}
	return d.record(line, strings.TrimRight(payload, "\r\n"), env, 1)
}

// cutCRI reads what follows the stamp in the Kubernetes CRI format: "stdout F
// payload". stream is 'o' or 'e'. Further tags may follow the first, after a colon.
func cutCRI(s string) (stream byte, partial bool, payload string, ok bool) {
	rest, ok := strings.CutPrefix(s, "std")
	if !ok {
		return 0, false, "", false
	}
	name, rest, _ := strings.Cut(rest, " ")
	if name != "out" && name != "err" || rest == "" || (rest[0] != 'F' && rest[0] != 'P') {
		return 0, false, "", false
	}
	if len(rest) > 1 && rest[1] != ' ' && rest[1] != ':' {
		return 0, false, "", false
	}
	_, payload, _ = strings.Cut(rest, " ")
	return name[0], rest[0] == 'P', payload, true
}

// cutPod reads the prefix of kubectl logs --prefix: "[pod/name/container] ".
func cutPod(s string) (pod, payload string, ok bool) {
	s, ok = strings.CutPrefix(s, "[pod/")
	if !ok {
		return "", "", false
	}
	path, payload, ok := strings.Cut(s, "] ")
	if !ok {
		path, ok = strings.CutSuffix(s, "]")
	}
	pod, _, slash := strings.Cut(path, "/")
	return pod, payload, ok && slash
}

// cutService reads the prefix of docker compose logs: "mail-1  | ".
func cutService(s string) (service, payload string, ok bool) {
	const longest = 128
	i := 0
	for i < len(s) && i < longest && (alnum(s[i]) || s[i] == '-' || s[i] == '_' || s[i] == '.' || s[i] == '@') {
		i++
	}
	end := i
	for i < len(s) && i < longest && s[i] == ' ' {
		i++
	}
	if end == 0 || i >= len(s) || s[i] != '|' {
		return "", "", false
	}
	if i+1 == len(s) {
		return s[:end], "", true
	}
	return s[:end], s[i+2:], s[i+1] == ' '
}
