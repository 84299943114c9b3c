package radius_test

import (
	"context"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // the protocol's
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"limen/internal/core/audit"
	"limen/internal/platform/udp"
	wire "limen/internal/wire/radius"
)

// listens has the device take requests that somebody's use ends, which answer answers; and gives what it heard.
func (d *device) listens(answer func(p wire.Packet, try int64) (wire.Code, []wire.Attribute)) <-chan wire.Packet {
	d.Helper()
	n := places.Add(1)
	d.at = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 93, byte(n >> 8), byte(n)}), 40000)
	at, heard := make(chan net.Addr, 1), make(chan wire.Packet, 10)
	var tries atomic.Int64
	s := &udp.Server{Addr: d.at.Addr().String() + ":0", Log: slog.New(slog.DiscardHandler), Started: func(a net.Addr) { at <- a }, Handle: func(_ context.Context, _ netip.AddrPort, b []byte) []byte {
		p, err := wire.Parse(b)
		if err != nil || p.Code != wire.DisconnectRequest || !p.Counted([]byte(secret)) || !authentic(p, b) {
			d.Error("it is told by nobody", err)
			return nil
		}
		code, more := answer(p, tries.Add(1))
		if code == 0 {
			return nil
		}
		out, _ := p.Reply(code, []byte(secret), more...)
		heard <- p
		return out
	}}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	d.Cleanup(func() { cancel(); <-ended })
	port := (<-at).(*net.UDPAddr).Port
	d.must("/Core/SetRadiusClient", map[string]any{"Id": d.id, "Name": "VPN", "ClientHostOrIp": d.at.Addr().String(), "DisconnectPort": port})
	return heard
}

// authentic says whether the Message-Authenticator is that of RFC 5176 section 3: over a packet whose authenticator is zero.
func authentic(p wire.Packet, b []byte) bool {
	whole := append([]byte(nil), b...)
	clear(whole[4:20])
	clear(whole[22:38])
	h := hmac.New(md5.New, []byte(secret))
	h.Write(whole)
	return p.Attributes[0].Type == wire.MessageAuthenticator && hmac.Equal(h.Sum(nil), p.Attributes[0].Value)
}

// accounts tells of somebody's use.
func (d *device) accounts(status byte, name, session string) {
	d.Helper()
	d.next++
	b, err := wire.Accounting(d.next, []byte(secret), wire.Attribute{Type: wire.AcctStatusType, Value: []byte{0, 0, 0, status}}, wire.Attribute{Type: wire.UserName, Value: []byte(name)},
		wire.Attribute{Type: wire.AcctSessionID, Value: []byte(session)}, wire.Attribute{Type: wire.NASIdentifier, Value: []byte("gate-1")})
	if err != nil {
		d.Fatal(err)
	}
	if d.r.Handle(d.Context(), d.at, b) == nil {
		d.Fatal("accounting is not answered")
	}
}

func (d *device) hears(heard <-chan wire.Packet) (session string) {
	d.Helper()
	select {
	case p := <-heard:
		n, _ := p.Number(wire.EventTimestamp)
		if p.Text(wire.NASIdentifier) != "gate-1" || p.Text(wire.UserName) == "" || time.Since(time.Unix(int64(n), 0)).Abs() > time.Minute {
			d.Error("it names nothing", p)
		}
		return p.Text(wire.AcctSessionID)
	case <-time.After(30 * time.Second):
		d.Fatal("the device is not told")
	}
	return ""
}

// noted waits for an event about what the device answered.
func (d *device) noted(want string) {
	d.Helper()
	all := ""
	for range 2000 {
		if all += d.s.Events(d); strings.Contains(all, want) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	d.Error("no event", want, all)
}

func (d *device) state(id, state string) {
	d.Helper()
	d.must("/CDirectoryService/SetUserState", map[string]any{"ID": id, "state": state})
}

// Once access ends, each device that somebody uses is told so, until it answers; who is not barred goes on, and so is what is over.
func TestDisconnect(t *testing.T) {
	each(t, nil, plainly, func(d *device) {
		bert := d.person("bert")
		heard := d.listens(func(_ wire.Packet, try int64) (wire.Code, []wire.Attribute) {
			if try == 1 {
				return 0, nil // it does not hear the first time
			}
			return wire.DisconnectACK, nil
		})
		d.accounts(1, "anna", "anna-1")
		d.accounts(1, "bert", "bert-1")
		d.accounts(1, "bert@"+d.s.Suffix, "bert-2")
		d.accounts(2, "bert", "bert-1")
		d.state(bert.ID, "Locked")
		if got := d.hears(heard); got != "bert-2" {
			d.Error(got)
		}
		d.noted(audit.RadiusDisconnect + ` success RadiusClient`)
		// What the device tells late is ended as well.
		d.accounts(1, "bert", "bert-3")
		if got := d.hears(heard); got != "bert-3" {
			d.Error(got)
		}
		d.state(bert.ID, "None")
		d.accounts(1, "bert", "bert-4")
		d.accounts(7, "", "") // the device begins anew
		d.accounts(1, "bert", "bert-5")
		d.must("/CDirectoryService/DeleteUser", map[string]any{"ID": bert.ID})
		if got := d.hears(heard); got != "bert-5" {
			d.Error(got)
		}
		if len(heard) > 0 {
			d.Error("more is ended:", (<-heard).Text(wire.AcctSessionID))
		}
	})
}

// What a device refuses is kept, and not asked for again; that a use is over there already is as good.
func TestDisconnectRefused(t *testing.T) {
	for cause, want := range map[byte]string{247: audit.RadiusDisconnect + " success", 246: audit.RadiusDisconnect + " failed"} { // 503 and 502, less 256
		each(t, nil, plainly, func(d *device) {
			bert := d.person("bert")
			heard := d.listens(func(wire.Packet, int64) (wire.Code, []wire.Attribute) {
				return wire.DisconnectNAK, []wire.Attribute{{Type: wire.ErrorCause, Value: []byte{0, 0, 1, cause}}}
			})
			d.accounts(3, "bert", "bert-1")
			d.state(bert.ID, "Locked")
			d.hears(heard)
			d.noted(want)
		})
	}
}

// A client that is not to be told keeps nobody.
func TestNoDisconnect(t *testing.T) {
	each(t, nil, plainly, func(d *device) {
		bert := d.person("bert")
		heard := d.listens(func(wire.Packet, int64) (wire.Code, []wire.Attribute) { return wire.DisconnectACK, nil })
		d.accounts(1, "bert", "bert-1")
		d.must("/Core/SetRadiusClient", map[string]any{"Id": d.id, "Name": "VPN", "ClientHostOrIp": d.at.Addr().String(), "DisconnectPort": 0})
		d.accounts(1, "bert", "bert-2")
		d.state(bert.ID, "Locked")
		select {
		case p := <-heard:
			d.Error("it is told", p)
		case <-time.After(300 * time.Millisecond):
		}
	})
}
