package audit

import (
	"crypto/rand"
	"net/netip"
	"testing"
	"time"

	"limen/internal/call"
)

// BenchmarkRow makes the row of an event such as adding a user leaves: what each write costs beside the store.
func BenchmarkRow(b *testing.B) {
	l := &Log{Node: "n1"}
	c := &call.Call{ID: "0b5a3a2e-8a5b-4c8e-9b2c-3f1d2c4b5a69:0123456789abcdef0123456789abcdef", Tenant: call.Tenant{ID: "ABC1234"}, Now: time.Now(),
		Rand: rand.Reader, Caller: &call.Caller{User: "0193f0a0-0000-7000-8000-00000000aaaa", Name: "ann@example.com", Session: "0193f0a0-0000-7000-8000-00000000bbbb"},
		Client: call.Client{IP: netip.MustParseAddr("192.0.2.7"), UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"}}
	e := &call.Event{ID: c.NewID(), Type: UserCreate, Outcome: "success", Target: c.NewID(), Kind: "User", Name: "bob@example.com"}
	e.Set("PasswordNeverExpire", true)
	for name, to := range map[string]string{"Name": "bob@example.com", "DisplayName": "Bob Brown", "Mail": "bob@example.com", "Description": "of <Berlin>"} {
		call.Changed(e, name, "", to)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.row(c, e); err != nil {
			b.Fatal(err)
		}
	}
}
