package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// maker makes logs, or finds them where an earlier run left them.
type maker struct {
	bench *bench
	dir   string // temporary, of the program
	path  string
	id    string // of the program's version
}

// log is a generated one.
type log struct {
	mta, path string
	Lines     int64  `json:"lines"`
	Bytes     int64  `json:"bytes"`
	Refusals  uint64 `json:"refusals"`
	Clients   int    `json:"clients"`
}

// newMaker builds the generator. Its bytes name its version: the same sources
// give the same program.
func newMaker(ctx context.Context, b *bench) (*maker, error) {
	dir, err := os.MkdirTemp("", "relaylens-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a place for the generator: %w", err)
	}
	m := &maker{bench: b, dir: dir, path: filepath.Join(dir, "generate")}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o", m.path, "./internal/generate")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		m.close()
		return nil, fmt.Errorf("build the generator: %w", err)
	}
	f, err := os.Open(m.path)
	if err != nil {
		m.close()
		return nil, fmt.Errorf("read the generator: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		m.close()
		return nil, fmt.Errorf("read the generator: %w", err)
	}
	m.id = fmt.Sprintf("%x", h.Sum(nil)[:4])
	return m, nil
}

func (m *maker) close() { os.RemoveAll(m.dir) }

// log is one of mta, of about size. With unique not 0, nearly every session is
// of another of so many clients.
func (m *maker) log(ctx context.Context, mta, size string, unique int) (*log, error) {
	name := fmt.Sprintf("%s-%s-%d-%s.log", mta, size, m.bench.seed, m.id)
	args := []string{"-mta", mta, "-size", size, "-seed", strconv.FormatUint(m.bench.seed, 10)}
	if unique > 0 {
		name = fmt.Sprintf("%d-%s", unique, name)
		args = append(args, "-uniform", "-clients", strconv.Itoa(unique))
	}
	path := filepath.Join(m.bench.dir, name)
	truth := path + ".json" // written last: without it the log is not whole
	if _, err := os.Stat(truth); err != nil {
		fmt.Fprintln(os.Stderr, "writing", path)
		cmd := exec.CommandContext(ctx, m.path, append(args, "-out", path, "-truth", truth)...)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("generate %s: %w", path, err)
		}
	}
	b, err := os.ReadFile(truth)
	if err != nil {
		return nil, fmt.Errorf("read the truth: %w", err)
	}
	l := &log{mta: mta, path: path}
	if err := json.Unmarshal(b, l); err != nil {
		return nil, fmt.Errorf("read the truth in %s: %w", truth, err)
	}
	return l, nil
}

// gzipped is l, compressed as logrotate does it.
func (m *maker) gzipped(ctx context.Context, l *log) (*log, error) {
	z := *l
	z.path += ".gz"
	if _, err := os.Stat(z.path); err == nil {
		return &z, nil
	}
	fmt.Fprintln(os.Stderr, "writing", z.path)
	part, err := os.Create(z.path + ".part")
	if err != nil {
		return nil, fmt.Errorf("compress %s: %w", l.path, err)
	}
	defer part.Close()
	cmd := exec.CommandContext(ctx, "gzip", "-c", l.path)
	cmd.Stdout, cmd.Stderr = part, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("compress %s: %w", l.path, err)
	}
	if err := os.Rename(part.Name(), z.path); err != nil {
		return nil, fmt.Errorf("compress %s: %w", l.path, err)
	}
	return &z, nil
}
