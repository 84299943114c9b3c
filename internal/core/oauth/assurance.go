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

// assured levels of authenticators, as in NIST SP 800-63B: one factor, and two of different categories. The third wants a key that is known to
// lie in hardware, which nothing shows without attestation.
var aal = []string{"aal1", "aal2"}

// Levels are the values of acr, the best first: those that what people can enrol here reaches.
func (s *Server) Levels() []string {
	most := min(profile.Reached(s.Ways), len(aal))
	out := slices.Clone(aal[:most])
	slices.Reverse(out)
	return append(out, session.High, session.Normal)
}

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
	if at := slices.Index(aal, level); at >= 0 {
		return profile.Reached(by.Passed) > at
	}
	return level == session.Normal || level == session.High && by.Level == session.High
}

// goal is the level to which a session must be raised for a request; empty: to none. Levels that there are not are passed over.
func (s *Server) goal(r Request, by SignedIn) string {
	wanted, essential := r.levels()
	if essential && slices.ContainsFunc(wanted, by.reaches) {
		return ""
	}
	there := s.Levels()
	for _, level := range wanted {
		if slices.Contains(there, level) && !by.reaches(level) {
			return level
		}
		if by.reaches(level) {
			break
		}
	}
	return ""
}

// Steps are the rounds of mechanisms that somebody must still pass for a request: those of the application's rules, or those that raise them
// to the level that the client wants; none where anything further would do.
func (s *Server) Steps(ctx context.Context, c *call.Call, r Request, by SignedIn) ([][]string, error) {
	d, err := s.Demand(ctx, c, r.App, by.Person.ID)
	if err != nil || len(profile.Lacking(d.Rounds, by.Passed)) > 0 {
		return d.Rounds, err
	}
	at := slices.Index(aal, s.goal(r, by))
	if at < 0 {
		return nil, nil
	}
	if ways := profile.Raising(by.Passed, at+1, s.Ways); len(ways) > 0 {
		return [][]string{ways}, nil
	}
	return nil, nil
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
	if ask && s.goal(r, *by) != "" {
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
