package radius_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"limen/internal/platform/udp"
	wire "limen/internal/wire/radius"
)

// tokens starts a RADIUS server elsewhere, at which anna's passcode is 135790, and then 222222; and gives its port.
func tokens(t *testing.T) int {
	at := make(chan net.Addr, 1)
	s := &udp.Server{Addr: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler), Started: func(a net.Addr) { at <- a }, Handle: func(_ context.Context, _ netip.AddrPort, b []byte) []byte {
		p, err := wire.Parse(b)
		if err != nil {
			return nil
		}
		typed, _ := p.Password([]byte(secret))
		code, more := wire.AccessReject, []wire.Attribute(nil)
		switch state := p.Text(wire.State); {
		case p.Text(wire.UserName) != "anna":
		case state == "" && typed == "135790":
			code, more = wire.AccessChallenge, []wire.Attribute{{Type: wire.State, Value: []byte("second")}, {Type: wire.ReplyMessage, Value: []byte("Wait for the next code.")}}
		case state == "" && typed == "endless" || state == "second" && typed == "endless":
			code, more = wire.AccessChallenge, []wire.Attribute{{Type: wire.State, Value: []byte("second")}}
		case state == "second" && typed == "222222":
			code = wire.AccessAccept
		}
		out, _ := p.Reply(code, []byte(secret), more...)
		return out
	}}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return (<-at).(*net.UDPAddr).Port
}

var outside = map[string]any{"/Core/Authentication/AllowRadius": true, "/Core/Authentication/AllowExternalRadius": true}

// A passcode that a server elsewhere knows is a further factor here, with all that the server asks for, whatever asks who somebody is.
func TestElsewhere(t *testing.T) {
	each(t, nil, outside, func(d *device) {
		d.s.Set(d, "Authentication.Challenges", "UP;RADIUS")
		d.must("/Core/SetRadiusServer", map[string]any{"Name": "Tokens", "Host": "127.0.0.1", "Port": tokens(d.T), "Secret": secret, "UserIdentifierAttribute": "sAMAccountName"})
		begin := func() string {
			p := d.ask(wire.AccessChallenge, "anna", plain, "")
			if got := p.Joined(wire.ReplyMessage); got != "Enter the passcode of your token." {
				d.Error(got)
			}
			return string(p.Get(wire.State))
		}
		state := begin()
		p := d.ask(wire.AccessChallenge, "anna", "135790", state)
		if got := p.Joined(wire.ReplyMessage); got != "Wait for the next code." {
			d.Error(got)
		}
		d.ask(wire.AccessAccept, "anna", "222222", string(p.Get(wire.State)))
		d.ask(wire.AccessReject, "anna", "000000", begin())
		state = begin()
		for range 5 {
			state = string(d.ask(wire.AccessChallenge, "anna", "endless", state).Get(wire.State))
		}
		d.ask(wire.AccessReject, "anna", "endless", state)
		d.conversation()
	})
}

// conversation signs anna in by the RPC dialect.
func (d *device) conversation() {
	d.Helper()
	type mechanism struct{ MechanismID, Name, PromptMechChosen string }
	var in struct {
		Success bool `json:"success"`
		Result  struct {
			SessionID, Summary, Auth string
			Challenges               []struct{ Mechanisms []mechanism }
		}
	}
	post := func(path string, body map[string]any) {
		d.Helper()
		in.Result.Challenges = nil
		status, answer := d.s.Call(d, "", http.MethodPost, path, body)
		if err := json.Unmarshal(answer, &in); err != nil || status != http.StatusOK || !in.Success {
			d.Fatal(path, status, string(answer))
		}
	}
	post("/Security/StartAuthentication", map[string]any{"User": "anna@" + d.s.Suffix, "Version": "1.0"})
	session, first, second := in.Result.SessionID, in.Result.Challenges[0].Mechanisms[0], in.Result.Challenges[1].Mechanisms[0]
	if second.Name != "RADIUS" {
		d.Fatal(second)
	}
	answer := func(m mechanism, text, want string) {
		d.Helper()
		post("/Security/AdvanceAuthentication", map[string]any{"SessionId": session, "MechanismId": m.MechanismID, "Action": "Answer", "Answer": text})
		if in.Result.Summary != want {
			d.Fatal(in.Result.Summary, "instead of", want)
		}
	}
	answer(first, plain, "StartNextChallenge")
	answer(second, "135790", "NewPackage")
	if m := in.Result.Challenges[0].Mechanisms[0]; !strings.Contains(m.PromptMechChosen, "Wait for the next code.") || m.MechanismID != second.MechanismID {
		d.Error(m)
	}
	answer(second, "222222", "LoginSuccess")
}

// Whom no policy lets answer so is not asked for it.
func TestElsewhereForbidden(t *testing.T) {
	each(t, nil, allowed, func(d *device) {
		d.s.Set(d, "Authentication.Challenges", "UP;RADIUS")
		d.must("/Core/SetRadiusServer", map[string]any{"Name": "Tokens", "Host": "127.0.0.1", "Port": tokens(d.T), "Secret": secret})
		d.ask(wire.AccessAccept, "anna", plain, "")
	})
}
