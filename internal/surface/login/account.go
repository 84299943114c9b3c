package login

import (
	"context"
	"errors"
	"net/http"

	"limen/internal/core/audit"
	core "limen/internal/core/login"
	"limen/internal/core/oauth"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/target"
	"limen/web/login"
)

// ErrFirst is for those who do without a further proof although they could give one.
var ErrFirst = fault.New(fault.Conflict, "login.first", "Show first what you are asked for.")

// accounts declares where people choose with which account they go on, and show more than they have shown to sign in.
func (s SignIn) accounts() []op.Op {
	faults := []*fault.Error{oauth.ErrRequest, oauth.ErrUnknownApp}
	return []op.Op{
		op.New(op.Spec{Method: http.MethodGet, Path: path + "/account", Allow: op.Anonymous, Effect: op.Read, Faults: faults}, s.Account),
		op.New(op.Spec{Path: path + "/account", Allow: op.Anonymous, Effect: op.Write, Audit: audit.LoginStep, MaxBody: maxForm, Faults: append(faults, ErrElsewhere)}, s.Choose),
		op.Prepared(op.Spec{Method: http.MethodGet, Path: path + "/more", Allow: op.Anonymous, Effect: op.Read, Faults: faults}, s.foreseeMore, s.More),
		op.Prepared(op.Spec{
			Path: path + "/more", Allow: op.Anonymous, Effect: op.Write, Audit: audit.LoginStart, Rate: op.Guess, MaxBody: maxForm,
			Faults: append(faults, ErrElsewhere, ErrFirst, core.ErrNoFurther),
		}, s.ensureMore, s.Raise),
	}
}

// Account asks with which account to go on to an application that wants that to be asked (prompt=select_account): the one that is
// signed in, or another. Who is not signed in is led to the page for that. OpenID Connect Core section 3.1.2.1.
func (s SignIn) Account(ctx context.Context, c *op.Call, in Asking) (any, error) {
	to := target.Local(in.CloudRedirect)
	_, r, err := s.waiting(ctx, c, to)
	if err != nil {
		return nil, err
	}
	if !signedIn(c) {
		return op.Redirect{URL: stepURL(to, "", "")}, nil
	}
	out := login.Select{Account: c.Caller.Name, App: r.App.Name, To: to}
	u, err := s.People.ByID(ctx, c, c.Caller.User)
	if u.Display != out.Account {
		out.Display = u.Display
	}
	return out, err
}

// Choose goes on with the account that is signed in.
func (s SignIn) Choose(ctx context.Context, c *op.Call, in Asking) (any, error) {
	c.Event.Type = "" // nobody has signed in or out
	return s.settled(ctx, c, target.Local(in.CloudRedirect), oauth.Select)
}

// settled notes that what a request wanted first has been done, and goes on with it.
func (s SignIn) settled(ctx context.Context, c *op.Call, to string, what oauth.Next) (any, error) {
	w, _, err := s.waiting(ctx, c, to)
	if err != nil {
		return nil, err
	}
	if !signedIn(c) {
		return next(to, ""), nil
	}
	// A page and not a redirect, as after a sign-in: the way may lead on to an application elsewhere.
	return login.Welcome{Account: c.Caller.Name, To: to, Now: true}, s.OAuth.Settle(ctx, c, w, what)
}

// Further names what a further proof is for.
type Further struct {
	// CloudRedirect is where to go on afterwards: a path of this server.
	CloudRedirect string `json:"cloudRedirect"`
	// Challenge is the id of a challenge of the person's session; empty: the request that waits wants it.
	Challenge string `json:"challenge"`
}

// More asks somebody who is signed in for a further proof, which an application or a challenge wants. Who has none can go on without, where it is
// the application's wish only.
func (s SignIn) More(ctx context.Context, c *op.Call, in Further, _ op.None) (any, error) {
	to := target.Local(in.CloudRedirect)
	if in.Challenge != "" {
		return s.challenged(ctx, c, to, in.Challenge)
	}
	_, r, err := s.waiting(ctx, c, to)
	if err != nil {
		return nil, err
	}
	if !signedIn(c) {
		return op.Redirect{URL: stepURL(to, "", "")}, nil
	}
	rounds, err := s.steps(ctx, c, r)
	if err != nil {
		return nil, err
	}
	some, err := s.Logins.Further(ctx, c, rounds...)
	return login.Raise{Account: c.Caller.Name, App: r.App.Name, To: to, None: !some}, err
}

// challenged shows what a challenge asks for. Who has nothing for it cannot go on.
func (s SignIn) challenged(ctx context.Context, c *op.Call, to, id string) (any, error) {
	if !signedIn(c) {
		return op.Redirect{URL: stepURL(to, "", "")}, nil
	}
	w, able, err := s.Logins.Waiting(ctx, c, id)
	if errors.Is(err, core.ErrFailed) { // answered, or too late: what wanted it says what is due now
		return s.onward(c, to), nil
	}
	return login.Raise{Account: c.Caller.Name, App: w.For, To: to, Challenge: id, None: !able}, err
}

// onward leads on to where somebody wanted to go.
func (s SignIn) onward(c *op.Call, to string) login.Welcome {
	return login.Welcome{Account: c.Caller.Name, To: to, Now: to != ""}
}

// MoreForm begins to give a further proof, or does without.
type MoreForm struct {
	// CloudRedirect is where to go on afterwards: a path of this server.
	CloudRedirect string `json:"cloudRedirect"`
	// Challenge is the id of a challenge of the person's session; empty: the request that waits wants the proof.
	Challenge string `json:"challenge"`
	// Do is empty to begin, or without to go on without a further proof; only who has none may.
	Do string `json:"do"`
}

func (s SignIn) ensureMore(ctx context.Context, c *op.Call, in MoreForm) (op.None, error) {
	if err := s.foresee(ctx, c, in.CloudRedirect); err != nil {
		return op.None{}, err
	}
	return op.None{}, s.Logins.Ensure(ctx, c.Tenant.ID)
}

func (s SignIn) foreseeMore(ctx context.Context, c *op.Call, in Further) (op.None, error) {
	return op.None{}, s.foresee(ctx, c, in.CloudRedirect)
}

// foresee has the PolicyScript of the application decide that somebody goes on to, where it has one.
func (s SignIn) foresee(ctx context.Context, c *op.Call, to string) error {
	if !signedIn(c) {
		return nil
	}
	var r oauth.Request
	err := c.Snapshot(ctx, func() (err error) { _, r, err = s.waiting(ctx, c, target.Local(to)); return err })
	if f := fault.Of(err); err != nil && f.Kind == fault.Internal {
		return err
	}
	if err == nil { // else the operation says what is wrong
		s.OAuth.ForeseePolicy(ctx, c, r.App)
	}
	return nil
}

// Raise opens a conversation for what the person has not shown yet, and leads on to its first step; its end raises their session.
func (s SignIn) Raise(ctx context.Context, c *op.Call, in MoreForm, _ op.None) (any, error) {
	to := target.Local(in.CloudRedirect)
	if !signedIn(c) {
		c.Event.Type = ""
		return next(to, ""), nil
	}
	if in.Challenge != "" {
		return s.meet(ctx, c, to, in.Challenge)
	}
	rounds, err := s.demanded(ctx, c, to)
	if err != nil {
		return nil, err
	}
	if in.Do == "without" {
		c.Event.Type = ""
		some, err := s.Logins.Further(ctx, c, rounds...)
		if err == nil && some {
			err = ErrFirst
		}
		if err != nil {
			return nil, err
		}
		return s.settled(ctx, c, to, oauth.Raise)
	}
	pack, device, err := s.Logins.Raise(ctx, c, rounds...)
	if errors.Is(err, core.ErrNoFurther) && to != "" {
		c.Event.Type = ""
		return op.Redirect{URL: path + "/more?" + query(to), Code: http.StatusSeeOther}, nil
	}
	if err != nil {
		return nil, err
	}
	return next(to, "", append(s.Device(c, device), talkCookie(c, pack.Session))...), nil
}

// meet begins a challenge.
func (s SignIn) meet(ctx context.Context, c *op.Call, to, id string) (any, error) {
	m, err := s.Logins.Meet(ctx, c, id, "")
	switch {
	case errors.Is(err, core.ErrFailed), err == nil && m.Success != nil:
		c.Event.Type = "" // nothing happened
		return s.onward(c, to), nil
	case errors.Is(err, core.ErrNoFurther):
		return shown{view: login.Raise{Account: c.Caller.Name, To: to, None: true, Challenge: id}}, op.Refused(core.ErrNoFurther)
	case err != nil:
		return nil, err
	}
	return next(to, "", append(s.Device(c, m.Device), talkCookie(c, m.Package.Session))...), nil
}

// demanded are the rounds of mechanisms that the rules of the application want which somebody goes on to; none where they go on to none.
func (s SignIn) demanded(ctx context.Context, c *op.Call, to string) ([][]string, error) {
	_, r, err := s.waiting(ctx, c, to)
	if fault.Of(err) != nil && fault.Of(err).Kind != fault.Internal {
		return nil, nil //nolint:nilerr // it is gone, which the next page tells
	}
	if err != nil {
		return nil, err
	}
	return s.steps(ctx, c, r)
}

// steps are the rounds of mechanisms that the caller must still pass for a request.
func (s SignIn) steps(ctx context.Context, c *op.Call, r oauth.Request) ([][]string, error) {
	by, err := s.OAuth.SignedIn(ctx, c)
	if err != nil || by == nil {
		return nil, err
	}
	return s.OAuth.Steps(ctx, c, r, *by)
}
