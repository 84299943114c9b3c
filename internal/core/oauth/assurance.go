package oauth

import (
	"context"
	"slices"

	"limen/internal/call"
	"limen/internal/core/profile"
	"limen/internal/core/session"
	wire "limen/internal/wire/oauth"
)

// Demand is what an application's own rules want of somebody.
type Demand struct {
	Refused bool
	Reason  string     // why, for the person; may be empty
	Strong  bool       // a session of the level High is wanted
	Rounds  [][]string // mechanisms that they must have passed, one of each; none: nothing beyond a sign-in
}

// Demand decides by an application's own rules. Where it has such and nobody can decide them, everybody is refused.
func (s *Server) Demand(ctx context.Context, c *call.Call, a App, personID string) (Demand, error) {
	if !a.Ruled {
		return Demand{}, nil
	}
	if a.Scripts.Policy != "" {
		return s.ruled(c, a, personID)
	}
	if s.Rules == nil {
		return Demand{Refused: true}, nil
	}
	return s.Rules(ctx, c, a, personID)
}

// ErrUnmet says that the person has not shown, and cannot show, what the client or the application wants.
var ErrUnmet = Fault(&wire.Error{Code: wire.UnmetAuthentication, Description: "the user cannot authenticate as strongly as is wanted"})

// Levels are the values of acr.
func Levels() []string { return []string{session.High, session.Normal} }

// levels are the values of acr that a request wants, the best first, and whether it takes no others (OpenID Connect Core section 3.1.2.1
// and 5.5.1.1).
func (r Request) levels() (out []string, essential bool) {
	if claims := r.Ask.Claims; claims != nil {
		if w := claims.IDToken["acr"]; w != nil && (w.Value != nil || len(w.Values) > 0) {
			for _, v := range append([]any{w.Value}, w.Values...) {
				if text, ok := v.(string); ok {
					out = append(out, text)
				}
			}
			return out, w.Essential
		}
	}
	if len(r.Ask.ACR) > 0 {
		return r.Ask.ACR, false
	}
	return r.Client.ACR, false
}

// reaches says whether the session is of a level of acr.
func (by SignedIn) reaches(level string) bool {
	return level == session.Normal || level == session.High && by.Level == session.High
}

// acr is what tokens say of the sign-in: the best of what was wanted that it reaches.
func (r Request) acr(by SignedIn) string {
	wanted, _ := r.levels()
	if at := slices.IndexFunc(wanted, by.reaches); at >= 0 {
		return wanted[at]
	}
	return by.Level
}

// assured says what is still to be shown by somebody who is signed in: the application's rules and the client decide. What nobody can be asked
// for, and what they did without, is an error where it was not a wish only.
func (s *Server) assured(ctx context.Context, c *call.Call, r Request, by *SignedIn) (Next, error) {
	d, err := s.Demand(ctx, c, r.App, by.Person.ID)
	if err != nil {
		return Answer, err
	}
	if d.Refused && d.Reason != "" {
		return Answer, ErrDenied.Say("%s", d.Reason)
	}
	if d.Refused {
		return Answer, ErrDenied.Say("the rules of the application do not allow this")
	}
	ask := !r.Presented.Settled && !r.Ask.Prompt.None && by.Session != ""
	if len(profile.Lacking(d.Rounds, by.Passed)) > 0 || d.Strong && by.Level != session.High {
		if ask {
			return Raise, nil
		}
		return Answer, ErrUnmet
	}
	wanted, essential := r.levels()
	reached := slices.ContainsFunc(wanted, by.reaches)
	if ask && by.Level != session.High && (len(wanted) > 0 && wanted[0] == session.High || essential && !reached && slices.Contains(wanted, session.High)) {
		return Raise, nil
	}
	if essential && !reached {
		return Answer, ErrUnmet
	}
	return Answer, nil
}

// expected says whether somebody is the person that the client expects (id_token_hint); true where it expects nobody.
func (s *Server) expected(ctx context.Context, c *call.Call, r Request, by *SignedIn) (bool, error) {
	if r.Ask.IDTokenHint == "" {
		return true, nil
	}
	hint, err := s.Hinted(ctx, c, r.App, r.Ask.IDTokenHint)
	return hint.Person == by.Person.ID, err
}
