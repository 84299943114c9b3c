package oauth

import (
	"context"
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

// Effect is a write where a DPoP proof has to be remembered, which is good once.
func (r *InfoRequest) Effect() op.Effect {
	if len(r.proofs) > 0 {
		return op.Write
	}
	return op.Read
}

func (o OAuth) prepareUserInfo(ctx context.Context, c *op.Call, in InfoRequest) (wire.Proof, error) {
	p, err := o.proved(ctx, c, in.App, &in.sent)
	return p, oauth.Resource(err)
}

// UserInfo gives the claims of the person of an access token that its scope allows. A token that is bound to a key wants a
// proof of it. Where Scopes is userInfo, the application that every tenant has describes the caller with FirstName, LastName,
// HomeNumber, Manager, Username, Groups, Rights and Roles; any bearer of this API is taken then. Contract: oauth.yaml n 31; OpenID Connect Core section 5.3.
func (o OAuth) UserInfo(ctx context.Context, c *op.Call, in InfoRequest, p wire.Proof) (op.JSON, error) {
	a, err := o.Server.App(ctx, c, in.App)
	if err != nil {
		return op.JSON{}, err
	}
	if c.Event != nil {
		c.Event.Type = "" // reading leaves none
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
	if err = l.Holds(c, scheme, token, p); err == nil {
		err = o.Server.Unused(ctx, c, p)
	}
	if err != nil {
		return op.JSON{}, oauth.Resource(err)
	}
	claims, err := o.Server.UserInfo(ctx, c, l)
	if err != nil {
		return op.JSON{}, err
	}
	claims["Success"] = true
	return op.JSON{Body: claims}, nil
}
