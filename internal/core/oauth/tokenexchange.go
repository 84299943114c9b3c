package oauth

import (
	"context"
	"errors"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/crypt"
	"limen/internal/dbx"
	wire "limen/internal/wire/oauth"
)

// ExchangeGrant is the grant_type of RFC 8693, and AccessTokenType the one type of token that it takes and gives. ID tokens say who
// signed in at a client and not what anybody may do, so they are neither taken nor given; refresh tokens are for their client alone.
const (
	ExchangeGrant   = "urn:ietf:params:oauth:grant-type:token-exchange"
	AccessTokenType = "urn:ietf:params:oauth:token-type:access_token"
)

// Exchanges are an application's terms for exchanging tokens of others for its own (RFC 8693).
type Exchanges struct {
	// From names the applications, by ServiceName or id, and the clients, whose tokens are taken.
	From []string
	// Impersonation lets clients come without an actor_token: what they get does not tell that somebody acts for the person.
	Impersonation bool
}

// source is the token that another was given for: the other ends with it.
type source struct {
	Granted string `json:"granted,omitempty"` // its authorization
	Signed  []byte `json:"signed,omitempty"`  // under which its revocation would be noted
	Stored  []byte `json:"stored,omitempty"`  // under which it is stored
	Depth   int    `json:"depth"`             // how many exchanges lie behind it
}

// maxDepth is how often what was exchanged may be exchanged again.
const maxDepth = 4

func badExchange(why string) error {
	return Fault(&wire.Error{Code: wire.InvalidRequest, Description: why}) // RFC 8693 section 2.2.2
}

// byExchange gives a token of this application for one of another: for the same person, for no more than that said, for no longer,
// and ending with it (RFC 8693 section 2.1).
func (s *Server) byExchange(ctx context.Context, c *call.Call, a Ask) (grantee, error) {
	if t := a.Params.Get("requested_token_type"); t != "" && t != AccessTokenType {
		return grantee{}, badExchange("requested_token_type must be that of access tokens")
	}
	subject, from, err := s.traded(ctx, c, a, "subject_token")
	if err != nil {
		return grantee{}, err
	}
	if err := a.trusts(from, subject); err != nil {
		return grantee{}, err
	}
	g, err := s.onBehalf(ctx, c, a, subject)
	if err != nil {
		return g, err
	}
	until := subject.Expires
	actor, err := s.actor(ctx, c, a)
	if err != nil {
		return g, err
	}
	if actor != nil {
		until = min(until, actor.Expires)
		by := actor.subject()
		if actor.User != "" {
			if by, err = s.Subject(ctx, c, a.Client.Registration, actor.User); err != nil {
				return g, err
			}
		}
		g.facts.Act = map[string]any{"sub": by, "client_id": actor.Client}
		if subject.Act != nil { // who acted before is kept behind who acts now (section 4.1)
			g.facts.Act["act"] = subject.Act
		}
	}
	if !subject.mayAct(a.Client, actor) {
		return g, badExchange("the subject_token does not let this client act")
	}
	g.app, g.client, g.key, g.until = a.App, a.Client, a.Key, until*1000
	if c.Event != nil {
		c.Event.Set("Subject", subject.Client)
		c.Event.Set("Impersonation", actor == nil)
		if actor != nil {
			c.Event.Set("Actor", actor.subject())
		}
	}
	return g, s.authorize(ctx, c, &g, "")
}

// ofExchange is whom the token is about that is exchanged.
func (s *Server) ofExchange(ctx context.Context, c *call.Call, a Ask) (grantee, error) {
	subject, _, err := s.traded(ctx, c, a, "subject_token")
	if err != nil {
		return grantee{}, err
	}
	return s.onBehalf(ctx, c, a, subject)
}

// traded reads a token that is to be exchanged, and finds the application that it is of. One that is bound to a key needs the same key.
func (s *Server) traded(ctx context.Context, c *call.Call, a Ask, name string) (Live, App, error) {
	token := a.Params.Get(name)
	switch {
	case token == "":
		return Live{}, App{}, badExchange("missing " + name)
	case a.Params.Get(name+"_type") != AccessTokenType:
		return Live{}, App{}, badExchange(name + "_type must be that of access tokens")
	}
	l, err := s.Look(ctx, c, token)
	if errors.Is(err, ErrToken) || err == nil && (l.Kind != "access" || l.Key != "" && l.Key != a.Key) {
		return Live{}, App{}, badExchange("the " + name + " is not valid")
	}
	if err != nil {
		return Live{}, App{}, err
	}
	of, err := s.App(ctx, c, l.App)
	if err == nil && !of.Active {
		err = badExchange("the " + name + " is not valid")
	}
	return l, of, err
}

// trusts is whether a token may be exchanged here by this client. The application must name where it comes from; and it must be for the
// client, or by it: a token that was meant for somebody else, and came into the client's hands, is not taken from it.
func (a Ask) trusts(from App, l Live) error {
	p := a.App.Profile
	named := slices.ContainsFunc(p.Exchange.From, func(name string) bool {
		return strings.EqualFold(name, from.Service) || name == from.ID || name == l.Client
	})
	mine := l.Client == a.Client.ID || slices.Contains(l.Audience, a.Client.ID) || p.Audience != "" && slices.Contains(l.Audience, p.Audience)
	switch {
	case !named:
		return badExchange("tokens of that application are not exchanged here")
	case !mine:
		return badExchange("the subject_token is for somebody else")
	case l.User == "":
		return badExchange("the subject_token is about nobody")
	case l.depth >= maxDepth:
		return badExchange("the subject_token was exchanged too often")
	}
	return nil
}

// onBehalf says what the new token is: never more than the old one.
func (s *Server) onBehalf(ctx context.Context, c *call.Call, a Ask, l Live) (grantee, error) {
	known := slices.DeleteFunc(l.Scope.Only(a.App.Profile.Known()), func(v string) bool { return v == "openid" || v == "offline_access" })
	g := grantee{scope: known, facts: Facts{AuthTime: l.AuthTime, ACR: l.acr, Act: l.Act, Source: &source{Granted: l.Granted, Depth: l.depth + 1}}}
	if len(a.Scope) > 0 {
		if !a.Scope.Within(known) {
			return g, ErrScope
		}
		g.scope = a.Scope
	}
	own := grantee{app: a.App, client: a.Client}.audience()
	for _, to := range slices.Concat(a.Params["audience"], a.Params["resource"]) {
		if !slices.Contains(own, to) {
			return g, ErrTarget
		}
	}
	if l.ID != "" {
		g.facts.Source.Signed = crypt.TokenHash("token\x00" + l.ID)
	} else {
		g.facts.Source.Stored = crypt.TokenHash(a.Params.Get("subject_token"))
	}
	var err error
	g.person, err = s.whose(ctx, c, l.User)
	return g, err
}

// actor reads who acts for the person; nil where nobody is named. It shows a token of its own, which nobody else was given.
func (s *Server) actor(ctx context.Context, c *call.Call, a Ask) (*Live, error) {
	if a.Params.Get("actor_token") == "" {
		if a.Params.Get("actor_token_type") != "" {
			return nil, badExchange("actor_token_type without actor_token")
		}
		if !a.App.Profile.Exchange.Impersonation {
			return nil, badExchange("missing actor_token")
		}
		return nil, nil //nolint:nilnil // nobody is an answer
	}
	l, _, err := s.traded(ctx, c, a, "actor_token")
	if err == nil && l.Client != a.Client.ID {
		err = badExchange("the actor_token is not this client's")
	}
	return &l, err
}

// subject is whom a token is about: a person, or its client.
func (l Live) subject() string {
	if l.User == "" {
		return l.Client
	}
	return l.User
}

// mayAct is whether the token lets somebody act, where it says who may (may_act, RFC 8693 section 4.4). All that it says must be so. Without
// an actor it is the client who acts.
func (l Live) mayAct(by Client, actor *Live) bool {
	if l.may == nil {
		return true
	}
	is := map[string]string{"sub": by.ID, "client_id": by.ID}
	if by.User != "" {
		is["sub"] = by.User
	}
	if actor != nil {
		is["sub"], is["iss"] = actor.subject(), actor.Issuer
	}
	for name, want := range l.may {
		if text, ok := want.(string); !ok || is[name] != text {
			return false
		}
	}
	return len(l.may) > 0
}

// stands is whether the token that another was given for is still good.
func (s *Server) stands(ctx context.Context, c *call.Call, from *source) error {
	if from == nil {
		return nil
	}
	if from.Granted != "" {
		if _, err := s.standing(ctx, c, from.Granted); err != nil {
			return err
		}
	}
	if len(from.Signed) > 0 {
		if seen, err := spent.One(ctx, c.Tx, c.Tenant.ID, from.Signed); err != nil || seen.N > 0 {
			return errors.Join(err, ErrGrant)
		}
	}
	if len(from.Stored) > 0 {
		if _, err := findAccess.One(ctx, c.Tx, c.Tenant.ID, from.Stored); err != nil {
			if errors.Is(err, dbx.ErrNoRow) {
				err = ErrGrant
			}
			return err
		}
	}
	return nil
}
