package oauth

import (
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"

	"limen/internal/core/oauth"
	"limen/internal/op"
	wire "limen/internal/wire/oauth"
)

// InfoRequest asks who somebody is.
type InfoRequest struct {
	App string `json:"app_id"` // ServiceName of the application, in the path
	// AccessToken is the token, where the header Authorization does not have it (RFC 6750 section 2.2).
	AccessToken string `json:"access_token"`
	// Scopes is userInfo in the form of ark and idsec, which the application that every tenant has answers in their names.
	Scopes string `json:"Scopes"`

	sent
}

const ownForm = "userInfo"

// Effect is a write where a DPoP proof has to be remembered, which is good once. What tokens say is remembered; only the program's own form
// is read.
func (r *InfoRequest) Effect() op.Effect {
	switch {
	case len(r.proofs) > 0:
		return op.Write
	case r.Scopes == ownForm:
		return op.Read
	}
	return op.Cached
}

func (o OAuth) prepareUserInfo(ctx context.Context, c *op.Call, in InfoRequest) (wire.Proof, error) {
	_, token := in.shows()
	if err := o.Server.ForeseeInfo(ctx, c, in.App, token); err != nil || len(in.proofs) == 0 {
		return wire.Proof{}, err
	}
	a, _, _, err := o.informing(ctx, c, in)
	if err != nil {
		return wire.Proof{}, err
	}
	p, err := o.Server.Proof(ctx, c, a, in.shown(c))
	return p, oauth.Resource(err)
}

// shows is the token that a request shows, and the scheme of the header that it came by.
func (r InfoRequest) shows() (scheme, token string) {
	scheme, token, _ = strings.Cut(r.authorization, " ")
	if token = strings.TrimSpace(token); token == "" {
		return "Bearer", r.AccessToken
	}
	return scheme, token
}

// informing finds the application that a request is for, which at the tenant's issuer the token says, and what the token is.
func (o OAuth) informing(ctx context.Context, c *op.Call, in InfoRequest) (a oauth.App, l oauth.Live, scheme string, err error) {
	if in.App != "" {
		if a, err = o.Server.App(ctx, c, in.App); err != nil {
			return a, l, "", err
		}
	}
	scheme, token := in.shows()
	if l, err = o.Server.Look(ctx, c, token); err != nil || in.App != "" {
		return a, l, scheme, err
	}
	a, err = o.Server.App(ctx, c, l.App)
	a.Wide = true
	return a, l, scheme, err
}

// UserInfo gives the claims of the person of an access token that its scope allows. A token that is bound to a key wants a
// proof of it. Where Scopes is userInfo, the application that every tenant has describes the caller with FirstName, LastName,
// HomeNumber, Manager, Username, Groups, Rights and Roles; any bearer of this API is taken then. Contract: oauth.yaml n 31; OpenID Connect Core section 5.3.
func (o OAuth) UserInfo(ctx context.Context, c *op.Call, in InfoRequest, p wire.Proof) (Info, error) {
	if c.Event != nil {
		c.Event.Type = "" // reading leaves none
	}
	if in.Scopes == ownForm && in.App == o.Shared {
		out, err := o.person(ctx, c)
		return Info{plain: out}, err
	}
	a, l, scheme, err := o.informing(ctx, c, in)
	if err != nil {
		return Info{}, err
	}
	if l.Kind != "access" || !l.From(a) {
		return Info{}, oauth.ErrToken
	}
	_, token := in.shows()
	if err = l.Holds(c, scheme, token, p); err == nil {
		err = o.Server.Unused(ctx, c, p)
	}
	if err != nil {
		return Info{}, oauth.Resource(err)
	}
	info, err := o.Server.UserInfo(ctx, c, a, l)
	return Info{info: info, interaction: in.called(c)}, err
}

// interaction is the header by which clients of FAPI name what they ask of a resource, so that both sides find it again (FAPI 1.0 Part 1
// section 6.2.1).
const interaction = "X-Fapi-Interaction-Id"

var uuidForm = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// called is what the client calls its request, or a new name where it gives none.
func (s *sent) called(c *op.Call) string {
	if uuidForm.MatchString(s.interaction) {
		return s.interaction
	}
	return c.NewID()
}

// Info are the claims of a person, as JSON with Success true beside them, or as a JWT for clients that registered
// userinfo_signed_response_alg or userinfo_encrypted_response_alg (OpenID Connect Core section 5.3.2).
type Info struct {
	info        oauth.Info
	plain       op.JSON
	interaction string
}

// finish signs them, after the transaction.
func (i Info) finish(r *http.Request, c *op.Call, s *oauth.Server) (any, error) {
	if i.info.Claims == nil {
		return i.plain, nil
	}
	jwt, err := s.SignInfo(r.Context(), c, i.info)
	if err != nil || jwt != "" {
		return token{typeJWT, jwt}, err
	}
	i.info.Claims["Success"] = true
	return op.JSON{Body: i.info.Claims}, nil
}

const typeJWT = "application/jwt"

// token is an answer that is a JWT alone.
type token struct{ media, jwt string }

// Write writes it for nobody to keep.
func (t token) Write(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", t.media)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = io.WriteString(w, t.jwt) // the client has gone
}
