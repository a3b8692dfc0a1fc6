package resident

import (
	"fmt"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Of linux/userfaultfd.h.
const (
	uffdAPI          = 0xaa
	uffdUserModeOnly = 1
	uffdWPAsync      = 1 << 15 // since Linux 6.7
	uffdModeWP       = 1 << 1

	ioctlAPI      = 0xc018aa3f // _IOWR(uffdAPI, 0x3f, uffdioAPI)
	ioctlRegister = 0xc020aa00 // _IOWR(uffdAPI, 0x00, uffdioRegister)
)

type uffdioAPI struct{ api, features, ioctls uint64 }

type uffdioRegister struct{ begin, length, mode, ioctls uint64 }

// exact has the kernel map, of the file's pages in a part of memory, those that are
// touched and no others. By itself it maps all of the sixteen around each that the
// page cache has, and what is used of a large program is a page here and a page
// there. It does not where userfaultfd(2) watches for writes (mm/memory.c,
// should_fault_around). Nothing is ever write-protected here, and in the asynchronous
// mode no fault waits for an answer, so that nobody has to watch.
//
// The descriptor stays open, as closing it would end what was asked for.
func exact(parts []part) error {
	watcher, err := watcherOf()
	if err != nil {
		return err
	}
	for _, p := range parts {
		r := uffdioRegister{uint64(p.begin), uint64(p.end - p.begin), uffdModeWP, 0}
		if err := ioctl(watcher, ioctlRegister, unsafe.Pointer(&r)); err != nil {
			return fmt.Errorf("have pages of %x to %x mapped one by one: %w", p.begin, p.end, err)
		}
	}
	return nil
}

// watcherOf opens the descriptor by which memory is asked to be watched.
var watcherOf = sync.OnceValues(func() (uintptr, error) {
	fd, _, errno := unix.Syscall(unix.SYS_USERFAULTFD, unix.O_CLOEXEC|unix.O_NONBLOCK|uffdUserModeOnly, 0, 0)
	if errno != 0 {
		return 0, fmt.Errorf("open userfaultfd: %w", errno)
	}
	a := uffdioAPI{api: uffdAPI, features: uffdWPAsync}
	if err := ioctl(fd, ioctlAPI, unsafe.Pointer(&a)); err != nil {
		_ = unix.Close(int(fd))
		return 0, fmt.Errorf("ask userfaultfd not to wait for answers: %w", err)
	}
	return fd, nil
})

func ioctl(fd, request uintptr, argument unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, request, uintptr(argument)); errno != 0 {
		return errno
	}
	return nil
}
