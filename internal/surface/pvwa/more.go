package pvwa

import (
	"context"
	"net/http"

	"limen/internal/core/audit"
	"limen/internal/core/vault"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/pvwa"
)

func (p PVWA) more() []op.Op {
	bulk := func(path string) op.Spec {
		sp := writes(http.MethodPatch, base+path, manage, audit.UserChange, unread, guarding)
		sp.Rate = op.Costly
		return sp
	}
	return []op.Op{
		op.New(bulk("/Users/AddAllowedAuthenticationMethods/Bulk"), p.AllowMethods),
		op.New(bulk("/Users/RemoveAllowedAuthenticationMethods/Bulk"), p.DisallowMethods),
		op.New(reads(one+"/safes", view, unknown...), p.ListSafes),
	}
}

// MethodItem are ways to log on for some users.
type MethodItem struct {
	// UserIDs are the users' numbers.
	UserIDs []wire.Int `json:"userIds"`
	// Methods are the ways: SAML, PKI, PKIPN, FIDO, WINDOWS, OTP, PASSWORD, RADIUS, TRUST, LDAP or OIDC.
	Methods wire.Words `json:"allowedAuthenticationMethods"`
}

// MethodBulk are ways to log on for many users.
type MethodBulk struct {
	// Items are the ways for each of the users, required; 1000 users in all at most.
	Items []MethodItem `json:"BulkItems"`
}

func (b *MethodBulk) take(r *op.Request) error { return wire.Read(r.Body, b) }

// maxBulk is how many users one call is about at most.
const maxBulk = 1000

// Check wants users.
func (b *MethodBulk) Check() error {
	n := 0
	for _, i := range b.Items {
		n += len(i.UserIDs)
		if len(i.Methods) == 0 {
			return vault.ErrValue.At("allowedAuthenticationMethods").Say("allowedAuthenticationMethods is required.")
		}
	}
	if n == 0 || n > maxBulk {
		return vault.ErrValue.At("BulkItems").Say("BulkItems must have 1 to %d users.", maxBulk)
	}
	return nil
}

// MethodResult is what became of one user.
type MethodResult struct {
	// UserID is the user's number.
	UserID int64 `json:"userId"`
	// Success says whether the user is as wanted now.
	Success bool `json:"success"`
	// Error says why not; null where it is.
	Error *wire.Failure `json:"error"`
}

// MethodResults is what became of all.
type MethodResults struct {
	// Items are the users in the order in which they were named.
	Items []MethodResult `json:"BulkItems"`
}

// AllowMethods adds further ways to log on to those that users are said to have. They are kept and told; those that are not among the
// server's methods let nobody in. pvwa.yaml, PATCH /PasswordVault/API/Users/AddAllowedAuthenticationMethods/Bulk.
func (p PVWA) AllowMethods(ctx context.Context, c *op.Call, in MethodBulk) (MethodResults, error) {
	return p.allow(ctx, c, in, true)
}

// DisallowMethods takes ways to log on from those that users are said to have. pvwa.yaml, PATCH
// /PasswordVault/API/Users/RemoveAllowedAuthenticationMethods/Bulk.
func (p PVWA) DisallowMethods(ctx context.Context, c *op.Call, in MethodBulk) (MethodResults, error) {
	return p.allow(ctx, c, in, false)
}

// allow changes one user after the other; what is refused for one is done for the others. The event of each is its own.
func (p PVWA) allow(ctx context.Context, c *op.Call, in MethodBulk, add bool) (MethodResults, error) {
	out, main, n := MethodResults{}, c.Event, 0
	defer func() { c.Event = main }()
	for _, i := range in.Items {
		for _, id := range i.UserIDs {
			u, err := vault.Find(ctx, c, int64(id))
			if err == nil {
				c.Event = c.Record(audit.UserChange)
				noted(c, u)
				err = p.Vault.Allow(ctx, c, u, i.Methods, add)
			}
			one := MethodResult{UserID: int64(id), Success: err == nil}
			if f := fault.Of(err); f != nil {
				if f.Kind != fault.NotFound && f.Kind != fault.Denied {
					return MethodResults{}, err
				}
				_, failure := failed(f)
				one.Error = &failure
				if f.Kind == fault.Denied {
					c.Event.Outcome, c.Event.Reason = "denied", f.Code
				}
			} else {
				n++
			}
			out.Items = append(out.Items, one)
		}
	}
	main.Set("Users", n)
	return out, nil
}

// Safe is a safe that a user can reach.
type Safe struct {
	// SafeName is its name.
	SafeName string `json:"SafeName"`
}

// Safes are the safes that a user can reach.
type Safes struct {
	// Safes is empty: there are no safes behind this service.
	Safes []Safe `json:"Safes"`
}

// ListSafes lists the safes that a user can reach: none, as there is no vault of secrets behind this service. pvwa.yaml, GET
// /PasswordVault/API/Users/{userId}/safes.
func (p PVWA) ListSafes(context.Context, *op.Call, UserRef) (Safes, error) {
	return Safes{[]Safe{}}, nil
}
