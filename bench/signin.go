package main

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"time"

	"limen/bench/load"
	"limen/internal/core/factor/passkey"
	"limen/internal/surface/identity"
)

// signIn is a complete sign-in with a password: StartAuthentication, then AdvanceAuthentication with the mechanism UP. Beside
// it stands the bare hash of the same cost, one at a time on every processor. Everybody keeps the cookie that their device is
// given, as browsers do: after the first turn nobody is sent a notice of a new device.
func signIn(ctx context.Context, b *bench, w *world) ([]row, error) {
	const callers = 16
	s, err := w.secrets(ctx, callers)
	if err != nil {
		return nil, err
	}
	bare := func(d time.Duration) (load.Sample, error) {
		return load.Calls(runtime.GOMAXPROCS(0), d, func(int) error { return hashed() })
	}
	devices := make([]map[string]string, callers)
	for i := range devices {
		devices[i] = map[string]string{}
	}
	ours := func(d time.Duration) (load.Sample, error) {
		return load.Ask(ctx, w.addr, callers, d, func(i int, c *load.Conn) error {
			c.Cookies = devices[i]
			return s.signIn(c, s.name(i))
		})
	}
	long := *b
	long.slice *= 3 // a second is only some dozens of hashes, and a turn ends with a processor idle for half of one
	l, o, err := long.versus(w, bare, ours)
	if err != nil {
		return nil, err
	}
	r := rate("sign-in with password, 16 callers", "bare argon2id", l, o)
	r.ratio = 0.97
	return []row{r}, nil
}

// conversation is what is read of the answers.
type conversation struct {
	Result struct {
		SessionID  string `json:"SessionId"`
		Summary    string
		PublicKey  *passkey.Assertion
		Challenges []struct {
			Mechanisms []struct {
				Name        string
				MechanismID string `json:"MechanismId"`
			}
		}
	}
}

func (s *site) signIn(c *load.Conn, name string) error {
	device := knownDevice(c)
	a, err := s.step(c, "StartAuthentication", device, map[string]any{"User": name, "Version": "1.0"})
	if err != nil {
		return err
	}
	for _, ch := range a.Result.Challenges {
		for _, m := range ch.Mechanisms {
			if m.Name != "UP" {
				continue
			}
			a, err = s.step(c, "AdvanceAuthentication", device, map[string]any{
				"SessionId": a.Result.SessionID, "MechanismId": m.MechanismID, "Action": "Answer", "Answer": adminPassword,
			})
			if err == nil && a.Result.Summary != "LoginSuccess" {
				err = fmt.Errorf("the sign-in of %s ended with %q", name, a.Result.Summary)
			}
			return err
		}
	}
	return fmt.Errorf("%s is not asked for a password", name)
}

// knownDevice is the header by which a device is known, once it is.
func knownDevice(c *load.Conn) string {
	if k := c.Cookies[identity.DeviceCookie]; k != "" {
		return "Cookie: " + identity.DeviceCookie + "=" + k
	}
	return ""
}

func (s *site) step(c *load.Conn, op, device string, in map[string]any) (out conversation, err error) {
	body, err := json.Marshal(in)
	if err != nil {
		return out, err
	}
	answer, err := c.Succeed(load.Request(s.host, "/Security/"+op, device, string(body)))
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(answer, &out)
}
