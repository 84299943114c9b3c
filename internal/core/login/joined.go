package login

import (
	"context"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/factor/recovery"
)

// coded is a code that came in place of the password, or with it.
type coded struct {
	mechanism string // id of the one that it answers; empty: no code came
	check     check
}

// What is a code where it may be a password as well, in digits.
const (
	shortestCode = 6
	longestCode  = 8
)

// joined looks at a password that is wrong as it is: it may be the code of an authenticator alone, where the first challenge takes one, or the
// password and a code behind a comma, where the second does (pvwa.yaml, auth/RADIUS/Logon), or a recovery code there. A code that nothing asks for makes no password right.
func (l *Logins) joined(ctx context.Context, c *call.Call, out *VaultStart) error {
	plain, code, comma := cutLast(out.in.Password)
	round := 0
	if comma {
		round = 1
	}
	var ch *factor.Challenge
	switch {
	case isCode(code):
		ch = out.s.takes(round, factor.OATH, factor.OTP)
	case comma && recovery.Looks(code):
		ch = out.s.takes(round, factor.Recovery)
	}
	if ch == nil {
		return nil
	}
	var err error
	if comma {
		if out.check, err = l.check(ctx, c, out.s, out.people, factor.Challenge{Name: factor.Password}, factor.Answer{Text: plain}); err != nil {
			return err
		}
	}
	out.code.mechanism = ch.ID
	out.code.check, err = l.check(ctx, c, out.s, out.people, *ch, factor.Answer{Text: code})
	return err
}

// cutLast splits at the last comma; without one all is the code.
func cutLast(text string) (before, after string, comma bool) {
	at := strings.LastIndexByte(text, ',')
	if at < 0 {
		return "", text, false
	}
	return text[:at], text[at+1:], true
}

func isCode(text string) bool {
	return shortestCode <= len(text) && len(text) <= longestCode && strings.Trim(text, "0123456789") == ""
}

// takes is what takes an answer in one of the first challenges, by one of some mechanisms; nil: nothing does.
func (s *state) takes(round int, names ...string) *factor.Challenge {
	if round >= len(s.Challenges) {
		return nil
	}
	at := slices.IndexFunc(s.Challenges[round], func(ch factor.Challenge) bool { return slices.Contains(names, ch.Name) })
	if at < 0 {
		return nil
	}
	return &s.Challenges[round][at]
}
