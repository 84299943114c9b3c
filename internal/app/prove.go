package app

import (
	"context"
	"time"

	"limen/internal/call"
	"limen/internal/core/oauth"
	"limen/internal/core/tenant"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/oauth"
)

// proveKnown is proveToken for a token that is remembered as one of the authorization server's, which nobody else gives: the store need not
// be asked whether it is a session's. ok says that there is nothing more to find out.
func (a *App) proveKnown(ctx context.Context, c *call.Call, cred op.Credentials) (caller call.Caller, tenantID string, ok bool, err error) {
	t, err := a.Index.Find(ctx, tenant.Hint{}, c.Client.Host)
	known := err == nil && cred.Op != nil && a.OAuth.Remembers(&call.Call{Tenant: t, Now: c.Now}, cred.Token)
	if !known {
		return call.Caller{}, "", false, nil
	}
	caller, tenantID, err = a.proveToken(ctx, c, cred)
	// Of an operation that is open to everybody the answer is not told: it goes on without a caller.
	return caller, tenantID, err == nil || cred.Op.Allow.Open(), err
}

// proveToken finds whom an access token of the authorization server lets act on this program's own API: one of an application
// for that, whose scopes reach the operation. That the person may still use it, Look has seen.
func (a *App) proveToken(ctx context.Context, c *call.Call, cred op.Credentials) (caller call.Caller, tenantID string, err error) {
	t, err := a.Index.Find(ctx, tenant.Hint{}, c.Client.Host)
	if err != nil || cred.Cookie || cred.Op == nil {
		return call.Caller{}, "", oauth.ErrToken.Because(err)
	}
	in := *c
	in.Tenant = t
	a.Kernel.Bind(&in) // its snapshots are not those of the request, which is of no tenant yet
	live, it, err := a.reaching(ctx, &in, cred)
	if err == nil {
		caller, err = a.asCaller(ctx, &in, live.User)
		caller.Proved, caller.Machine = time.Unix(live.AuthTime, 0), live.Granted == "" && live.Kind == "access"
	}
	if err != nil && fault.Of(err).Kind != fault.Internal {
		err = oauth.ErrToken
	}
	if err == nil {
		err = oauth.Resource(a.proveKey(ctx, &in, it, live, cred))
	}
	return caller, t.ID, err
}

// reaching looks at a token, and wants it to reach the operation that is asked for.
func (a *App) reaching(ctx context.Context, c *call.Call, cred op.Credentials) (live oauth.Live, it oauth.App, err error) {
	if live, err = a.OAuth.Look(ctx, c, cred.Token); err != nil {
		return live, it, err
	}
	if it, err = a.Apps.Client(ctx, c, live.App); err != nil {
		return live, it, err
	}
	paths := append([]string{cred.Op.Path}, cred.Op.Paths...)
	bearer := live.Kind == "access" || live.Kind == "id" && it.Profile.IDBearer
	if !bearer || live.User == "" || !it.Active || it.Guarded || !it.Profile.Platform || !it.Profile.Reaches(live.Scope, paths...) {
		err = oauth.ErrToken
	}
	return live, it, err
}

// proveKey wants a proof of the key that a token is bound to, which is good once.
func (a *App) proveKey(ctx context.Context, c *call.Call, it oauth.App, live oauth.Live, cred op.Credentials) error {
	scheme := "Bearer"
	var p wire.Proof
	if cred.Proof != nil {
		var err error
		scheme = "DPoP"
		shown := oauth.Shown{Proofs: cred.Proof.Headers, Method: cred.Proof.Method, URL: "https://" + c.Client.Host + cred.Proof.Path}
		if p, err = a.OAuth.Proof(ctx, c, it, shown); err != nil {
			return err
		}
	}
	if err := live.Holds(c, scheme, cred.Token, p); err != nil || p.ID == "" {
		return err
	}
	return a.DB.Write(ctx, func(tx *dbx.Tx) error {
		in := *c
		in.Tx = tx
		return a.OAuth.Unused(ctx, &in, p)
	})
}
