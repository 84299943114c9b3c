package authentication_test

import (
	"strings"
	"testing"
	"time"

	"limen/internal/core/factor/passkey"
	"limen/internal/core/login/logintest"
	"limen/internal/core/profile"
)

// The shapes of a sign-in with a key: clients know one name for all types.
func TestKeyShape(t *testing.T) {
	each(t, func(s *site) {
		anna := s.Add("anna")
		key, onDevice := s.Register(anna.ID, passkey.SecurityKey), s.Register(anna.ID, passkey.OnDevice)
		raw := s.post("/Security/StartAuthentication", m{"User": anna.Name, "Version": "1.0"})
		g := raw.got(s)
		raw.raw = strings.NewReplacer(key.Handle(), "{key}", onDevice.Handle(), "{device}").Replace(raw.raw)
		s.golden("key_start", raw)
		s.advance(g.SessionId, g.pick(s, 0, "UP").MechanismId, "Answer", logintest.Secret)
		u2f := g.Challenges[1].Mechanisms[1]
		begun := s.advance(g.SessionId, u2f.MechanismId, "StartOOB", "")
		shown := begun
		shown.raw = strings.ReplaceAll(begun.raw, key.Handle(), "{key}")
		s.golden("key_pending", shown)
		if poll := s.advance(g.SessionId, u2f.MechanismId, "Poll", "").got(s); poll.Summary != "OobPending" {
			s.Fatalf("%+v", poll)
		}
		if got := s.advance(g.SessionId, u2f.MechanismId, "Answer", key.Sign(toSign(s, begun))).got(s); got.Summary != "LoginSuccess" || got.AuthLevel != "High" {
			s.Fatalf("%+v", got)
		}
	})
}

// toSign is what an answer to StartOOB wants signed.
func toSign(s *site, a answer) passkey.Assertion {
	s.Helper()
	var out struct{ PublicKey *passkey.Assertion }
	if a.into(s, &out); out.PublicKey == nil {
		s.Fatal(a.raw)
	}
	return *out.PublicKey
}

// All that can be wrong with a signature is one and the same failure.
func TestBadKeys(t *testing.T) {
	each(t, func(s *site) {
		anna := s.Add("anna")
		key := s.Register(anna.ID, passkey.Passkey)
		s.Use(profile.Profile{Name: "Alone", Single: []string{"PASSKEY"}}, "UP", "EMAIL")
		try := func(answer func(q passkey.Assertion) string) got {
			s.Helper()
			g := s.start(anna.Name)
			mech := g.pick(s, 0, "U2F").MechanismId
			a := s.advance(g.SessionId, mech, "Answer", answer(toSign(s, s.advance(g.SessionId, mech, "StartOOB", ""))))
			out := a.got(s)
			if out.Summary != "LoginSuccess" {
				s.golden("failure", a)
			}
			return out
		}
		last := ""
		if out := try(func(q passkey.Assertion) string { last = key.Sign(q); return last }); out.Summary != "LoginSuccess" || out.AuthLevel != "High" {
			s.Fatalf("%+v", out)
		}
		elsewhere, unverified := *key, *key
		elsewhere.Origin, elsewhere.RP, unverified.Unverified = "https://evil.test", s.host, true
		for name, answer := range map[string]func(q passkey.Assertion) string{
			"nothing": func(passkey.Assertion) string { return "" }, "no JSON": func(passkey.Assertion) string { return "{" },
			"an old answer": func(passkey.Assertion) string { return last }, "another page's": elsewhere.Sign, "without verification": unverified.Sign,
			"a long one": func(passkey.Assertion) string { return strings.Repeat("x", 20_000) },
			"a creation": func(q passkey.Assertion) string {
				return key.Register(passkey.Creation{Challenge: q.Challenge, User: passkey.Account{}})
			},
		} {
			s.Now = s.Now.Add(3 * time.Hour) // beyond what delays further tries
			if out := try(answer); out.Summary != "Failure" {
				s.Errorf("%s: %+v", name, out)
			}
		}
	})
}
