package resident

import (
	"os"
	"slices"
	"strings"
	"testing"
)

const smaps = `00400000-00452000 r-xp 00000000 08:02 173521                             /usr/bin/relaylens
Size:                328 kB
Rss:                 300 kB
Anonymous:             0 kB
AnonHugePages:         0 kB
VmFlags: rd ex mr mw me sd
00500000-00501000 r-xp 00000000 08:02 173521                             /usr/bin/relaylens
Anonymous:             4 kB
00651000-00652000 r--p 00051000 08:02 173521                             /usr/bin/relaylens
Anonymous:             0 kB
00652000-00655000 rw-p 00052000 08:02 173521                             /usr/bin/relaylens
Anonymous:             0 kB
00700000-00701000 r--s 00052000 08:02 173521                             /usr/bin/relaylens
Anonymous:             0 kB
7f0000000000-7f0000001000 r--p 00000000 08:02 5                          /usr/share/relaylens
Anonymous:             0 kB
7f0000002000-7f0000003000 r--p 00000000 00:00 0
Anonymous:             0 kB
`

func TestFileParts(t *testing.T) {
	got := fileParts(strings.NewReader(smaps), "/usr/bin/relaylens")
	if want := []part{{0x400000, 0x452000}, {0x651000, 0x652000}}; !slices.Equal(got, want) {
		t.Errorf("parts %x, want %x", got, want)
	}
}

// Whatever was given back is there again when it is needed.
func TestTrim(t *testing.T) {
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if len(fileParts(f, program)) == 0 {
		t.Error("no part of the program can be given back")
	}
	for range 3 {
		Trim()
		if got := strings.ToUpper("it still works"); got != "IT STILL WORKS" {
			t.Errorf("%q", got)
		}
	}
}
