package app

import (
	"os"
	"regexp"
	"strconv"
	"testing"
)

func TestReadOnly(t *testing.T) {
	for line, want := range map[string]uintptr{
		"00400000-01d24000 r-xp 00000000 fe:00 10274998                           /opt/limen":           0x1924000,
		"01d24000-03a2e000 r--p 01924000 fe:00 10274998                           /opt/limen":           0x1d0a000,
		"03a2e000-03d4c000 rw-p 0362e000 fe:00 10274998                           /opt/limen":           0,
		"7f372005c000-7f3720064000 r--s 00000000 fe:00 10094912                   /opt/limen":           0,
		"7f37e5c1a000-7f37e5c40000 r--p 00000000 fe:00 326269                     /usr/lib/libc.so.6":   0,
		"7f37e5c1a000-7f37e5c40000 r--p 00000000 00:00 0 ":                                              0,
		"01d24000 r--p 01924000 fe:00 10274998                           /opt/limen":                    0,
		"01d24000-03a2e000 r--p 01924000 fe:00 10274998                           /opt/limen (deleted)": 0,
	} {
		if _, n, ok := readOnly(line, "/opt/limen"); n != want || ok != (want > 0) {
			t.Errorf("%s: %x, %v", line, n, ok)
		}
	}
}

// What was given back is there again when it is needed: here, all that the rest of the tests runs.
func TestGivesBackWhatTheStartNeeded(t *testing.T) {
	before := mapped(t)
	unmapStart()
	if after := mapped(t); after > before/2 {
		t.Errorf("%d KiB of files are mapped, and %d before", after, before)
	}
}

func mapped(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(regexp.MustCompile(`RssFile:\s+(\d+) kB`).FindStringSubmatch(string(status))[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
