package radius_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/factor/oath"
	"limen/internal/core/password"
	surface "limen/internal/surface/radius"
	wire "limen/internal/wire/radius"
)

const (
	secret = "a secret of sixteen bytes"
	plain  = "First-Horse-1-Stable"
	seed   = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
)

// device is a RADIUS client of a tenant.
type device struct {
	*testing.T
	s    *apptest.Site
	r    *surface.Radius
	at   netip.AddrPort
	id   string // of the client
	next byte
}

var places atomic.Uint32 // tests share a store, and each has an address of its own

// each runs f with a device whose client is set up with more, in a tenant whose policy has settings, and where anna has a password.
func each(t *testing.T, more, settings map[string]any, f func(d *device)) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		n := places.Add(2)
		d := &device{T: t, s: s.Tenant(t), r: s.App.RadiusAnswers(), at: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 93, byte(n >> 8), byte(n)}), 40000)}
		in := map[string]any{"Name": "VPN", "ClientHostOrIp": d.at.Addr().String(), "Secret": secret}
		for k, v := range more {
			in[k] = v
		}
		_ = json.Unmarshal(d.must("/Core/SetRadiusClient", in), &d.id)
		d.must("/Policy/SavePolicyBlock3", map[string]any{
			"policy": map[string]any{"Path": "/Policy/VPN", "Newpolicy": true, "Version": 1, "Settings": settings},
			"plinks": []any{map[string]any{"PolicySet": "/Policy/VPN", "LinkType": "Global", "Params": []any{}}},
		})
		d.person("anna")
		f(d)
	})
}

var allowed = map[string]any{"/Core/Authentication/AllowRadius": true}

func (d *device) person(name string) apptest.Person {
	d.Helper()
	p := d.s.Person(d, name)
	n, err := d.s.App.Passwords.Prepare(d.Context(), d.s.App.Shell(d.s.ID), password.Change{User: p.ID, Plain: plain, Any: true})
	if err != nil {
		d.Fatal(err)
	}
	d.s.Do(d, audit.PasswordSet, func(ctx context.Context, c *call.Call) error { return d.s.App.Passwords.Put(ctx, c, p.ID, n, false) })
	return p
}

// app gives somebody an authenticator app.
func (d *device) app(p apptest.Person) {
	d.Helper()
	if err := d.s.App.Ring.Ensure(d.Context(), d.s.ID, factor.PurposeOATH); err != nil {
		d.Fatal(err)
	}
	d.s.Do(d, audit.FactorEnroll, func(ctx context.Context, c *call.Call) error {
		_, err := d.s.App.OATH.Set(ctx, c, p.ID, oath.Seed{Name: "app", Secret: seed})
		return err
	})
}

func (d *device) code() string {
	d.Helper()
	code, err := oath.Code(seed, "SHA1", 6, time.Now().Unix()/30)
	if err != nil {
		d.Fatal(err)
	}
	return code
}

// must makes a call of the RPC dialect as the administrator, and gives its result.
func (d *device) must(path string, body any) json.RawMessage {
	d.Helper()
	status, answer := d.s.Call(d, d.s.TokenOf(d, "admin"), http.MethodPost, path, body)
	var in struct {
		Success bool `json:"success"`
		Result  json.RawMessage
	}
	if json.Unmarshal(answer, &in) != nil || status != http.StatusOK || !in.Success {
		d.Fatalf("%s: %d %s", path, status, answer)
	}
	return in.Result
}

// packet makes a request for access.
func (d *device) packet(name, typed, state string, more ...wire.Attribute) []byte {
	d.Helper()
	d.next++
	at := [16]byte{d.next, 7}
	hidden, err := wire.Hide(typed, []byte(secret), at)
	if err != nil {
		d.Fatal(err)
	}
	all := append([]wire.Attribute{{Type: wire.UserName, Value: []byte(name)}, hidden}, more...)
	if state != "" {
		all = append(all, wire.Attribute{Type: wire.State, Value: []byte(state)})
	}
	b, err := wire.Request(wire.AccessRequest, d.next, at, []byte(secret), all...)
	if err != nil {
		d.Fatal(err)
	}
	return b
}

// send sends a request, and verifies the answer as a client has to; the code is 0 where there is none.
func (d *device) send(b []byte) wire.Packet {
	d.Helper()
	q, err := wire.Parse(b)
	if err != nil {
		d.Fatal(err)
	}
	out := d.r.Handle(d.Context(), d.at, b)
	if out == nil {
		return wire.Packet{}
	}
	p, err := wire.Parse(out)
	if err != nil || !p.Answers(q.ID, q.Authenticator, []byte(secret)) || p.Attributes[0].Type != wire.MessageAuthenticator {
		d.Fatal("the answer is nobody's", p, err)
	}
	if _, ok := p.Signed([]byte(secret), &q.Authenticator); !ok {
		d.Fatal("the answer is not signed")
	}
	return p
}

func (d *device) ask(want wire.Code, name, typed, state string, more ...wire.Attribute) wire.Packet {
	d.Helper()
	p := d.send(d.packet(name, typed, state, more...))
	if p.Code != want {
		d.Fatalf("%s is answered with %d %q, want %d", name, p.Code, p.Joined(wire.ReplyMessage), want)
	}
	return p
}

func TestPassword(t *testing.T) {
	each(t, nil, map[string]any{"/Core/Authentication/AllowRadius": true, "/Core/Authentication/RadiusUseChallenges": false}, func(d *device) {
		d.s.DropEvents()
		if p := d.ask(wire.AccessAccept, "anna", plain, ""); p.Has(wire.State) {
			d.Error(p)
		}
		d.ask(wire.AccessAccept, "ANNA@"+d.s.Suffix, plain, "", wire.Attribute{Type: wire.ProxyState, Value: []byte("x")})
		got := d.s.Events(d)
		if strings.Count(got, audit.Login+" success User") != 2 || !strings.Contains(got, `"RadiusClient":"VPN"`) || strings.Contains(got, plain) {
			d.Error(got)
		}
		d.ask(wire.AccessReject, "anna", "wrong", "")
		d.ask(wire.AccessReject, "nobody", "wrong", "")
		d.ask(wire.AccessReject, "", plain, "")
		d.ask(wire.AccessReject, "anna", "", "")
		if got := d.s.Events(d); strings.Count(got, audit.LoginFail+" refused login.failed") != 3 {
			d.Error(got)
		}
		// Nobody got a session.
		c := d.s.App.Shell(d.s.ID)
		err := c.Snapshot(d.Context(), func() error {
			u, err := d.s.App.People.ByName(d.Context(), c, "anna@"+d.s.Suffix)
			if err != nil {
				return err
			}
			list, err := d.s.App.Sessions.List(d.Context(), c, u.ID)
			if len(list) != 0 {
				d.Error(list)
			}
			return err
		})
		if err != nil {
			d.Error(err)
		}
	})
}

// Where passwords are remembered, all else is decided anew each time: who is locked, or has another password, is refused at once, and each
// sign-in is an event.
func TestRememberedPassword(t *testing.T) {
	each(t, nil, map[string]any{"/Core/Authentication/AllowRadius": true, "/Core/Authentication/RadiusUseChallenges": false}, func(d *device) {
		d.s.Set(d, "Radius.RememberPasswords", "true")
		p := d.person("bella")
		d.s.DropEvents()
		for range 3 {
			d.ask(wire.AccessAccept, "bella", plain, "")
		}
		d.ask(wire.AccessReject, "bella", "wrong", "")
		if got := d.s.Events(d); strings.Count(got, audit.Login+" success User") != 3 || strings.Count(got, audit.LoginFail+" refused") != 1 {
			d.Error(got)
		}
		d.must("/CDirectoryService/SetUserState", map[string]any{"ID": p.ID, "state": "Locked"})
		d.ask(wire.AccessReject, "bella", plain, "")
		d.must("/CDirectoryService/SetUserState", map[string]any{"ID": p.ID, "state": "None"})
		d.ask(wire.AccessAccept, "bella", plain, "")
		d.must("/UserMgmt/ResetUserPassword", map[string]any{"ID": p.ID, "newPassword": "Second-Horse-2-Stable", "ForcePasswordChangeNext": false})
		d.ask(wire.AccessReject, "bella", plain, "")
		d.ask(wire.AccessAccept, "bella", "Second-Horse-2-Stable", "")
	})
}

// Whom no policy lets in by RADIUS is refused, whatever they know.
func TestPolicyForbids(t *testing.T) {
	for name, settings := range map[string]map[string]any{"nothing is said": {"/Core/Authentication/RadiusUseChallenges": false}, "it is forbidden": {"/Core/Authentication/AllowRadius": false}} {
		t.Run(name, func(t *testing.T) {
			each(t, nil, settings, func(d *device) {
				d.ask(wire.AccessReject, "anna", plain, "")
				if got := d.s.Events(d); !strings.Contains(got, "No policy lets this person sign in by RADIUS.") {
					d.Error(got)
				}
			})
		})
	}
}

// A further factor is asked for by a challenge, which only the same client, from the same address, answers for the same person, once.
func TestChallenge(t *testing.T) {
	each(t, nil, allowed, func(d *device) {
		d.s.Set(d, "Authentication.Challenges", "UP;OATH,EMAIL")
		anna := d.person("bert")
		d.app(anna)
		d.ask(wire.AccessReject, "bert", "wrong", "")
		p := d.ask(wire.AccessChallenge, "bert", plain, "")
		if p.Joined(wire.ReplyMessage) != "Enter the code of your authenticator." || len(p.Get(wire.State)) < 32 {
			d.Error(p.Joined(wire.ReplyMessage), p.Get(wire.State))
		}
		state := string(p.Get(wire.State))
		d.ask(wire.AccessReject, "anna", d.code(), state) // somebody else
		d.ask(wire.AccessReject, "bert", d.code(), "made up")
		elsewhere := *d
		elsewhere.at = netip.AddrPortFrom(d.at.Addr().Next(), 40000)
		if p := elsewhere.send(d.packet("bert", d.code(), state)); p.Code != 0 {
			d.Error("an address without a client is answered", p.Code)
		}
		var other string
		_ = json.Unmarshal(d.must("/Core/SetRadiusClient", map[string]any{"Name": "Other", "ClientHostOrIp": elsewhere.at.Addr().String(), "Secret": secret}), &other)
		elsewhere.ask(wire.AccessReject, "bert", d.code(), state)
		d.must("/Core/RemoveRadiusClients", map[string]any{"Ids": []string{d.id}})
		_ = json.Unmarshal(d.must("/Core/SetRadiusClient", map[string]any{"Name": "VPNs", "ClientHostOrIp": d.at.Addr().String() + "/31", "Secret": secret}), &d.id)
		d.ask(wire.AccessReject, "bert", d.code(), state) // another client
		state = string(d.ask(wire.AccessChallenge, "bert", plain, "").Get(wire.State))
		elsewhere.next += 50
		d.must("/Core/RemoveRadiusClients", map[string]any{"Ids": []string{other}})
		elsewhere.ask(wire.AccessReject, "bert", d.code(), state) // the same client from another address
		// The conversation is none of the other dialects'.
		status, answer := d.s.Call(d, "", http.MethodPost, "/Security/AdvanceAuthentication", map[string]any{"SessionId": state, "MechanismId": "x", "Action": "Answer", "Answer": d.code()})
		if status != http.StatusOK || strings.Contains(string(answer), `"success":true`) {
			d.Error(status, string(answer))
		}
		d.ask(wire.AccessAccept, "bert", d.code(), state)
		d.ask(wire.AccessReject, "bert", d.code(), state)
		// A wrong code ends it.
		state = string(d.ask(wire.AccessChallenge, "bert", plain, "").Get(wire.State))
		d.ask(wire.AccessReject, "bert", "000000", state)
		d.ask(wire.AccessReject, "bert", d.code(), state)
		if got := d.s.Events(d); !strings.Contains(got, audit.MfaSummary) {
			d.Error(got)
		}
	})
}

// A code that is sent by mail has no link that somebody could click in place of typing it.
func TestCodeByMail(t *testing.T) {
	each(t, nil, allowed, func(d *device) {
		d.s.Set(d, "Authentication.Challenges", "UP;EMAIL")
		state := string(d.ask(wire.AccessChallenge, "anna", plain, "").Get(wire.State))
		code := d.s.Mailed(d, "anna@example.com", regexp.MustCompile(`\b\d{6}\b`))
		for _, m := range d.s.App.Tray.To("anna@example.com") {
			if m.Tenant == d.s.ID && strings.Contains(m.Text, "AnswerOOBChallenge") {
				d.Error("the mail has a link")
			}
		}
		d.ask(wire.AccessAccept, "anna", code, state)
	})
}

// The profile of the policy counts before that of the client, and that of the client where the policy names none.
func TestProfiles(t *testing.T) {
	for name, own := range map[string]bool{"the client's": false, "the policy's": true} {
		t.Run(name, func(t *testing.T) {
			each(t, nil, allowed, func(d *device) {
				var made struct{ Uuid string }
				profile := func(name string, rounds ...string) string {
					if err := json.Unmarshal(d.must("/AuthProfile/SaveProfile", map[string]any{"settings": map[string]any{"Name": name, "Challenges": rounds, "AdditionalData": map[string]any{}}}), &made); err != nil {
						d.Fatal(err)
					}
					return made.Uuid
				}
				mail, none := profile("Mail", "UP", "EMAIL"), profile("Password", "UP")
				d.must("/Core/SetRadiusClient", map[string]any{"Id": d.id, "Name": "VPN", "ClientHostOrIp": d.at.Addr().String(), "AuthProfile": none})
				if !own {
					d.s.Set(d, "Authentication.Challenges", "UP;EMAIL")
					d.ask(wire.AccessAccept, "anna", plain, "")
					return
				}
				d.must("/Policy/SavePolicyBlock3", map[string]any{
					"policy": map[string]any{"Path": "/Policy/Strict", "Newpolicy": true, "Version": 1, "Settings": map[string]any{
						"/Core/Authentication/AllowRadius": true, "/Core/Authentication/RadiusUseChallenges": true, "/Core/Authentication/RadiusChallengeProfile": mail,
					}},
					"plinks": []any{
						map[string]any{"PolicySet": "/Policy/Strict", "LinkType": "Global", "Params": []any{}}, map[string]any{"PolicySet": "/Policy/VPN", "LinkType": "Global", "Params": []any{}},
					},
				})
				d.ask(wire.AccessChallenge, "anna", plain, "")
			})
		})
	}
}

// What cannot be shown to be the client's is not answered at all.
func TestForgedPackets(t *testing.T) {
	each(t, nil, allowed, func(d *device) {
		good := d.packet("anna", plain, "")
		for i := range good {
			changed := append([]byte(nil), good...)
			changed[i] ^= 0x40
			if out := d.r.Handle(d.Context(), d.at, changed); out != nil {
				d.Errorf("byte %d may be changed", i)
			}
		}
		if p := d.send(unsigned(d, plain)); p.Code != 0 {
			d.Error("a request without Message-Authenticator is answered")
		}
		d.must("/Core/SetRadiusClient", map[string]any{"Id": d.id, "Name": "VPN", "ClientHostOrIp": d.at.Addr().String(), "AllowUnsigned": true})
		if p := d.send(unsigned(d, "wrong")); p.Code != wire.AccessReject {
			d.Error(p.Code)
		}
		if out := d.r.Handle(d.Context(), d.at, append([]byte(nil), good[:19]...)); out != nil {
			d.Error("half a packet is answered")
		}
		d.must("/Core/RemoveRadiusClients", map[string]any{"Ids": []string{d.id}})
		if p := d.send(good); p.Code != 0 {
			d.Error("a client that was removed is answered")
		}
	})
}

// unsigned makes a request for access without Message-Authenticator.
func unsigned(d *device, typed string) []byte {
	b := d.packet("anna", typed, "")
	out := append(append([]byte(nil), b[:20]...), b[38:]...)
	out[2], out[3] = byte(len(out)>>8), byte(len(out))
	return out
}

// Of two tenants' clients at one address the secret tells.
func TestTwoTenantsAtOneAddress(t *testing.T) {
	each(t, nil, map[string]any{"/Core/Authentication/AllowRadius": true, "/Core/Authentication/RadiusUseChallenges": false}, func(d *device) {
		other := d.s.Server.Tenant(d)
		status, answer := other.Call(d, other.TokenOf(d, "admin"), http.MethodPost, "/Core/SetRadiusClient", map[string]any{"Name": "VPN", "ClientHostOrIp": d.at.Addr().String(), "Secret": "another secret of it"})
		if status != http.StatusOK || !strings.Contains(string(answer), `"success":true`) {
			d.Fatal(string(answer))
		}
		d.ask(wire.AccessAccept, "anna", plain, "")
		// With the same secret, nothing tells.
		other.Call(d, other.TokenOf(d, "admin"), http.MethodPost, "/Core/SetRadiusClient", map[string]any{"Name": "Twin", "ClientHostOrIp": d.at.Addr().String() + "/31", "Secret": secret})
		if p := d.send(d.packet("anna", plain, "")); p.Code != 0 {
			d.Error("it is taken for one tenant's", p.Code)
		}
	})
}

// A client may be known by a name, whose addresses count as they are at the time.
func TestClientByName(t *testing.T) {
	each(t, nil, plainly, func(d *device) {
		at := d.at.Addr().Next()
		usual := d.s.App.Radius.Lookup
		defer func() { d.s.App.Radius.Lookup = usual }()
		d.s.App.Radius.Lookup = func(_ context.Context, host string) ([]netip.Addr, error) {
			if host != "gate."+d.s.Suffix {
				return nil, &net.DNSError{Name: host, IsNotFound: true}
			}
			return []netip.Addr{at}, nil
		}
		d.must("/Core/SetRadiusClient", map[string]any{"Name": "Gate", "ClientHostOrIp": "gate." + d.s.Suffix, "Secret": secret + "!"})
		if p := d.send(d.packet("anna", plain, "")); p.Code != wire.AccessAccept {
			d.Error("other clients are not answered", p.Code)
		}
		packet := func() []byte {
			d.next++
			hidden, err := wire.Hide(plain, []byte(secret+"!"), [16]byte{d.next})
			if err != nil {
				d.Fatal(err)
			}
			b, err := wire.Request(wire.AccessRequest, d.next, [16]byte{d.next}, []byte(secret+"!"), wire.Attribute{Type: wire.UserName, Value: []byte("anna")}, hidden)
			if err != nil {
				d.Fatal(err)
			}
			return b
		}
		if out := d.r.Handle(d.Context(), netip.AddrPortFrom(at, 40000), packet()); len(out) == 0 || wire.Code(out[0]) != wire.AccessAccept {
			d.Error("the client that the name means is not answered")
		}
		if out := d.r.Handle(d.Context(), netip.AddrPortFrom(at.Next(), 40000), packet()); out != nil {
			d.Error("an address that the name does not have is answered")
		}
		// However many names a tenant has for an address, it does not keep others from being asked at it.
		d.s.App.Radius.Lookup = func(context.Context, string) ([]netip.Addr, error) { return []netip.Addr{at, d.at.Addr()}, nil }
		for i := range 6 {
			d.must("/Core/SetRadiusClient", map[string]any{"Name": fmt.Sprint("Name ", i), "ClientHostOrIp": fmt.Sprint("name", i, ".", d.s.Suffix), "Secret": fmt.Sprint(i, secret)})
		}
		all, err := d.s.App.Radius.At(d.Context(), d.at.Addr())
		if err != nil || len(all) != 5 || all[0].ID != d.id {
			d.Error(len(all), err)
		}
	})
}

// Guesses are counted as anywhere, by account and by where the person comes from; a locked account is refused with the right password.
func TestGuesses(t *testing.T) {
	each(t, nil, map[string]any{
		"/Core/Authentication/AllowRadius": true, "/Core/Authentication/RadiusUseChallenges": false, "/Core/Security/CDS/LockoutPolicy/Threshold": 3,
	}, func(d *device) {
		d.person("bert")
		from := wire.Attribute{Type: wire.CallingStation, Value: []byte("203.0.113.9")}
		for range 3 {
			d.ask(wire.AccessReject, "anna", "wrong", "", from)
		}
		d.ask(wire.AccessReject, "anna", plain, "")
		d.ask(wire.AccessAccept, "bert", plain, "", from)
		if got := d.s.Events(d); !strings.Contains(got, audit.Lockout) {
			d.Error(got)
		}
		d.must("/Core/UpdateBlockedIpRange", map[string]any{"Label": "Scanners", "Value": "203.0.113.0/24"})
		d.ask(wire.AccessReject, "bert", plain, "", from)
		d.ask(wire.AccessAccept, "bert", plain, "")
	})
}

// Ways to send a password that are not spoken are refused, and a server that is asked how it is says so.
func TestOtherPackets(t *testing.T) {
	each(t, nil, allowed, func(d *device) {
		send := func(code wire.Code, more ...wire.Attribute) wire.Packet {
			d.next++
			b, err := wire.Request(code, d.next, [16]byte{d.next}, []byte(secret), more...)
			if err != nil {
				d.Fatal(err)
			}
			return d.send(b)
		}
		name := wire.Attribute{Type: wire.UserName, Value: []byte("anna")}
		if p := send(wire.AccessRequest, name, wire.Attribute{Type: wire.ChapPassword, Value: make([]byte, 17)}); p.Code != wire.AccessReject || !strings.Contains(p.Joined(wire.ReplyMessage), "PAP") {
			d.Error(p)
		}
		if p := send(wire.AccessRequest, name, wire.Attribute{Type: wire.EAPMessage, Value: []byte{2, 9, 0, 5, 1}}); p.Code != wire.AccessReject || fmt.Sprint(p.Get(wire.EAPMessage)) != "[4 9 0 4]" {
			d.Error(p)
		}
		if p := send(wire.StatusServer); p.Code != wire.AccessAccept {
			d.Error(p)
		}
		if p := send(wire.AccessAccept); p.Code != 0 {
			d.Error(p)
		}
	})
}

func TestAccounting(t *testing.T) {
	each(t, nil, allowed, func(d *device) {
		d.s.DropEvents()
		b, err := wire.Accounting(3, []byte(secret), wire.Attribute{Type: wire.AcctStatusType, Value: []byte{0, 0, 0, 2}}, wire.Attribute{Type: wire.UserName, Value: []byte("anna")},
			wire.Attribute{Type: wire.AcctSessionID, Value: []byte("s-1")}, wire.Attribute{Type: wire.AcctSessionTime, Value: []byte{0, 0, 1, 0}})
		if err != nil {
			d.Fatal(err)
		}
		q, _ := wire.Parse(b)
		p, err := wire.Parse(d.r.Handle(d.Context(), d.at, b))
		if err != nil || p.Code != wire.AccountingResponse || !p.Answers(3, q.Authenticator, []byte(secret)) {
			d.Fatal(p, err)
		}
		if got := d.s.Events(d); !strings.Contains(got, audit.RadiusAccounting+" success RadiusClient") || !strings.Contains(got, `"Seconds":256`) || !strings.Contains(got, `"Status":"Stop"`) {
			d.Error(got)
		}
		b[len(b)-1] ^= 1
		if out := d.r.Handle(d.Context(), d.at, b); out != nil {
			d.Error("what was changed on the way is kept")
		}
	})
}
