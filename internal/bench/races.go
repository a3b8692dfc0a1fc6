package main

import (
	"context"
	"fmt"
	"time"
)

func wall(s sample) time.Duration { return s.wall }

func group(tools []tool) []*series {
	var all []*series
	for _, t := range tools {
		all = append(all, &series{name: t.name, tool: t})
	}
	return all
}

// race has the fast tools read l.
func (b *bench) race(ctx context.Context, l *log) error {
	all := group(b.fast(l))
	if err := b.run(ctx, fmt.Sprintf("%s %s", l.mta, b.size), all); err != nil {
		return err
	}
	t := b.page.table(l.mta, fmt.Sprintf("%s, %s lines, %s refusals, %d rounds. `grep -c` looks for `%s`.",
		megabytes(l.Bytes), thousands(l.Lines), thousands(int64(l.Refusals)), b.rounds, phrases[l.mta].denied),
		"tool", "wall s", "CPU s", "user", "sys", "RSS MiB", "MB/s of CPU", "× `wc -l`", "× `grep -c`", "× `grep -cE`")
	for _, s := range all {
		t.row(s.name, seconds(s.duration(wall)), seconds(s.duration(sample.cpu)),
			seconds(s.duration(func(x sample) time.Duration { return x.user })), seconds(s.duration(func(x sample) time.Duration { return x.sys })),
			mebibytes(s.rss()), rate(l.Bytes, s.duration(sample.cpu)),
			s.against(all[2], sample.cpu).String(), s.against(all[3], sample.cpu).String(), s.against(all[4], sample.cpu).String())
	}
	goal := 4.0
	if l.mta == "postfix" {
		goal = 3
		b.page.goal("wall of `summary`, postfix, × `grep -c`", all[0].against(all[3], wall), 2)
	}
	b.page.goal(fmt.Sprintf("CPU of `summary`, %s, × `grep -c`", l.mta), all[0].against(all[3], sample.cpu), goal)
	b.page.goal(fmt.Sprintf("RSS of `summary`, %s, 20,000 clients, MiB", l.mta), exactly(float64(all[0].rss())/(1<<20)), 32)
	b.page.summaries = append(b.page.summaries, done{l.mta, l.Bytes, all[0].duration(sample.cpu)})
	return nil
}

// archive has relaylens and zcat read a compressed log.
func (b *bench) archive(ctx context.Context, m *maker) error {
	plain, err := m.log(ctx, "postfix", b.size, 0)
	if err != nil {
		return err
	}
	l, err := m.gzipped(ctx, plain)
	if err != nil {
		return err
	}
	all := group([]tool{
		{name: "relaylens summary", args: []string{b.relaylens, "summary", l.path}},
		{name: "relaylens parse", args: []string{b.relaylens, "parse", l.path}, check: understood(l)},
		{name: "zcat >/dev/null", args: []string{"zcat", l.path}},
	})
	all[2].discard = "/dev/null"
	if err := b.run(ctx, "gzip", all); err != nil {
		return err
	}
	t := b.page.table("postfix, compressed", fmt.Sprintf("The same file, compressed by `gzip`, %d rounds.", b.rounds),
		"tool", "wall s", "CPU s", "RSS MiB", "wall × `zcat`", "CPU × `zcat`")
	for _, s := range all {
		t.row(s.name, seconds(s.duration(wall)), seconds(s.duration(sample.cpu)), mebibytes(s.rss()),
			s.against(all[2], wall).String(), s.against(all[2], sample.cpu).String())
	}
	b.page.goal("wall of `summary`, .gz, × `zcat`", all[0].against(all[2], wall), 1)
	return nil
}

// many has relaylens read a log of many clients, users and domains.
func (b *bench) many(ctx context.Context, m *maker) error {
	if b.unique == 0 {
		return nil
	}
	l, err := m.log(ctx, "postfix", b.size, b.unique)
	if err != nil {
		return err
	}
	all := group([]tool{
		{name: "relaylens summary", args: []string{b.relaylens, "summary", l.path}},
		{name: "relaylens parse", args: []string{b.relaylens, "parse", l.path}, check: understood(l)},
		{name: "grep -c", args: []string{"grep", "-c", phrases["postfix"].denied, l.path}, env: []string{"LC_ALL=C"}},
	})
	if err := b.run(ctx, "many clients", all); err != nil {
		return err
	}
	t := b.page.table("postfix, as many clients as can be", fmt.Sprintf("%s, %s lines, %s refusals of %s clients, each with users and domains of its own, %d rounds.",
		megabytes(l.Bytes), thousands(l.Lines), thousands(int64(l.Refusals)), thousands(int64(l.Clients)), b.rounds),
		"tool", "wall s", "CPU s", "RSS MiB", "CPU × `grep -c`")
	for _, s := range all {
		t.row(s.name, seconds(s.duration(wall)), seconds(s.duration(sample.cpu)), mebibytes(s.rss()), s.against(all[2], sample.cpu).String())
	}
	b.page.goal(fmt.Sprintf("RSS of `summary`, %s clients refused, MiB", thousands(int64(l.Clients))), exactly(float64(all[0].rss())/(1<<20)), 64)
	return nil
}

// slowTools runs what takes minutes on a gigabyte once, on less. Its time is
// scaled by the bytes, which is to its favour: their tables grow with the file.
func (b *bench) slowTools(ctx context.Context, m *maker) error {
	t := b.page.table("other analyzers", fmt.Sprintf("One run each on %s, whose CPU is scaled by the bytes and compared with the `relaylens summary` above.", b.slow),
		"log", "tool", "CPU s", "RSS MiB", "MB/s of CPU", "CPU s a GB", "`relaylens summary` is faster")
	goals := map[string]float64{"pflogsumm": 70, "eximstats": 70, "mtail": 150}
	for _, s := range b.page.summaries {
		for _, name := range peers[s.mta] {
			l, err := m.log(ctx, s.mta, b.slow, 0)
			if err != nil {
				return err
			}
			p, ok := b.peer(name, l)
			if !ok {
				t.row(s.mta, name, "not installed", "", "", "", "")
				continue
			}
			x, err := b.once(ctx, p, "")
			if err != nil {
				return err
			}
			perByte := x.cpu().Seconds() / float64(l.Bytes)
			times := perByte / (s.cpu.Seconds() / float64(s.bytes))
			t.row(s.mta, name, seconds(x.cpu()), mebibytes(x.rss), rate(l.Bytes, x.cpu()), fmt.Sprintf("%.1f", perByte*1e9), fmt.Sprintf("%.0f ×", times))
			b.page.atLeast(fmt.Sprintf("%s, × the CPU of `summary`", name), times, goals[name])
		}
	}
	return nil
}
