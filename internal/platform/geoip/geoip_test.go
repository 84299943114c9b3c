package geoip

import (
	"encoding/binary"
	"errors"
	"log/slog"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"limen/internal/platform/watched"
)

// database writes a small file in MaxMind's format (version 2.0 of its specification) that has networks of IPv4.
func database(t *testing.T, file string, at time.Time, countries map[string]string) {
	t.Helper()
	const empty = -1
	nodes := [][2]int{{empty, empty}}
	var data []byte
	leaves := map[[2]int]int{} // node and side -> offset of the data
	for network, code := range countries {
		p := netip.MustParsePrefix(network)
		raw, node := p.Addr().As4(), 0
		for i := range p.Bits() {
			bit := int(raw[i/8]>>(7-i%8)) & 1
			if i == p.Bits()-1 {
				leaves[[2]int{node, bit}] = len(data)
				break
			}
			if nodes[node][bit] == empty {
				nodes[node][bit] = len(nodes)
				nodes = append(nodes, [2]int{empty, empty})
			}
			node = nodes[node][bit]
		}
		if lat, lon, ok := strings.Cut(code, " "); ok {
			data = append(data, object("location", position(lat, lon))...)
			continue
		}
		data = append(data, object("country", object("iso_code", text(code)))...)
	}
	var out []byte
	for n, sides := range nodes {
		for bit, to := range sides {
			if offset, ok := leaves[[2]int{n, bit}]; ok {
				to = len(nodes) + 16 + offset
			} else if to == empty {
				to = len(nodes)
			}
			out = append(out, byte(to>>16), byte(to>>8), byte(to))
		}
	}
	out = append(append(out, make([]byte, 16)...), data...)
	out = append(out, "\xab\xcd\xefMaxMind.com"...)
	out = append(out, 0xe0|9)
	for _, member := range [][]byte{
		append(text("node_count"), whole(6, 4, uint64(len(nodes)))...), append(text("record_size"), whole(5, 2, 24)...),
		append(text("ip_version"), whole(5, 2, 4)...), append(text("database_type"), text("Test-Country")...),
		append(text("languages"), 0x00, 0x04), append(text("binary_format_major_version"), whole(5, 2, 2)...),
		append(text("binary_format_minor_version"), whole(5, 2, 0)...), append(text("build_epoch"), whole(9, 8, uint64(at.Unix()))...),
		append(text("description"), 0xe0),
	} {
		out = append(out, member...)
	}
	if err := os.WriteFile(file, out, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, at, at); err != nil {
		t.Fatal(err)
	}
}

func text(s string) []byte { return append([]byte{2<<5 | byte(len(s))}, s...) }

// object is a map of one member.
func object(key string, value []byte) []byte {
	return append(append([]byte{7<<5 | 1}, text(key)...), value...)
}

// position is a place that may be wrong by 20 km.
func position(lat, lon string) []byte {
	out := []byte{7<<5 | 3}
	for name, degrees := range map[string]string{"latitude": lat, "longitude": lon} {
		n, err := strconv.ParseFloat(degrees, 64)
		if err != nil {
			panic(err)
		}
		out = binary.BigEndian.AppendUint64(append(append(out, text(name)...), 3<<5|8), math.Float64bits(n))
	}
	return append(append(out, text("accuracy_radius")...), whole(5, 2, 20)...)
}

// whole is a number of a type; those beyond 7 are written behind the size.
func whole(kind, size byte, n uint64) []byte {
	b := binary.BigEndian.AppendUint64(nil, n)[8-size:]
	if kind > 7 {
		return append([]byte{size, kind - 7}, b...)
	}
	return append([]byte{kind<<5 | size}, b...)
}

func TestCountries(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.mmdb")
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	var log strings.Builder
	c := New(file, slog.New(slog.NewTextHandler(&log, nil)), func() time.Time { return now })
	of := func(ip, want string) {
		t.Helper()
		if got := c.Of(netip.MustParseAddr(ip)); got != want {
			t.Errorf("%s is in %q, not in %q; %s", ip, got, want, log.String())
		}
	}
	of("192.0.2.1", "")
	if strings.Count(log.String(), "cannot be read") != 1 {
		t.Error("a file that is not there is told of:", log.String())
	}
	database(t, file, now, map[string]string{"192.0.2.0/24": "DE", "198.51.100.0/25": "FR"})
	of("192.0.2.1", "") // it was looked at just now
	now = now.Add(watched.Every)
	of("192.0.2.1", "DE")
	of("::ffff:198.51.100.1", "FR")
	of("198.51.100.200", "")
	of("2001:db8::1", "")
	if c.Of(netip.Addr{}) != "" {
		t.Error("no address is nowhere")
	}
	database(t, file, now.Add(time.Second), map[string]string{"192.0.2.0/24": "at"})
	now = now.Add(watched.Every)
	of("192.0.2.1", "AT")
	if err := os.WriteFile(file, []byte("nothing of the kind"), 0o600); err != nil {
		t.Fatal(err)
	}
	now = now.Add(watched.Every)
	of("192.0.2.1", "AT") // what was known
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	now = now.Add(watched.Every)
	of("192.0.2.1", "AT")
}

func TestPositions(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.mmdb")
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	c := New(file, slog.New(slog.DiscardHandler), func() time.Time { return now })
	at := func(ip string) (Position, bool, error) { return c.At(netip.MustParseAddr(ip)) }
	if _, known, err := at("192.0.2.1"); known || !errors.Is(err, ErrUnread) {
		t.Error("nothing was read", known, err)
	}
	database(t, file, now, map[string]string{"192.0.2.0/24": "52.5 13.4", "198.51.100.0/25": "FR", "203.0.113.0/24": "95.5 13.4"})
	now = now.Add(watched.Every)
	if got, known, err := at("::ffff:192.0.2.9"); !known || err != nil || got != (Position{52.5, 13.4, 20}) {
		t.Error(got, known, err)
	}
	for _, ip := range []string{"198.51.100.1", "203.0.113.1", "2001:db8::1"} { // without one, on no globe, not there
		if got, known, err := at(ip); known || err != nil {
			t.Error(ip, got, err)
		}
	}
	if _, known, err := c.At(netip.Addr{}); known || err != nil {
		t.Error("no address is nowhere", err)
	}
}
