package tailer

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/relaylens/relaylens"
)

// handle is an open file. It is an interface so that tests can have file
// systems that fail.
type handle interface {
	io.ReaderAt
	Stat() (os.FileInfo, error)
	Close() error
}

// openHandle opens a regular file. Without O_NONBLOCK a pipe that has taken
// its place would block us.
func openHandle(path string) (handle, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// A sibling is a file beside a followed path that a rotation may have made of
// what the path named.
type sibling struct {
	path   string
	suffix string // what the rotation added to the name; empty for other names
	id     fileID
	size   int64
	mtime  time.Time
	ctime  time.Time

	packed bool
	origin relaylens.Origin // zero while its first line is unfinished
	failed bool             // it is an archive that is cut off or damaged
}

// alike reports whether nothing was written to c since it was o.
func (c *sibling) alike(o *sibling) bool {
	return c.id == o.id && c.size == o.size && c.mtime.Equal(o.mtime)
}

func newSibling(path, suffix string, fi os.FileInfo) sibling {
	c := sibling{path: path, suffix: suffix, id: idOf(fi), size: fi.Size(), mtime: fi.ModTime()}
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		c.ctime = changed(st)
	}
	return c
}

// stableListings is how often a folder is read to get the same twice: names
// that move meanwhile may be missing.
const stableListings = 10

// quietFolder is how long a folder must have been left alone for what was read of
// it to be all: the times of files tick.
const quietFolder = 50 * time.Millisecond

// folders are what was read of folders that did not change since.
type folders map[string]folder

type folder struct {
	mtime, read time.Time
	names       []string
}

// list reads the names in dir.
func (fs folders) list(dir string) ([]string, error) {
	fi, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if d, ok := fs[dir]; ok && d.mtime.Equal(fi.ModTime()) && d.read.Sub(d.mtime) > quietFolder {
		return d.names, nil
	}
	now := time.Now()
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	fs[dir] = folder{fi.ModTime(), now, names}
	return names, nil
}

// siblings lists the files beside path, and beside what path links to, that
// have a suffix, or one of ids, and that wanted accepts.
func (fs folders) siblings(path string, ids []fileID, wanted func(*sibling) bool) ([]sibling, error) {
	last, err := fs.beside(path, ids, wanted)
	for range stableListings {
		if err != nil {
			return nil, err
		}
		var again []sibling
		again, err = fs.beside(path, ids, wanted)
		if slices.EqualFunc(last, again, func(a, b sibling) bool { return a.path == b.path && a.id == b.id }) {
			break
		}
		last = again
	}
	return last, err
}

func (fs folders) beside(path string, ids []fileID, wanted func(*sibling) bool) ([]sibling, error) {
	var all []sibling
	seen := map[fileID]bool{}
	bases := []string{filepath.Clean(path)}
	if target, err := filepath.EvalSymlinks(path); err == nil && target != bases[0] {
		bases = append(bases, target)
	}
	for _, base := range bases {
		dir := filepath.Dir(base)
		names, err := fs.list(dir)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			suffix := rotationSuffix(base, filepath.Join(dir, name))
			if name == filepath.Base(base) || suffix == "" && len(ids) == 0 {
				continue
			}
			fi, err := os.Lstat(filepath.Join(dir, name))
			if err != nil || !fi.Mode().IsRegular() {
				continue
			}
			c := newSibling(filepath.Join(dir, name), suffix, fi)
			if !seen[c.id] && (suffix != "" || slices.Contains(ids, c.id)) && wanted(&c) {
				seen[c.id] = true
				all = append(all, c)
			}
		}
	}
	return all, nil
}

// identify finds out what a sibling holds; false when it is gone by now, or
// cannot be read.
func (c *sibling) identify(open func(string) (handle, error)) bool {
	f, err := open(c.path)
	if err != nil {
		return false
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil || idOf(fi) != c.id {
		return false
	}
	c.size = fi.Size()
	packed, more := compressed(f)
	if more && archiveName(c.path) {
		return false // it is being written
	}
	if c.packed = packed; !packed {
		c.origin, err = originOf(f)
		return err == nil
	}
	r := NewReader(c.path, io.NewSectionReader(f, 0, math.MaxInt64), fi.ModTime())
	defer r.Close()
	b, err := r.Next()
	if err == nil {
		c.origin = b.Lines[0].Origin
	}
	return err == nil || errors.Is(err, io.EOF)
}

// rotationSuffix is what a rotation of path added to get name, without the
// suffix of an archive: ".1" of mail.log.1.gz, "-20261121" of mail-20261121.log;
// empty when name is not made from path.
func rotationSuffix(path, name string) string {
	base, other := filepath.Base(path), filepath.Base(name)
	ext := filepath.Ext(base)
	if !strings.HasPrefix(other, strings.TrimSuffix(base, ext)) || filepath.Dir(path) != filepath.Dir(name) {
		return ""
	}
	if archiveName(other) {
		if other = strings.TrimSuffix(other, filepath.Ext(other)); other == base {
			return "."
		}
	}
	if len(other) <= len(base) {
		return ""
	}
	rest, ok := strings.CutPrefix(other, base)
	if !ok {
		// mail-debug.log is another log.
		rest, ok = strings.CutPrefix(strings.TrimSuffix(other, ext), strings.TrimSuffix(base, ext))
		_, counted := generation(rest)
		ok = ok && strings.HasSuffix(other, ext) && (counted || dated(rest))
	}
	if !ok || !strings.ContainsRune("-._", rune(rest[0])) {
		return ""
	}
	return rest
}

// generation is the number in a suffix that counts rotations, as in ".2"; dates
// are longer.
func generation(suffix string) (int, bool) {
	if len(suffix) < 2 || len(suffix) > 6 {
		return 0, false
	}
	n, err := strconv.ParseUint(suffix[1:], 10, 31)
	return int(n), err == nil
}

// byAge sorts siblings, those that were written first at the front. The times
// of the files decide only where their names tell nothing: a writer that is
// late, a copy or a restored backup has a younger time than its content.
func byAge(all []sibling) {
	older := func(a, b sibling) int { return cmp.Or(a.mtime.Compare(b.mtime), a.ctime.Compare(b.ctime)) }
	switch {
	case !slices.ContainsFunc(all, func(c sibling) bool { _, ok := generation(c.suffix); return !ok }):
		byNumber(all, older)
	case !slices.ContainsFunc(all, func(c sibling) bool { return !dated(c.suffix) || len(c.suffix) != len(all[0].suffix) }):
		slices.SortFunc(all, func(a, b sibling) int { return cmp.Or(cmp.Compare(a.suffix, b.suffix), older(a, b)) })
	default:
		slices.SortFunc(all, func(a, b sibling) int { return cmp.Or(older(a, b), cmp.Compare(a.path, b.path)) })
	}
}

func dated(suffix string) bool {
	const digits = "0123456789"
	return len(suffix) >= 9 && strings.ContainsRune(digits, rune(suffix[1])) && strings.Trim(suffix, digits+"-._T") == ""
}

// byNumber sorts by generation. logrotate, newsyslog and exicyclog shift: the
// highest number is the oldest. Others count on: most of the times tell which.
func byNumber(all []sibling, older func(a, b sibling) int) {
	slices.SortFunc(all, func(a, b sibling) int {
		m, _ := generation(a.suffix)
		n, _ := generation(b.suffix)
		return cmp.Or(cmp.Compare(n, m), older(a, b))
	})
	shifted := 0
	for i := 1; i < len(all); i++ {
		shifted -= older(all[i-1], all[i])
	}
	if shifted < 0 {
		slices.Reverse(all)
	}
}

func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESTALE)
}
