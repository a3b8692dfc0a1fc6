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
// its pages would come back as they are in the file. The parts stand one behind the
// other; what comes behind them is not read, as the kernel looks at each page to tell.
func fileParts(smaps io.Reader, program string) (parts []part) {
	var p part
	var candidate, ours bool
	lines := bufio.NewScanner(smaps)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		switch {
		case !strings.HasSuffix(name, ":"):
			before := ours
			if ours = strings.HasSuffix(value, " "+program); before && !ours {
				return parts
			}
			p, candidate = partOf(name, value)
			candidate = candidate && ours
		case name == "Anonymous:" && candidate && strings.TrimSpace(value) == "0 kB":
			parts = append(parts, p)
		}
	}
	return parts
}

// partOf reads the head of an entry: "00400000-00452000 r-xp 00000000 08:02 173521 /usr/bin/relaylens".
// It is not ok when what it has may be written, or is shared.
func partOf(addresses, rest string) (p part, ok bool) {
	mode, _, _ := strings.Cut(rest, " ")
	if len(mode) != 4 || mode[1] != '-' || mode[3] != 'p' {
		return part{}, false
	}
	from, to, _ := strings.Cut(addresses, "-")
	begin, beginErr := strconv.ParseUint(from, 16, 64)
	end, endErr := strconv.ParseUint(to, 16, 64)
	return part{uintptr(begin), uintptr(end)}, beginErr == nil && endErr == nil && begin < end
}
