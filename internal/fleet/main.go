// Command fleet runs a whole fleet on one machine, to look at: three NATS
// servers, mail servers whose logs grow, a relaylens on each that ships, and two
// readers. `make fleet` starts it; ctrl-c ends all of it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/relaylens/relaylens/internal/demo"
)

func main() {
	f := fleet{out: os.Stdout}
	flag.StringVar(&f.program, "relaylens", "bin/relaylens", "the program to show")
	flag.StringVar(&f.server, "nats-server", "bin/nats-server", "the NATS server")
	flag.IntVar(&f.shippers, "shippers", 6, "how many mail servers there are; at five a client that tries them all stands out")
	flag.IntVar(&f.rate, "rate", 20, "refusals a second of each")
	demo.Main("fleet", f.run)
}

// fleet is one show.
type fleet struct {
	program, server string
	shippers, rate  int
	out             io.Writer

	dir     string // temporary: all that the programs write
	urls    []string
	running []*exec.Cmd
	readers []string // their addresses
	logs    []*mailLog
}

func (f *fleet) run(ctx context.Context) (err error) {
	if f.dir, err = os.MkdirTemp("", "relaylens-fleet-"); err != nil {
		return fmt.Errorf("make a place for the fleet: %w", err)
	}
	defer os.RemoveAll(f.dir)
	defer func() { err = errors.Join(err, f.end()) }()
	if err := f.cluster(ctx); err != nil {
		return err
	}
	for _, name := range []string{"reader1", "reader2"} {
		if err := f.reader(ctx, name); err != nil {
			return err
		}
	}
	for i := range f.shippers {
		if err := f.shipper(ctx, fmt.Sprint("mx", i+1)); err != nil {
			return err
		}
	}
	fmt.Fprintf(f.out, "NATS      %s\n", strings.Join(f.urls, " "))
	for i, address := range f.readers {
		fmt.Fprintf(f.out, "reader%d   http://%s/   %s summary --data-dir %s\n", i+1, address, f.program, filepath.Join(f.dir, fmt.Sprint("reader", i+1)))
	}
	fmt.Fprintf(f.out, "logs      %s\nend with  ctrl-c\n\n", f.dir)
	return f.play(ctx)
}

// cluster starts three servers on free ports and waits until they have a leader.
func (f *fleet) cluster(ctx context.Context) error {
	ports, err := demo.FreeAddresses(ctx, 6)
	if err != nil {
		return err
	}
	var routes []string
	for _, p := range ports[3:] {
		routes = append(routes, "nats://"+p)
	}
	for i, address := range ports[:3] {
		name := fmt.Sprint("n", i+1)
		conf := fmt.Sprintf("server_name: %s\nlisten: %q\njetstream { store_dir: %q, max_file_store: 2GB }\ncluster { name: fleet, listen: %q, routes: [%s] }\n",
			name, address, filepath.Join(f.dir, name), ports[3+i], quoted(routes))
		if err := f.start(name, conf, f.server, "-c"); err != nil {
			return err
		}
		f.urls = append(f.urls, "nats://"+address)
	}
	return nil
}

func (f *fleet) reader(ctx context.Context, name string) error {
	ports, err := demo.FreeAddresses(ctx, 1)
	if err != nil {
		return err
	}
	f.readers = append(f.readers, ports[0])
	return f.start(name, f.config(name, ports[0], "{type: nats}"), f.program, "serve", "--config")
}

func (f *fleet) shipper(ctx context.Context, name string) error {
	ports, err := demo.FreeAddresses(ctx, 1)
	if err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(f.dir, name+".mail.log"))
	if err != nil {
		return fmt.Errorf("create log: %w", err)
	}
	f.logs = append(f.logs, &mailLog{host: name, file: log})
	return f.start(name, f.config(name, ports[0], fmt.Sprintf("{path: %q, start: begin}", log.Name())), f.program, "serve", "--config")
}

func (f *fleet) config(name, listen, source string) string {
	return fmt.Sprintf("listen: %q\ndata_dir: %q\ntimezone: UTC\nsources: [%s]\nnats:\n  urls: [%s]\n  host: %s\n  delay: 1s\n  stream: {replicas: 3, max_size: 500MB}\n",
		listen, filepath.Join(f.dir, name), source, quoted(f.urls), name)
}

func quoted(list []string) string { return `"` + strings.Join(list, `", "`) + `"` }

// start runs a program with a configuration, in a process group of its own:
// ctrl-c on the terminal is for us to pass on.
func (f *fleet) start(name, conf, program string, args ...string) error {
	path := filepath.Join(f.dir, name+".conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	log, err := os.Create(filepath.Join(f.dir, name+".log"))
	if err != nil {
		return fmt.Errorf("create log: %w", err)
	}
	defer log.Close()
	// Not bound to the context: the programs are told to end, not killed.
	cmd := exec.Command(program, append(args, path)...) //nolint:noctx,gosec // see above; the programs are the caller's choice
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	f.running = append(f.running, cmd)
	return nil
}

// end tells the programs to end, the last one first, and waits for them.
func (f *fleet) end() error {
	var errs []error
	for i := len(f.running) - 1; i >= 0; i-- {
		cmd := f.running[i]
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
			errs = append(errs, fmt.Errorf("stop %s: %w", cmd.Path, err))
		}
		if i >= 3 { // a server says by its status that it was told to
			if err := cmd.Wait(); err != nil {
				errs = append(errs, fmt.Errorf("stop %s: %w", cmd.Path, err))
			}
		}
	}
	for _, cmd := range f.running[:min(3, len(f.running))] {
		_ = cmd.Wait()
	}
	for _, l := range f.logs {
		errs = append(errs, l.file.Close())
	}
	return errors.Join(errs...)
}
