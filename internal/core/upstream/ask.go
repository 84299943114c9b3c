package upstream

import (
	"context"
	"crypto/ecdsa"
	"crypto/subtle"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"

	"limen/internal/call"
	"limen/internal/core/user"
)

// discovered is what an issuer tells of itself.
type discovered struct {
	provider *oidc.Provider
	meta     metadata
	until    time.Time
}

type metadata struct {
	Issuer  string   `json:"issuer"`
	Methods []string `json:"token_endpoint_auth_methods_supported"`
	Says    bool     `json:"authorization_response_iss_parameter_supported"`
}

const (
	discoveryLife = time.Hour
	maxFound      = 1000
	maxInfo       = 256 << 10
	maxSubject    = 255
)

// outside has libraries ask through our own client.
func (p *Providers) outside(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, p.HTTP)
}

// discover reads what an issuer tells of itself, at most once an hour.
func (p *Providers) discover(ctx context.Context, k Known) (discovered, error) {
	now := time.Now()
	p.mu.Lock()
	d, ok := p.found[k.Issuer]
	p.mu.Unlock()
	if ok && now.Before(d.until) {
		return d, nil
	}
	ctx = p.outside(ctx)
	if k.Template != "" { // its document names no issuer, but what they look like
		ctx = oidc.InsecureIssuerURLContext(ctx, k.Template)
	}
	provider, err := oidc.NewProvider(ctx, k.Issuer)
	if err != nil {
		return d, ErrProvider.Because(err)
	}
	d = discovered{provider: provider, until: now.Add(discoveryLife)}
	if err := provider.Claims(&d.meta); err != nil {
		return d, ErrProvider.Because(err)
	}
	for _, at := range []string{provider.Endpoint().AuthURL, provider.Endpoint().TokenURL} {
		if !address(at) {
			return d, ErrProvider.Because(fmt.Errorf("the issuer %s names the endpoint %q", k.Issuer, at))
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found == nil || len(p.found) >= maxFound {
		p.found = map[string]discovered{}
	}
	p.found[k.Issuer] = d
	return d, nil
}

// config is the tenant's application at a provider; its secret is still to be set.
func (p *Providers) config(ctx context.Context, k Known, row Provider, f flow) (oauth2.Config, discovered, error) {
	out := oauth2.Config{ClientID: row.Client, RedirectURL: f.Redirect, Scopes: slices.Clone(k.Scopes)}
	for scope := range strings.FieldsSeq(strings.ReplaceAll(row.Scope, ",", " ")) {
		if !slices.Contains(out.Scopes, scope) {
			out.Scopes = append(out.Scopes, scope)
		}
	}
	out.Endpoint = oauth2.Endpoint{AuthURL: k.Authorize, TokenURL: k.Token, AuthStyle: oauth2.AuthStyleInParams}
	if k.Basic {
		out.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	}
	if k.plain() {
		return out, discovered{}, nil
	}
	d, err := p.discover(ctx, k)
	if err != nil {
		return out, d, err
	}
	out.Endpoint = d.provider.Endpoint()
	out.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	if len(d.meta.Methods) == 0 || slices.Contains(d.meta.Methods, "client_secret_basic") { // the default of Discovery section 3
		out.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	}
	return out, d, nil
}

// authorize is the address to which a browser is led.
func (p *Providers) authorize(ctx context.Context, row Provider, f flow, state string) (string, error) {
	k := p.known(row)
	cfg, _, err := p.config(ctx, k, row, f)
	if err != nil {
		return "", err
	}
	var more []oauth2.AuthCodeOption
	if k.PKCE {
		more = append(more, oauth2.S256ChallengeOption(f.Verifier))
	}
	if !k.plain() {
		more = append(more, oidc.Nonce(f.Nonce))
	}
	if k.FormPost {
		more = append(more, oauth2.SetAuthURLParam("response_mode", "form_post"))
	}
	return cfg.AuthCodeURL(state, more...), nil
}

// ask redeems a code, and finds out whose it is.
func (p *Providers) ask(ctx context.Context, c *call.Call, row Provider, f flow, a Answer) (Identity, error) {
	k := p.known(row)
	cfg, d, err := p.config(ctx, k, row, f)
	if err != nil {
		return Identity{}, err
	}
	want := k.Issuer
	if d.provider != nil {
		want = d.meta.Issuer
	}
	if a.Issuer != "" && a.Issuer != want && k.Template == "" || a.Issuer == "" && d.meta.Says {
		return Identity{}, fmt.Errorf("the answer is of the issuer %q instead of %s", a.Issuer, want)
	}
	if cfg.ClientSecret, err = p.Secret(ctx, c, row); err != nil {
		return Identity{}, err
	}
	secret := cfg.ClientSecret
	if row.Team != "" {
		if cfg.ClientSecret, err = appleSecret(row, secret, c.Now); err != nil {
			return Identity{}, err
		}
	}
	var more []oauth2.AuthCodeOption
	if k.PKCE {
		more = append(more, oauth2.VerifierOption(f.Verifier))
	}
	tok, err := cfg.Exchange(p.outside(ctx), a.Code, more...)
	if err != nil {
		return Identity{}, err
	}
	var out Identity
	if k.plain() {
		out, err = p.plain(ctx, k, secret, tok.AccessToken)
	} else {
		out, err = p.verify(ctx, c, k, d, cfg.ClientID, f.Nonce, tok)
	}
	if err == nil && (out.Subject == "" || len(out.Subject) > maxSubject || strings.ContainsRune(out.Subject, 0)) {
		err = errors.New("the provider names no subject that can be kept")
	}
	if out.Mail != "" && user.CheckMail("mail", out.Mail) != nil {
		out.Mail, out.Verified = "", false
	}
	if a.User != "" && k.FormPost {
		out.named(a.User)
	}
	return out, err
}

// plain asks a provider that speaks OAuth 2.0 alone who its token is of.
func (p *Providers) plain(ctx context.Context, k Known, secret, token string) (Identity, error) {
	at, err := url.Parse(k.Info)
	if err != nil {
		return Identity{}, err
	}
	if k.proof != nil {
		q := at.Query()
		for name, values := range k.proof(secret, token) {
			q[name] = values
		}
		at.RawQuery = q.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return Identity{}, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Accept", "application/json")
	out, err := p.HTTP.Do(r)
	if err != nil {
		return Identity{}, err
	}
	defer func() { _ = out.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(out.Body, maxInfo))
	if err == nil && out.StatusCode != http.StatusOK {
		err = fmt.Errorf("the provider answered with status %d", out.StatusCode)
	}
	if err != nil {
		return Identity{}, err
	}
	id, err := k.read(raw)
	id.Issuer = k.Issuer
	return id, err
}

// verify reads an ID token, which must be the issuer's, for the tenant's application, of this flow and not over.
func (p *Providers) verify(ctx context.Context, c *call.Call, k Known, d discovered, client, nonce string, tok *oauth2.Token) (Identity, error) {
	raw, _ := tok.Extra("id_token").(string)
	if raw == "" {
		return Identity{}, errors.New("the provider gave no ID token")
	}
	v := d.provider.VerifierContext(p.outside(ctx), &oidc.Config{ClientID: client, SkipIssuerCheck: k.Template != "", Now: func() time.Time { return c.Now }})
	t, err := v.Verify(ctx, raw)
	if err != nil {
		return Identity{}, err
	}
	var in claims
	if err := t.Claims(&in); err != nil {
		return Identity{}, err
	}
	switch {
	case k.Template != "" && (!isGUID(in.Tenant) || t.Issuer != strings.ReplaceAll(k.Template, "{tenantid}", in.Tenant)):
		return Identity{}, fmt.Errorf("the ID token is of the issuer %q", t.Issuer)
	case !(in.Nonce == "" && k.NoNonce) && subtle.ConstantTimeCompare([]byte(in.Nonce), []byte(nonce)) != 1:
		return Identity{}, errors.New("the ID token is of another sign-in")
	case in.Party != "" && in.Party != client, len(t.Audience) > 1 && in.Party == "":
		return Identity{}, errors.New("the ID token is for another client")
	}
	if t.AccessTokenHash != "" {
		if err := t.VerifyAccessToken(tok.AccessToken); err != nil {
			return Identity{}, err
		}
	}
	if in.Mail == "" && d.provider.UserInfoEndpoint() != "" {
		if in, err = p.info(ctx, d, in, tok); err != nil {
			return Identity{}, err
		}
	}
	out := in.identity()
	out.Issuer, out.Verified = t.Issuer, bool(in.Verified)
	if k.owns != nil {
		out.Verified = k.owns(in)
	}
	out.Verified = out.Verified && out.Mail != ""
	return out, nil
}

// info reads what the ID token leaves out.
func (p *Providers) info(ctx context.Context, d discovered, in claims, tok *oauth2.Token) (claims, error) {
	u, err := d.provider.UserInfo(p.outside(ctx), oauth2.StaticTokenSource(tok))
	if err != nil {
		return in, err
	}
	if u.Subject != in.Subject {
		return in, errors.New("the userinfo endpoint tells of somebody else")
	}
	more := in
	return more, u.Claims(&more)
}

func isGUID(text string) bool {
	return len(text) == 36 && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'f') && (r < 'A' || r > 'F') && r != '-'
	})
}

// named reads the name that Apple tells once, in the form: it is no more than what the person may call themselves.
func (id *Identity) named(text string) {
	var in struct {
		Name struct {
			First string `json:"firstName"`
			Last  string `json:"lastName"`
		} `json:"name"`
	}
	if len(text) > 4<<10 || json.Unmarshal([]byte(text), &in) != nil {
		return
	}
	id.Given, id.Family = in.Name.First, in.Name.Last
	if id.Name == "" {
		id.Name = strings.TrimSpace(in.Name.First + " " + in.Name.Last)
	}
}

// appleKey reads the private key of an application at Apple.
func appleKey(text string) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("it is no PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	ec, ok := key.(*ecdsa.PrivateKey)
	if !ok || ec.Curve.Params().BitSize != 256 {
		return nil, errors.New("it is no key of P-256")
	}
	return ec, nil
}

// appleSecret is what Apple takes for a secret: a short-lived token that the application signs.
func appleSecret(row Provider, text string, now time.Time) (string, error) {
	key, err := appleKey(text)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: row.KeyID}}, nil)
	if err != nil {
		return "", err
	}
	return jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: row.Team, Subject: row.Client, Audience: jwt.Audience{appleAudience}, IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(5 * time.Minute)),
	}).Serialize()
}

const appleAudience = "https://appleid.apple.com"
