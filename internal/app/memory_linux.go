package app

import (
	"bufio"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// unmapStart lets the system take back the pages of the program's file that only its start needed, two thirds of all that it has mapped. What is
// still needed is mapped again when it is touched, from the page cache as a rule. Parts that can be written are left alone.
func unmapStart() {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if from, n, ok := readOnly(lines.Text(), exe); ok {
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, from, n, unix.MADV_DONTNEED) // refused: it stays as it is
		}
	}
}

// readOnly reads a line of /proc/self/maps: where a part of a file lies that is never written to.
func readOnly(line, file string) (from, n uintptr, ok bool) {
	field := strings.Fields(line)
	if len(field) != 6 || field[5] != file || field[1] != "r-xp" && field[1] != "r--p" {
		return 0, 0, false
	}
	first, last, _ := strings.Cut(field[0], "-")
	a, err := strconv.ParseUint(first, 16, 64)
	b, err2 := strconv.ParseUint(last, 16, 64)
	if err != nil || err2 != nil || a >= b {
		return 0, 0, false
	}
	return uintptr(a), uintptr(b - a), true
}
