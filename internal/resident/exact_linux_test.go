package resident

import (
	"encoding/binary"
	"errors"
	"os"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A page that is touched comes without those around it.
func TestExact(t *testing.T) {
	const pages, size = 64, 4096
	if os.Getpagesize() != size {
		return // fewer pages are mapped at once where they are larger
	}
	memory := mapped(t, pages*size)
	begin := uintptr(unsafe.Pointer(&memory[0]))
	switch err := exact([]part{{begin, begin + pages*size}}); {
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EINVAL), errors.Is(err, unix.EPERM):
		t.Logf("this kernel maps pages only as it likes: %v", err)
		return
	case err != nil:
		t.Fatal(err)
	}
	for _, page := range []int{17, 40, 3} {
		if got := memory[page*size]; got != byte(page) {
			t.Errorf("page %d begins with %d", page, got)
		}
	}
	for page, in := range present(t, begin, pages) {
		if want := page == 17 || page == 40 || page == 3; in != want {
			t.Errorf("page %d is mapped: %t, want %t", page, in, want)
		}
	}
}

// mapped is a file of so many bytes in memory, each page of which begins with its
// number, and none of which was touched.
func mapped(t *testing.T, size int) []byte {
	content := make([]byte, size)
	for at := 0; at < size; at += os.Getpagesize() {
		content[at] = byte(at / os.Getpagesize())
	}
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(content); err != nil {
		t.Fatal(err)
	}
	memory, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Munmap(memory) })
	return memory
}

// present tells of each page whether it is mapped (proc_pid_pagemap(5), bit 63).
func present(t *testing.T, begin uintptr, pages int) (in []bool) {
	f, err := os.Open("/proc/self/pagemap")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	entries := make([]byte, 8*pages)
	if _, err := f.ReadAt(entries, int64(begin)/int64(os.Getpagesize())*8); err != nil {
		t.Fatal(err)
	}
	for ; len(entries) > 0; entries = entries[8:] {
		in = append(in, binary.NativeEndian.Uint64(entries)>>63 == 1)
	}
	return in
}
