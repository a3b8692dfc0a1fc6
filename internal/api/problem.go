package api

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/relaylens/relaylens"
)

// problem is what a request is refused with: RFC 9457, with what to do.
type problem struct {
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	Parameter string `json:"parameter,omitempty"`
	Value     string `json:"value,omitempty"`
	Remedy    string `json:"remedy,omitempty"`
}

// maxQuoted is how much of a value an answer repeats.
const maxQuoted = 200

// wrong is the problem of a parameter's value.
func wrong(parameter, value, remedy, format string, args ...any) *problem {
	return &problem{Status: http.StatusBadRequest, Parameter: parameter, Value: relaylens.Escaped(value, maxQuoted),
		Detail: fmt.Sprintf(format, args...), Remedy: remedy}
}

// refuse answers with a problem.
func (c *call) refuse(p problem) {
	p.Title = http.StatusText(p.Status)
	p.Detail = relaylens.Escaped(p.Detail, 1000)
	text, err := json.Marshal(p)
	if err != nil {
		http.Error(c.w, p.Title, p.Status)
		return
	}
	c.w.Header().Set("Content-Type", "application/problem+json")
	c.w.WriteHeader(p.Status)
	_, _ = c.w.Write(append(text, '\n')) // a client that left is no concern of ours
}

// busy asks the client to come again.
func (c *call) busy(format string, args ...any) {
	c.w.Header().Set("Retry-After", "1")
	c.refuse(problem{Status: http.StatusServiceUnavailable, Detail: fmt.Sprintf(format, args...) + " already", Remedy: "ask again in a moment"})
}
