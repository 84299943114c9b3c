package oauth

import (
	"context"
	"net/http"
	"time"

	"limen/internal/core/audit"
	"limen/internal/core/oauth"
	"limen/internal/op"
	wire "limen/internal/wire/oauth"
)

// PushRequest is an authorization request that a client sends by itself, with its proof of who it is. All parameters of the
// authorization endpoint are taken.
type PushRequest struct {
	App string `json:"app_id"` // ServiceName of the application, in the path
	// ClientID names the client, where the header Authorization does not.
	ClientID string `json:"client_id"`
	// ClientSecret is the client's secret, where the header does not have it.
	ClientSecret string `json:"client_secret"`
	// RedirectURI is where the answer goes; one that the client has registered.
	RedirectURI string `json:"redirect_uri"`
	// ResponseType as at the authorization endpoint, required.
	ResponseType string `json:"response_type"`
	// Scope asked for, spaces between.
	Scope string `json:"scope"`
	// Request is a request object that has all parameters but those that prove the client (RFC 9101).
	Request string `json:"request"`

	sent
}

// Pushed names a request that was pushed (RFC 9126 section 2.2).
type Pushed struct {
	URI     string `json:"request_uri"`
	Expires int64  `json:"expires_in"` // seconds
}

// pushing declares the endpoint of pushed authorization requests.
func (o OAuth) pushing() []op.Op {
	return []op.Op{op.Prepared(op.Spec{
		Path: "/OAuth2/PushedAuthorization/{app_id}", Allow: op.Anonymous, Effect: op.Write, Audit: audit.OAuthPush, Rate: op.Guess, MaxBody: maxForm,
		Faults: append(faults, oauth.ErrScope, oauth.ErrProof, oauth.ErrNonce),
	}, o.preparePush, o.Push)}
}

// pushReady is a request whose client has proved itself, with the DPoP proof that came along.
type pushReady struct {
	pushing oauth.Pushing
	proof   wire.Proof
}

func (o OAuth) preparePush(ctx context.Context, c *op.Call, in PushRequest) (pushReady, error) {
	p, err := o.proved(ctx, c, in.App, &in.sent)
	if err != nil {
		return pushReady{}, err
	}
	ready, err := o.Server.PreparePush(ctx, c, in.App, in.authorization, in.params, p.Thumbprint)
	return pushReady{ready, p}, err
}

// Push takes an authorization request from the client itself, which proves who it is as at the token endpoint, and gives the request_uri by
// which the browser takes it up. It is good for one answer of the client that pushed it. A DPoP proof in the header binds the code to its
// key. RFC 9126; RFC 9449 section 10.1.
func (o OAuth) Push(ctx context.Context, c *op.Call, in PushRequest, p pushReady) (op.JSON, error) {
	if err := o.Server.Unused(ctx, c, p.proof); err != nil {
		return op.JSON{}, err
	}
	uri, err := o.Server.Push(ctx, c, p.pushing)
	return op.JSON{Code: http.StatusCreated, Body: Pushed{uri, int64(oauth.PushLife / time.Second)}}, err
}
