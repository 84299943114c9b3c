package users

import (
	"context"
	"time"

	"limen/internal/call"
	"limen/internal/core/session"
	"limen/internal/core/token"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// Faults of tokens for others.
var (
	ErrBearer = fault.New(fault.Unauthenticated, "auth.bearer", "This call needs a token in the header Authorization; a cookie does not do.")
	ErrBarred = fault.New(fault.Denied, "user.barred", "The user's account may not be used.")
)

// tokenLife is how long a session lasts that is opened for somebody else.
const tokenLife = 10 * time.Minute

// UserToken is a token for a user.
type UserToken struct {
	// Token is a platform token, to be sent as a bearer.
	Token string `json:"Token"`
	// Expires is when it ends.
	Expires rpc.Time `json:"Expires"`

	sign token.Unsigned
}

// Finish signs the token.
func (t UserToken) Finish(ctx context.Context, _ *op.Call) (any, error) {
	var err error
	t.Token, err = t.sign(ctx)
	return t, err
}

func (u Users) tokenKeys(ctx context.Context, c *op.Call, _ UserName) (op.None, error) {
	return op.None{}, u.Tokens.Ensure(ctx, c.Tenant.ID)
}

// errOwnToken keeps scopes from being left behind.
var errOwnToken = ErrScoped.Say("An access token gives no token of its own person: that would be good for more than its scopes name.")

// GetTokenForUser makes a platform token for a user. The header Authorization must prove the caller: by an OAuth 2.0 access token
// whose scopes reach this operation, as a confidential client gets it by its own credentials, or by a session's token; a cookie
// does not do.
//
// For oneself it is one of the caller's own session, which an access token has none of. System administrators who signed in within Session.ProofMinutes get one for
// others, except for system administrators and those whose factors answer for one: it belongs to a session of its own that
// ends after ten minutes, is of the level Normal, and cannot change what proves who somebody is. It leaves the event
// Cloud.Core.StartImpersonate with the session. users.yaml n 129.
func (u Users) GetTokenForUser(ctx context.Context, c *op.Call, in UserName, _ op.None) (UserToken, error) {
	if c.Caller.Cookie {
		return UserToken{}, ErrBearer
	}
	p := in.found
	invited(c, p)
	var opened session.Session
	var err error
	switch {
	case p.ID != c.User():
		opened, err = u.openFor(ctx, c, p)
	case c.Caller.Means == call.ByOAuth:
		err = errOwnToken
	default:
		opened, err = u.Sessions.Find(ctx, c, c.Caller.Session)
	}
	if err != nil {
		return UserToken{}, err
	}
	c.Event.Set("Session", opened.ID)
	h := token.Holder{User: p.ID, Name: p.Name, Session: opened.ID, Expires: opened.Expires}
	sign, seconds := u.Tokens.Platform(c, h)
	return UserToken{Expires: rpc.Time(time.Unix(c.Now.Unix()+int64(seconds), 0)), sign: sign}, nil
}

// openFor opens a session of somebody else.
func (u Users) openFor(ctx context.Context, c *op.Call, p user.User) (session.Session, error) {
	if err := u.Sessions.Recent(ctx, c, c.User()); err != nil {
		return session.Session{}, err
	}
	if p.Barred(c.Now) {
		return session.Session{}, ErrBarred
	}
	if err := u.Alone(ctx, c, p.ID); err != nil {
		return session.Session{}, err
	}
	if is, err := u.Roles.Protected(ctx, c, p.ID); err != nil || is {
		if err == nil {
			err = ErrSystem
		}
		return session.Session{}, err
	}
	_, made, err := u.Sessions.Create(ctx, c, session.New{
		User: p.ID, Level: session.Normal, IP: c.Client.IP.String(), Agent: c.Client.UserAgent, Idle: tokenLife, Life: tokenLife, Unproved: true,
	})
	return made, err
}
