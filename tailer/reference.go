package tailer

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// rotationDate is what logrotate's dateext and Exim's %D append to a name.
var rotationDate = regexp.MustCompile(`[-._](\d{4})-?(\d{2})-?(\d{2})(?:[-_.]?\d{2}){0,3}(?:\.log)?$`)

// reference is a time near to, and not before, the lines of a file: when it
// was last written, or the end of the day in its name where that is earlier,
// as it is after somebody copied an old file.
func reference(path string, fi os.FileInfo, now time.Time) time.Time {
	ref := now
	if fi != nil && fi.Mode().IsRegular() {
		ref = fi.ModTime()
	}
	if day := nameDay(path); !day.IsZero() && day.Before(ref) {
		ref = day
	}
	return ref
}

// nameDay is the end of the day that path is named after, in local time; zero
// when it is named after none.
func nameDay(path string) time.Time {
	name := filepath.Base(path)
	if archiveName(name) {
		name = strings.TrimSuffix(name, filepath.Ext(name))
	}
	m := rotationDate.FindStringSubmatch(name)
	if m == nil {
		return time.Time{}
	}
	day, err := time.ParseInLocation("20060102", m[1]+m[2]+m[3], time.Local)
	if err != nil {
		return time.Time{}
	}
	return day.AddDate(0, 0, 1)
}
