package radius

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"
)

func TestNames(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	answer, cause := []netip.Addr{netip.MustParseAddr("::ffff:192.0.2.7")}, error(nil)
	var asked atomic.Int32
	n := &names{now: func() time.Time { return now }, lookup: func(context.Context, string) ([]netip.Addr, error) {
		asked.Add(1)
		return answer, cause
	}}
	// settle waits for what is under way in the background.
	settle := func() {
		n.mu.Lock()
		busy := n.busy
		n.mu.Unlock()
		if busy != nil {
			<-busy
		}
	}
	hosts := []string{"vpn.example.com"}
	has := func(ip string) bool {
		n.refresh(t.Context(), hosts)
		settle()
		return n.has(hosts[0], netip.MustParseAddr(ip))
	}
	n.refresh(t.Context(), hosts)
	if !n.has(hosts[0], netip.MustParseAddr("192.0.2.7")) {
		t.Error("the first packet does not wait for the name")
	}
	if has("192.0.2.8") || asked.Load() != 1 {
		t.Error("it has another address, or was looked up again", asked.Load())
	}
	answer, now = []netip.Addr{netip.MustParseAddr("192.0.2.8")}, now.Add(nameFresh)
	if !has("192.0.2.8") || has("192.0.2.7") || asked.Load() != 2 {
		t.Error("its new address is not known", asked.Load())
	}
	// While nobody answers, the last answer counts for an hour.
	cause, now = errors.New("no answer"), now.Add(nameFresh)
	if !has("192.0.2.8") {
		t.Error("it is forgotten at once")
	}
	if now = now.Add(nameKept); has("192.0.2.8") {
		t.Error("it is kept for ever")
	}
	cause, now = nil, now.Add(nameFresh)
	if !has("192.0.2.8") {
		t.Error("it does not come back")
	}
	cause, now = &net.DNSError{IsNotFound: true}, now.Add(nameFresh)
	if has("192.0.2.8") {
		t.Error("a name that does not exist has an address")
	}
	hosts = []string{"other.example.com"}
	cause = nil
	if !has("192.0.2.8") || n.has("vpn.example.com", answer[0]) || len(n.known) != 1 {
		t.Error("a name that no client has is kept", n.known)
	}
}
