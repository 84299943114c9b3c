package applications

import (
	"context"
	"strings"
	"time"

	"limen/internal/core/audit"
	"limen/internal/core/oauth"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/oauth"
)

// clientTokens declares tokens that administrators make for clients.
func (a Applications) clientTokens() []op.Op {
	return []op.Op{op.Prepared(op.Spec{
		Path: "/OAuth2/CreateClientToken", Allow: op.OnRow("right Admin on the application"), Effect: op.Write, Audit: audit.OAuthCreate,
		Faults: append(unknown, oauth.ErrUnknownApp, oauth.ErrNoClient, oauth.ErrFlow, oauth.ErrScope, oauth.ErrGuarded),
	}, a.tokenKeys, a.CreateClientToken)}
}

// ClientWish asks for a token in a client's name.
type ClientWish struct {
	// ServiceName of the application, required.
	ServiceName string `json:"ServiceName"`
	// ClientID is the application's own client, or one that is registered with it; required.
	ClientID string `json:"ClientId"`
	// Scopes with spaces between; none when absent.
	Scopes string `json:"Scopes"`
	// Lifetime in seconds; 900 when absent, 3600 at most.
	Lifetime int `json:"Lifetime"`
}

// Check wants application and client.
func (w *ClientWish) Check() error {
	switch {
	case strings.TrimSpace(w.ServiceName) == "":
		return fault.Missing("ServiceName")
	case strings.TrimSpace(w.ClientID) == "":
		return fault.Missing("ClientId")
	case w.Lifetime < 0:
		return fault.Bad("Lifetime", "must be a number of seconds")
	}
	return nil
}

// tokenKeys makes keys where there are none, and has the application's script say what the token tells.
func (a Applications) tokenKeys(ctx context.Context, c *op.Call, in ClientWish) (op.None, error) {
	var it oauth.App
	scope, err := wire.ReadScope(in.Scopes)
	if err == nil {
		err = c.Snapshot(ctx, func() (err error) { it, err = a.Apps.Administered(ctx, c, in.ServiceName); return err })
	}
	if err == nil { // else CreateClientToken says what is wrong
		a.OAuth.ForeseeClient(ctx, c, it, strings.TrimSpace(in.ClientID), scope)
	}
	return op.None{}, a.OAuth.Ensure(ctx, c)
}

// ClientToken is a token in a client's name.
type ClientToken struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int64  `json:"expires_in"` // seconds
	Scope       string `json:"scope"`

	granted oauth.Granted
	server  *oauth.Server
}

// Finish signs the token.
func (t ClientToken) Finish(ctx context.Context, c *op.Call) (any, error) {
	g, err := t.server.Sign(ctx, c, t.granted)
	t.AccessToken, t.TokenType, t.ExpiresIn, t.Scope = g.Access, g.Type, int64(g.Life/time.Second), g.Scope.String()
	return t, err
}

// CreateClientToken makes an access token in the name of a client of an application, which the client would get for its own
// credentials: the application must allow ClientCreds, and the scopes must be its own. Tokens of service users are not made so,
// since they have a person's rights, nor those of clients whose tokens are bound to a key. The caller needs Admin on the
// application. Errors: app.not_found, acl.denied, oauth.client_not_found, oauth.unauthorized_client, oauth.invalid_scope.
// Contract: oauth.yaml n 34.
func (a Applications) CreateClientToken(ctx context.Context, c *op.Call, in ClientWish, _ op.None) (ClientToken, error) {
	scope, err := wire.ReadScope(in.Scopes)
	if err != nil {
		return ClientToken{}, oauth.Fault(err)
	}
	it, err := a.Apps.Administered(ctx, c, in.ServiceName)
	if err != nil {
		return ClientToken{}, err
	}
	g, err := a.OAuth.ClientToken(ctx, c, it, strings.TrimSpace(in.ClientID), scope, time.Duration(min(in.Lifetime, 3600))*time.Second)
	return ClientToken{granted: g, server: a.OAuth}, err
}
