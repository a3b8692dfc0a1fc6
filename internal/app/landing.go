package app

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
)

const style = `body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}`

// styleHash lets the content security policy allow this style and no other.
var styleHash = func() string {
	sum := sha256.Sum256([]byte(style))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}()

var landing = template.Must(template.New("landing").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>relaylens</title>
<style>{{.Style}}</style>
</head>
<body>
<h1>relaylens</h1>
<p>Which mail was refused, and why.{{with .Version}} Version {{.}}.{{end}}</p>
<ul>
<li><a href="metrics">Metrics</a></li>
<li><a href="-/healthy">Health</a></li>
<li><a href="-/ready">Readiness</a></li>
</ul>
</body>
</html>
`))

// landingPage shows where things are.
func landingPage(version string) http.Handler {
	var page bytes.Buffer
	err := landing.Execute(&page, struct {
		Style   template.CSS
		Version string
	}{style, version})
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err != nil {
			answer(w, http.StatusInternalServerError, err.Error())
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(page.Bytes()) // a client that left is no concern of ours
	})
}
