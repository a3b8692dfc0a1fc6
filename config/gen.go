//go:build ignore

// Command gen writes what is made from the tags of Config.
package main

import (
	"bytes"
	"io"
	"log"
	"os"

	"github.com/relaylens/relaylens/config"
)

func main() {
	log.SetFlags(0)
	write("../docs/configuration.md", config.WriteReference)
	write("../testdata/config/good-example.yml", config.WriteExample)
}

func write(path string, render func(io.Writer) error) {
	var b bytes.Buffer
	if err := render(&b); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}
