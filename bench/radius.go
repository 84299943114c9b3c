package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"limen/bench/load"
	"limen/internal/core/setting"
	"limen/internal/platform/udp"
	wire "limen/internal/wire/radius"
)

const radiusSecret = "a secret of the bench's device"

// radiusLogon is sign-ins by RADIUS with PAP, each by its own socket, of people whose passwords the tenant lets be remembered (Radius.RememberPasswords):
// what is left is the decision, its event and the packets. Beside it stands FreeRADIUS with the same people in a file and their passwords in
// plain text, which decides and writes nothing; where it is not installed, or for a moment's look, a server that sends packets back.
func radiusLogon(ctx context.Context, b *bench, w *world) ([]row, error) {
	callers := 16
	if b.quick {
		callers = 2
	}
	s, err := w.secrets(ctx, callers)
	if err != nil {
		return nil, err
	}
	if err := w.admitRadius(ctx, s); err != nil {
		return nil, err
	}
	ours, stop, err := w.radiusServer(ctx, w.app.RadiusAnswers().Handle)
	if err != nil {
		return nil, err
	}
	defer stop()
	of, beside, end, err := w.radiusPeer(ctx, s, callers)
	if err != nil {
		return nil, err
	}
	defer end()
	l, o, err := b.versus(w, s.logons(ctx, beside, callers, of == echoed), s.logons(ctx, ours, callers, false))
	if err != nil {
		return nil, err
	}
	return []row{rate(fmt.Sprintf("RADIUS, PAP, %d callers", callers), of, l, o)}, nil
}

// admitRadius sets up the tenant for the bench's device.
func (w *world) admitRadius(ctx context.Context, s *site) error {
	c, err := load.Dial(ctx, w.addr)
	if err != nil {
		return err
	}
	defer c.Close()
	for _, ask := range [][2]string{
		{"/Core/SetRadiusClient", `{"Name":"Bench","ClientHostOrIp":"127.0.0.1","Secret":"` + radiusSecret + `"}`},
		{"/Policy/SavePolicyBlock3", `{"policy":{"Path":"/Policy/Bench","Newpolicy":true,"Version":1,"Settings":{"/Core/Authentication/AllowRadius":true,` +
			`"/Core/Authentication/RadiusUseChallenges":false}},"plinks":[{"PolicySet":"/Policy/Bench","LinkType":"Global","Params":[]}]}`},
	} {
		if _, err := c.Succeed(s.request(ask[0], ask[1])); err != nil {
			return err
		}
	}
	return w.set(ctx, s, setting.Set("Radius.RememberPasswords", "true"))
}

// radiusServer answers packets on a port of the loopback.
func (w *world) radiusServer(ctx context.Context, handle func(ctx context.Context, from netip.AddrPort, b []byte) []byte) (addr string, stop func(), err error) {
	inside, cancel := context.WithCancel(ctx)
	up, done := make(chan net.Addr, 1), make(chan error, 1)
	server := &udp.Server{Addr: "127.0.0.1:0", Handle: handle, Log: w.app.Log, Started: func(at net.Addr) { up <- at }}
	go func() { done <- server.Run(inside) }()
	select {
	case at := <-up:
		return at.String(), func() { cancel(); <-done }, nil
	case err := <-done:
		cancel()
		return "", nil, err
	}
}

const echoed = "bare echo of packets"

// radiusPeer is what stands beside it.
func (w *world) radiusPeer(ctx context.Context, s *site, people int) (of, addr string, stop func(), err error) {
	program, err := exec.LookPath("freeradius")
	if err != nil {
		program = "/usr/sbin/freeradius"
	}
	if _, err := os.Stat(program); err != nil || w.b.quick {
		addr, stop, err = w.radiusServer(ctx, func(_ context.Context, _ netip.AddrPort, b []byte) []byte { return b })
		return echoed, addr, stop, err
	}
	addr, stop, err = w.freeRadius(ctx, program, s, people)
	return "FreeRADIUS", addr, stop, err
}

// freeRadius starts FreeRADIUS with the tenant's people.
func (w *world) freeRadius(ctx context.Context, program string, s *site, people int) (addr string, stop func(), err error) {
	free, err := (&net.ListenConfig{}).ListenPacket(ctx, "udp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	addr = free.LocalAddr().String()
	free.Close()
	_, port, _ := net.SplitHostPort(addr)
	dir, err := os.MkdirTemp(w.dir, "freeradius")
	if err != nil {
		return "", nil, err
	}
	var users strings.Builder
	for i := range people {
		fmt.Fprintf(&users, "%s Cleartext-Password := %q\n", s.name(i), adminPassword)
	}
	conf := strings.NewReplacer("@DIR@", dir, "@PORT@", port, "@SECRET@", radiusSecret).Replace(freeRadiusConf)
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "users"), []byte(users.String()), 0o600), os.WriteFile(filepath.Join(dir, "radiusd.conf"), []byte(conf), 0o600)); err != nil {
		return "", nil, err
	}
	server := exec.CommandContext(ctx, program, "-f", "-d", dir)
	server.Stdout, server.Stderr = w.null, w.null
	if err := server.Start(); err != nil {
		return "", nil, err
	}
	stop = func() { _ = server.Process.Kill(); _ = server.Wait() }
	for try := 0; ; try++ {
		d := radiusDevice{}
		if err = d.dial(ctx, addr); err == nil {
			err = d.logon(s.name(0), 300*time.Millisecond, false)
			d.c.Close()
		}
		if err == nil {
			return addr, stop, nil
		}
		if try == 30 {
			stop()
			return "", nil, fmt.Errorf("%s does not answer: %w", program, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

const freeRadiusConf = `prefix = @DIR@
localstatedir = @DIR@
logdir = @DIR@
raddbdir = @DIR@
run_dir = @DIR@
libdir = /usr/lib/freeradius
max_requests = 65536
cleanup_delay = 0
log {
	destination = stdout
}
thread pool {
	start_servers = 2
	max_servers = 4
}
modules {
	files {
		usersfile = @DIR@/users
	}
	pap {
	}
}
client bench {
	ipaddr = 127.0.0.1
	secret = "@SECRET@"
	require_message_authenticator = yes
}
server default {
	listen {
		type = auth
		ipaddr = 127.0.0.1
		port = @PORT@
	}
	authorize {
		files
		pap
	}
	authenticate {
		Auth-Type PAP {
			pap
		}
	}
}
`

// logons makes a turn of devices that each sign somebody in.
func (s *site) logons(ctx context.Context, addr string, callers int, echo bool) turn {
	return func(d time.Duration) (load.Sample, error) {
		devices := make([]radiusDevice, callers)
		for i := range devices {
			if err := devices[i].dial(ctx, addr); err != nil {
				return load.Sample{}, err
			}
			defer devices[i].c.Close()
		}
		return load.Calls(callers, d, func(i int) error { return devices[i].logon(s.name(i), 10*time.Second, echo) })
	}
}

// radiusDevice is a RADIUS client.
type radiusDevice struct {
	c    net.Conn
	next uint64
	buf  [4096]byte
}

func (d *radiusDevice) dial(ctx context.Context, addr string) (err error) {
	d.c, err = (&net.Dialer{}).DialContext(ctx, "udp", addr)
	return err
}

// logon asks for access, and wants it given, or just the packet back.
func (d *radiusDevice) logon(name string, patience time.Duration, echo bool) error {
	d.next++
	var at [16]byte
	binary.BigEndian.PutUint64(at[:], d.next)
	hidden, err := wire.Hide(adminPassword, []byte(radiusSecret), at)
	if err != nil {
		return err
	}
	b, err := wire.Request(wire.AccessRequest, byte(d.next), at, []byte(radiusSecret), wire.Attribute{Type: wire.UserName, Value: []byte(name)}, hidden)
	if err != nil {
		return err
	}
	if _, err := d.c.Write(b); err != nil {
		return err
	}
	if err := d.c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	n, err := d.c.Read(d.buf[:])
	if err != nil {
		return fmt.Errorf("%s is not answered: %w", name, err)
	}
	p, err := wire.Parse(d.buf[:n])
	if err != nil {
		return err
	}
	if !echo && (p.Code != wire.AccessAccept || !p.Answers(byte(d.next), at, []byte(radiusSecret))) {
		return fmt.Errorf("%s is answered with %d", name, p.Code)
	}
	return nil
}
