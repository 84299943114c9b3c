// Package providers is the identity providers at which people may sign in, as the Synerise dialect sets them (synerise.yaml:
// /sauth/settings/oauth/facebook, google and apple). They are the tenant's: what is set here signs in people of every workspace, and is what
// the RPC dialect's /SocialConfig/ operations set.
package providers

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/upstream"
	"limen/internal/fault"
	"limen/internal/op"
)

// Providers are the operations.
type Providers struct{ Providers *upstream.Providers }

// Ops declares them. Whoever administers a workspace alone may not set how people of all of them sign in.
func (p Providers) Ops() []op.Op {
	const root = "/sauth/settings/oauth/"
	read := func(path string) op.Spec {
		return op.Spec{Method: http.MethodGet, Path: root + path, Allow: op.System, Effect: op.Read}
	}
	write := func(path string) op.Spec {
		return op.Spec{Path: root + path, Allow: op.System, Effect: op.Write, Audit: audit.UpstreamChange, Faults: []*fault.Error{fault.ErrMissing, fault.ErrInvalid}}
	}
	return []op.Op{
		op.New(read("facebook"), p.GetFacebook), op.Prepared(write("facebook"), p.sealFacebook, p.SetFacebook),
		op.New(read("google"), p.GetGoogle), op.Prepared(write("google"), p.sealGoogle, p.SetGoogle),
		op.New(read("apple"), p.GetApple), op.Prepared(write("apple"), p.sealApple, p.SetApple),
	}
}

var (
	facebook = members{"AppId": "appId", "AppSecret": "appSecret"}
	google   = members{"AppId": "clientId", "AppSecret": "clientSecret"}
	apple    = members{"AppId": "appBundleIdentifier", "AppSecret": "privateKey", "TeamId": "teamId", "KeyId": "keyId"}
)

// wish is what a body wants of a provider. An application without an id is none.
func wish(name string, on bool, client, secret string) upstream.Wish {
	own := client != ""
	return upstream.Wish{Name: name, Own: &own, Enabled: &on, Client: &client, Secret: secret}
}

// members are what the members of bodies are called here, by their names in the domain.
type members map[string]string

// named calls the member at fault by its name here.
func (m members) named(err error) error {
	f := fault.Of(err)
	if f == nil || m[f.Field] == "" {
		return err
	}
	return f.At(m[f.Field]).Say("%s", strings.Replace(f.Public, f.Field, m[f.Field], 1))
}

func (p Providers) prepare(ctx context.Context, c *op.Call, w upstream.Wish, m members) (upstream.Ready, error) {
	if *w.Enabled && !*w.Own {
		return upstream.Ready{}, fault.Missing(m["AppId"])
	}
	r, err := p.Providers.Prepare(ctx, c, w)
	return r, m.named(err)
}

func (p Providers) set(ctx context.Context, c *op.Call, name string, r upstream.Ready, m members) (upstream.Provider, error) {
	if err := p.Providers.Set(ctx, c, r); err != nil {
		return upstream.Provider{}, m.named(err)
	}
	return p.Providers.Find(ctx, c, name)
}

// Facebook is how people sign in at Facebook.
type Facebook struct {
	// Enabled says whether people may sign in there.
	Enabled bool `json:"enabled"`
	// AppID is the id of the installation's application there; empty: none.
	AppID string `json:"appId"`
}

// GetFacebook gives how people sign in at Facebook; the secret is never told. synerise.yaml, GET /sauth/settings/oauth/facebook.
func (p Providers) GetFacebook(ctx context.Context, c *op.Call, _ op.None) (Facebook, error) {
	row, err := p.Providers.Find(ctx, c, upstream.Facebook)
	return Facebook{row.Enabled, row.Client}, err
}

// NewFacebook is the whole new state: what is not sent goes back to its default, but the secret.
type NewFacebook struct {
	// Enabled says whether people may sign in there; absent: false.
	Enabled bool `json:"enabled"`
	// AppID is the id of the application; required where Enabled, and empty to drop it with its secret.
	AppID string `json:"appId"`
	// AppSecret is its secret, required at first and with another AppID; absent: as it is. It is never told.
	AppSecret string `json:"appSecret"`
}

func (p Providers) sealFacebook(ctx context.Context, c *op.Call, in NewFacebook) (upstream.Ready, error) {
	return p.prepare(ctx, c, wish(upstream.Facebook, in.Enabled, in.AppID, in.AppSecret), facebook)
}

// SetFacebook replaces how people sign in at Facebook, from the next sign-in on. synerise.yaml, POST /sauth/settings/oauth/facebook.
func (p Providers) SetFacebook(ctx context.Context, c *op.Call, _ NewFacebook, r upstream.Ready) (Facebook, error) {
	row, err := p.set(ctx, c, upstream.Facebook, r, facebook)
	return Facebook{row.Enabled, row.Client}, err
}

// Google is how people sign in at Google.
type Google struct {
	// Enabled says whether people may sign in there.
	Enabled bool `json:"enabled"`
	// ClientID is the id of the installation's application there; empty: none.
	ClientID string `json:"clientId"`
}

// GetGoogle gives how people sign in at Google; the secret is never told. synerise.yaml, GET /sauth/settings/oauth/google.
func (p Providers) GetGoogle(ctx context.Context, c *op.Call, _ op.None) (Google, error) {
	row, err := p.Providers.Find(ctx, c, upstream.Google)
	return Google{row.Enabled, row.Client}, err
}

// NewGoogle is the whole new state: what is not sent goes back to its default, but the secret.
type NewGoogle struct {
	// Enabled says whether people may sign in there; absent: false.
	Enabled bool `json:"enabled"`
	// ClientID is the id of the application, as a text or as a list of one; required where Enabled, and empty to drop it with its secret.
	ClientID json.RawMessage `json:"clientId"`
	// ClientSecret is its secret, required at first and with another ClientID; absent: as it is. It is never told.
	ClientSecret string `json:"clientSecret"`

	client string
}

// Check reads the id.
func (n *NewGoogle) Check() error {
	var list []string
	switch {
	case len(n.ClientID) == 0 || string(n.ClientID) == "null":
		return nil
	case json.Unmarshal(n.ClientID, &n.client) == nil:
		return nil
	case json.Unmarshal(n.ClientID, &list) != nil || len(list) > 1:
		return fault.Bad("clientId", "must be a text, or a list of one: people sign in at one application")
	case len(list) == 1:
		n.client = list[0]
	}
	return nil
}

func (p Providers) sealGoogle(ctx context.Context, c *op.Call, in NewGoogle) (upstream.Ready, error) {
	return p.prepare(ctx, c, wish(upstream.Google, in.Enabled, in.client, in.ClientSecret), google)
}

// SetGoogle replaces how people sign in at Google, from the next sign-in on. synerise.yaml, POST /sauth/settings/oauth/google.
func (p Providers) SetGoogle(ctx context.Context, c *op.Call, _ NewGoogle, r upstream.Ready) (Google, error) {
	row, err := p.set(ctx, c, upstream.Google, r, google)
	return Google{row.Enabled, row.Client}, err
}

// Apple is how people sign in with Apple.
type Apple struct {
	// Enabled says whether people may sign in there.
	Enabled bool `json:"enabled"`
	// AppBundleIdentifier is the identifier of the installation's application there, on the web its Services ID; empty: none.
	AppBundleIdentifier string `json:"appBundleIdentifier"`
	// TeamID is the developer team.
	TeamID string `json:"teamId"`
	// KeyID is the id of the key by which the application shows who it is.
	KeyID string `json:"keyId"`
}

func appleOf(row upstream.Provider) Apple { return Apple{row.Enabled, row.Client, row.Team, row.KeyID} }

// GetApple gives how people sign in with Apple; the key is never told. synerise.yaml, GET /sauth/settings/oauth/apple.
func (p Providers) GetApple(ctx context.Context, c *op.Call, _ op.None) (Apple, error) {
	row, err := p.Providers.Find(ctx, c, upstream.Apple)
	return appleOf(row), err
}

// NewApple is the whole new state: what is not sent goes back to its default, but the key, its id and the team.
type NewApple struct {
	// Enabled says whether people may sign in there; absent: false.
	Enabled bool `json:"enabled"`
	// AppBundleIdentifier is the identifier of the application; required where Enabled, and empty to drop it with its key.
	AppBundleIdentifier string `json:"appBundleIdentifier"`
	// TeamID is the developer team, required at first; absent: as it is.
	TeamID op.Opt[string] `json:"teamId"`
	// KeyID is the id of the key, required at first; absent: as it is.
	KeyID op.Opt[string] `json:"keyId"`
	// PrivateKey is the key in PEM, required at first and with another AppBundleIdentifier; absent: as it is. It is never told.
	PrivateKey string `json:"privateKey"`
}

func (p Providers) sealApple(ctx context.Context, c *op.Call, in NewApple) (upstream.Ready, error) {
	w := wish(upstream.Apple, in.Enabled, in.AppBundleIdentifier, in.PrivateKey)
	for to, from := range map[**string]op.Opt[string]{&w.Team: in.TeamID, &w.KeyID: in.KeyID} {
		if text, ok := from.Get(); ok {
			*to = &text
		}
	}
	return p.prepare(ctx, c, w, apple)
}

// SetApple replaces how people sign in with Apple, from the next sign-in on. synerise.yaml, POST /sauth/settings/oauth/apple.
func (p Providers) SetApple(ctx context.Context, c *op.Call, _ NewApple, r upstream.Ready) (Apple, error) {
	row, err := p.set(ctx, c, upstream.Apple, r, apple)
	return appleOf(row), err
}
