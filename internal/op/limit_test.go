package op

import (
	"net/netip"
	"testing"
	"time"

	"limen/internal/call"
)

func TestLimiterCountsPerSource(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	l := NewLimiter(map[Rate]Budget{Guess: {PerSecond: 1, Burst: 2}}, func() time.Time { return now })
	o := &Op{Spec: Spec{Rate: Guess}}
	from := func(ip string) *Call { return &Call{Client: call.Client{IP: netip.MustParseAddr(ip)}} }
	a, b := from("2001:db8::1"), from("2001:db8::ffff") // one /64 is one source
	if l.Check(a, o) != nil || l.Check(b, o) != nil {
		t.Fatal("the burst is refused")
	}
	f := l.Check(a, o)
	if f == nil || f.After != 1 {
		t.Fatalf("third call: %+v", f)
	}
	if l.Check(from("2001:db8:0:1::1"), o) != nil {
		t.Fatal("another network pays for the first")
	}
	if l.Check(a, &Op{Spec: Spec{Rate: Unruled}}) != nil {
		t.Fatal("an unruled operation is limited")
	}
	now = now.Add(time.Second)
	if l.Check(a, o) != nil {
		t.Fatal("the budget does not refill")
	}
}
