package oauth

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/crypt"
	"limen/internal/dbx"
	wire "limen/internal/wire/oauth"
)

// Every application has an issuer of its own, and every tenant has one for all of them: its endpoints name no application, so the
// application is that of the client. To clients these are servers that have nothing to do with each other: what was given at one is good
// for nothing at the other (RFC 9700 section 4.4).

// ErrShared says that a client cannot come to the tenant's issuer, since its id says not of which application it is.
var ErrShared = ErrClient.Say("this issuer knows no application that alone has a client of this id; applications have issuers of their own")

// WideIssuer is the tenant's issuer.
func WideIssuer(host string) string { return "https://" + host + "/" }

// ResourcePath is where this program's own API is described as a protected resource (RFC 9728 section 3), and ResourceMetadata its address.
const ResourcePath = "/.well-known/oauth-protected-resource"

// ResourceMetadata is what a refused request is told, so that its client finds out who gives tokens.
func ResourceMetadata(host string) string { return "https://" + host + ResourcePath }

// Issuer is who the tokens say they are from.
func (a App) Issuer(host string) string {
	switch {
	case a.Wide:
		return WideIssuer(host)
	case a.Profile.Issuer != "":
		return a.Profile.Issuer
	}
	return "https://" + host + "/" + a.Service + "/"
}

// Endpoint is the path of an endpoint of the issuer that was asked.
func (a App) Endpoint(operation string) string {
	if a.Wide {
		return "/OAuth2/" + operation
	}
	return "/OAuth2/" + operation + "/" + a.Service
}

// wide is how the store has it.
func (a App) wide() int64 {
	if a.Wide {
		return 1
	}
	return 0
}

// Whole is what the tenant's issuer can do, for whatever application: what the document of discovery says of it.
func (s *Server) Whole() App {
	return App{Wide: true, Active: true, Derived: &s.derived, Profile: Profile{
		OpenID: true, Sessions: true, Public: true, Refresh: true, Registering: TokenHolder,
		Flows: []Flow{CodeFlow, Implicit, Credentials, PasswordFlow, DeviceFlow, ExchangeFlow, BackchannelFlow},
	}}
}

// At finds the application that a request is for, by the last segment of the endpoint's path; where that is empty, the tenant's issuer was
// asked, and the application is that of the client. ErrUnknownApp, or ErrShared, where there is none.
func (s *Server) At(ctx context.Context, c *call.Call, service, client string) (App, error) {
	if service != "" {
		return s.App(ctx, c, service)
	}
	if client == "" {
		return App{}, Fault(&wire.Error{Code: wire.InvalidRequest, Description: "missing client_id"})
	}
	if len(client) > 255 {
		return App{}, ErrShared
	}
	app := ""
	row, err := s.registered(ctx, c, client)
	if err == nil {
		app = row.App
	} else if errors.Is(err, dbx.ErrNoRow) && s.AppOfClient != nil {
		app, err = s.claimant(ctx, c, client)
	}
	switch {
	case err != nil && !errors.Is(err, dbx.ErrNoRow):
		return App{}, err
	case app == "":
		return App{}, ErrShared
	}
	a, err := s.App(ctx, c, app)
	a.Wide = true
	return a, err
}

// claimant is AppOfClient, by what is remembered where that is good.
func (s *Server) claimant(ctx context.Context, c *call.Call, client string) (string, error) {
	return s.claimants.Get(ctx, c, [2]string{c.Tenant.ID, client}, func() (change.Answer[string], error) {
		app, err := s.AppOfClient(ctx, c, client)
		return change.Answer[string]{Value: app}, err // of all the tenant's applications
	})
}

// Called is At for a client that comes by itself, with what it shows to prove who it is.
func (s *Server) Called(ctx context.Context, c *call.Call, service, authorization string, p wire.Params) (App, error) {
	if service != "" {
		return s.App(ctx, c, service)
	}
	cred, err := wire.ReadCredentials(authorization, p)
	if err != nil {
		return App{}, Fault(err)
	}
	id, _, err := cred.Claimed()
	if err != nil {
		return App{}, Fault(err)
	}
	if id == "" {
		return App{}, ErrClient
	}
	return s.At(ctx, c, "", id)
}

// HintedAt is At for who shows an ID token, by the client that it was given to. It proves nothing yet: Hinted does.
func (s *Server) HintedAt(ctx context.Context, c *call.Call, token string) (App, error) {
	jwt, err := crypt.Unproved(token, algorithms...)
	if err != nil {
		shared, err := crypt.ReadShared(token)
		if err != nil {
			return App{}, ErrHint
		}
		jwt = shared.Claimed()
	}
	k, ok := hinted(jwt)
	if !ok {
		return App{}, ErrHint
	}
	return s.At(ctx, c, "", k.Audience[0])
}

// from says whether something was given at the issuer that is asked now.
func (a Authorization) from(at App) bool { return a.App == at.ID && a.Wide == at.wide() }
