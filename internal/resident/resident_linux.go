package resident

import (
	"bufio"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

func trim() {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer maps.Close()
	for _, p := range fileParts(maps, program) {
		// It is advice: what the kernel does not take stays.
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, p.begin, p.end-p.begin, unix.MADV_DONTNEED)
	}
}

// part is a range of addresses.
type part struct{ begin, end uintptr }

// fileParts are the parts of memory, by proc_pid_smaps(5), that are the same as in
// the file of the program. One that may be written, or that was once, as what is
// relocated at the start and where a debugger put a breakpoint, is none of them:
// its pages would come back as they are in the file.
func fileParts(smaps io.Reader, program string) (parts []part) {
	var p part
	var candidate bool
	lines := bufio.NewScanner(smaps)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		switch {
		case !strings.HasSuffix(name, ":"):
			p, candidate = partOf(name, value, program)
		case name == "Anonymous:" && candidate && strings.TrimSpace(value) == "0 kB":
			parts = append(parts, p)
		}
	}
	return parts
}

// partOf reads the head of an entry: "00400000-00452000 r-xp 00000000 08:02 173521 /usr/bin/relaylens".
func partOf(addresses, rest, program string) (p part, ok bool) {
	mode, _, _ := strings.Cut(rest, " ")
	if len(mode) != 4 || mode[1] != '-' || mode[3] != 'p' || !strings.HasSuffix(rest, " "+program) {
		return part{}, false
	}
	from, to, _ := strings.Cut(addresses, "-")
	begin, beginErr := strconv.ParseUint(from, 16, 64)
	end, endErr := strconv.ParseUint(to, 16, 64)
	return part{uintptr(begin), uintptr(end)}, beginErr == nil && endErr == nil && begin < end
}
