package oauth

import (
	"context"
	"strings"

	"limen/internal/core/oauth"
	"limen/internal/op"
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

// UserInfo gives the claims of the person of an access token that its scope allows. A token that is bound to a key wants a
// proof of it. Where Scopes is userInfo, the application that every tenant has describes the caller with FirstName, LastName,
// HomeNumber, Manager, Username, Groups, Rights and Roles; any bearer of this API is taken then. Contract: oauth.yaml n 31; OpenID Connect Core section 5.3.
func (o OAuth) UserInfo(ctx context.Context, c *op.Call, in InfoRequest) (op.JSON, error) {
	a, err := o.Server.App(ctx, c, in.App)
	if err != nil {
		return op.JSON{}, err
	}
	if in.Scopes == ownForm && a.Service == o.Shared {
		return o.person(ctx, c)
	}
	scheme, token, _ := strings.Cut(in.authorization, " ")
	if token = strings.TrimSpace(token); token == "" {
		scheme, token = "Bearer", in.AccessToken
	}
	l, err := o.Server.Look(ctx, c, token)
	if err != nil {
		return op.JSON{}, err
	}
	if l.Kind != "access" || l.App != a.ID && l.App != a.Service {
		return op.JSON{}, oauth.ErrToken
	}
	if err := in.bound(c, l, scheme, token); err != nil {
		return op.JSON{}, err
	}
	claims, err := o.Server.UserInfo(ctx, c, l)
	if err != nil {
		return op.JSON{}, err
	}
	claims["Success"] = true
	return op.JSON{Body: claims}, nil
}

// bound wants a proof of the key that a token is bound to (RFC 9449 section 7.1), or the connection made by its certificate (RFC 8705
// section 3).
func (s *sent) bound(c *op.Call, l oauth.Live, scheme, token string) error {
	switch {
	case l.Key == "", l.Certified(c):
		return nil
	case l.OfCert():
		return oauth.ErrToken
	}
	p, given, err := s.proof(c.Now)
	switch {
	case err != nil:
		return err
	case !given || !strings.EqualFold(scheme, "DPoP") || p.Thumbprint != l.Key:
		return oauth.ErrToken
	}
	return oauth.Fault(p.Binds(token))
}
