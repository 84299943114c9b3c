package oauth

import (
	"context"
	"errors"
	"strings"

	"limen/internal/call"
	"limen/internal/core/profile"
	"limen/internal/core/session"
)

// SignedIn is who asks, and how they signed in; nil where nobody is signed in. An access token signs nobody in: it is for what its
// scopes say.
func (s *Server) SignedIn(ctx context.Context, c *call.Call) (*SignedIn, error) {
	if c.Caller == nil || c.Caller.Means == call.ByOAuth {
		return nil, nil //nolint:nilnil // nobody is an answer
	}
	p, err := s.Person(ctx, c, c.Caller.User)
	if err != nil {
		return nil, err
	}
	out := &SignedIn{Person: p, Session: c.Caller.Session, Level: c.Caller.Level, Proved: c.Caller.Proved}
	if out.Session == "" {
		return out, nil
	}
	row, err := s.Sessions.Find(ctx, c, out.Session)
	if errors.Is(err, session.ErrUnknown) {
		return nil, nil //nolint:nilnil // the session has just ended
	}
	out.Factors, out.Passed = methods(row.Factors), strings.FieldsFunc(row.Factors, func(r rune) bool { return r == ',' })
	return out, err
}

// values of RFC 8176 for the mechanisms that people pass. That a key lies in hardware nothing shows.
var values = map[string]string{"UP": "pwd", "OATH": "otp", "EMAIL": "otp", "SMS": "sms", "SQ": "kba", "PF": "tel", "U2F": "pop", "U2FONDEVICE": "pop", "PASSKEY": "pop", "QR": "swk", "OTP": "swk", "DUO": "mca", "CERT": "pop", "RECOVERY": "otp"}

// methods are the authentication methods that a session's factors were.
func methods(factors string) (out []string) {
	for f := range strings.SplitSeq(factors, ",") {
		if v := values[strings.TrimSpace(f)]; v != "" {
			out = append(out, v)
		}
	}
	if len(out) > 1 || profile.Reached(strings.Split(factors, ",")) > 1 {
		out = append(out, "mfa")
	}
	return out
}
