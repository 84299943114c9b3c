package oauth

import (
	"context"
	"net/http"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/oauth"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/oauth"
)

// ErrElsewhere is a form that another site made a browser send.
var ErrElsewhere = fault.New(fault.Denied, oauth.Prefix+string(wire.AccessDenied), "this form was not sent from its own page")

var errRefused = fault.New(fault.Denied, oauth.Prefix+string(wire.AccessDenied), "User denied confirmation")

// guard refuses what another site makes a browser send, by Sec-Fetch-Site or else Origin.
var guard = http.NewCrossOriginProtection()

// ConfirmRequest is what somebody decided on the page of consent.
type ConfirmRequest struct {
	App string `json:"app_id"` // ServiceName of the application, in the path
	// Bounce is the handle of the request that waits, required.
	Bounce string `json:"bounce"`
	// Result is 1 to agree; anything else refuses.
	Result string `json:"result"`
	// Scopes are those that are agreed to, commas between; all that were asked for when absent.
	Scopes string `json:"scopes"`
	// DeniedScopes are those that are not.
	DeniedScopes string `json:"deniedScopes"`

	sent
	foreign bool
}

func (r *ConfirmRequest) see(q *http.Request, p wire.Params) {
	r.sent.see(q, p)
	r.foreign = guard.Check(q) != nil
}

// confirmation declares the operation behind the page of consent.
func (o OAuth) confirmation() []op.Op {
	return []op.Op{op.Prepared(op.Spec{
		Path: "/OAuth2/Confirm/{app_id}", Allow: op.Authenticated, Effect: op.Write, Audit: audit.OAuthAuthorize, MaxBody: maxForm,
		Faults: append(faults, oauth.ErrScope, oauth.ErrDenied, ErrElsewhere),
	}, o.prepareConfirm, o.Confirm)}
}

func (o OAuth) prepareConfirm(ctx context.Context, c *op.Call, in ConfirmRequest) (op.None, error) {
	if in.foreign {
		return op.None{}, ErrElsewhere
	}
	by := func(ctx context.Context, _ oauth.App) (*oauth.SignedIn, error) { return o.Server.SignedIn(ctx, c) }
	if err := o.Server.ForeseeAnswer(ctx, c, in.App, oauth.Presented{}, in.Bounce, by, in.agreed); err != nil {
		return op.None{}, err
	}
	return op.None{}, o.Server.Ensure(ctx, c)
}

// Confirm remembers to what the person agrees, or that they refuse, and answers the authorization request that waits. What is agreed
// to is at most what was asked for; a scope that is denied is left out. Forms of other sites are refused. Contract: oauth.yaml n 25.
func (o OAuth) Confirm(ctx context.Context, c *op.Call, in ConfirmRequest, _ op.None) (authorized, error) {
	w, err := o.Server.Resume(ctx, c, in.Bounce)
	if err != nil {
		return authorized{}, err
	}
	r, err := o.Server.Request(ctx, c, in.App, w.Presented)
	if err != nil {
		return authorized{}, err
	}
	by, err := o.Server.SignedIn(ctx, c)
	if err == nil && by == nil {
		err = op.ErrSignIn
	}
	if err != nil {
		return authorized{}, err
	}
	c.Event.Kind, c.Event.Target, c.Event.Name = "Application", r.App.ID, r.App.Name
	c.Event.Set("ClientID", r.Client.ID)
	if r.Ask.Scope = in.agreed(r.Ask.Scope); in.Result != "1" || len(r.Ask.Scope) == 0 {
		out := authorized{request: r, failed: spoken(errRefused)}
		if err := o.Server.Done(ctx, c, w); err != nil {
			return authorized{}, err
		}
		return out, op.Refused(errRefused)
	}
	c.Event.Set("Scope", r.Ask.Scope.String())
	c.Event.Set("Confirmed", true)
	if err := o.Server.Agree(ctx, c, r, by.Person.ID, r.Ask.Scope); err != nil {
		return authorized{}, err
	}
	r.Ask.Prompt.Consent = false // it was just given
	return o.confirmed(ctx, c, r, *by, w)
}

// confirmed answers the request, unless its sign-in has become too old while the person thought.
func (o OAuth) confirmed(ctx context.Context, c *op.Call, r oauth.Request, by oauth.SignedIn, w oauth.Waiting) (authorized, error) {
	out := authorized{request: r}
	next, err := o.Server.Next(ctx, c, r, &by, by.Proved.After(w.Since))
	if err != nil {
		return authorized{}, err
	}
	if next != oauth.Answer {
		out.next, out.back = next, waits(r, w.Handle())
		return out, nil
	}
	if err := o.Server.Done(ctx, c, w); err != nil {
		return authorized{}, err
	}
	out.reply, err = o.Server.Reply(ctx, c, r, by)
	return out, err
}

// agreed are the scopes of a request that the form leaves. An ID token needs openid, which only goes with all the rest.
func (r ConfirmRequest) agreed(asked wire.Scope) (out wire.Scope) {
	some, denied := strings.Split(r.Scopes, ","), strings.Split(r.DeniedScopes, ",")
	has := func(list []string, scope string) bool {
		for _, s := range list {
			if strings.TrimSpace(s) == scope {
				return true
			}
		}
		return false
	}
	for _, scope := range asked {
		if scope == "openid" || (r.Scopes == "" || has(some, scope)) && !has(denied, scope) {
			out = append(out, scope)
		}
	}
	return out
}
