package login

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"limen/internal/core/audit"
	core "limen/internal/core/login"
	"limen/internal/core/password"
	"limen/internal/core/regain"
	"limen/internal/core/setting"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/web/login"
)

// Regain are the pages on which people regain their account who have lost all that they sign in with, and on which that is stopped.
type Regain struct {
	Regains  *regain.Regains
	Settings *setting.Store
	// SignedIn are the cookies of a session, in the dialect whose sessions these are.
	SignedIn func(c *op.Call, s *core.Success) []*http.Cookie
}

// Ops declares them.
func (r Regain) Ops() []op.Op {
	link := []*fault.Error{regain.ErrLink, regain.ErrWait}
	return []op.Op{
		op.New(op.Spec{Method: http.MethodGet, Path: regain.Path, Allow: op.Anonymous, Effect: op.Read}, r.AskRegain),
		op.New(op.Spec{
			Path: regain.Path, Allow: op.Anonymous, Effect: op.Write, Audit: audit.RegainAsk, Rate: op.Guess, MaxBody: maxForm,
			Faults: []*fault.Error{regain.ErrWait, regain.ErrCaptcha, ErrName, ErrElsewhere},
		}, r.StartRegain),
		op.New(op.Spec{Method: http.MethodGet, Path: regain.StopPath, Allow: op.Anonymous, Effect: op.Read, Rate: op.Guess, Faults: link}, r.AskStop),
		op.New(op.Spec{
			Path: regain.StopPath, Allow: op.Anonymous, Effect: op.Write, Audit: audit.RegainStop, Rate: op.Guess, MaxBody: maxForm, Faults: append(link, ErrElsewhere),
		}, r.StopRegain),
		op.New(op.Spec{Method: http.MethodGet, Path: regain.FinishPath, Allow: op.Anonymous, Effect: op.Read, Rate: op.Guess, Faults: link}, r.AskFinish),
		op.Prepared(op.Spec{
			Path: regain.FinishPath, Allow: op.Anonymous, Effect: op.Write, Audit: audit.RegainFinish, Rate: op.Guess, MaxBody: maxForm,
			Faults: append(link, ErrElsewhere, regain.ErrCode, regain.ErrDiffer, password.ErrPolicy, password.ErrWeak, password.ErrCommon, password.ErrUsed, password.ErrChanged),
		}, r.prepare, r.FinishRegain),
	}
}

// AskRegain asks for the name of the account to be regained. Who is signed in sees whether somebody is regaining theirs, and can stop it.
func (r Regain) AskRegain(ctx context.Context, c *op.Call, _ op.None) (login.Regain, error) {
	if !signedIn(c) {
		return login.Regain{Step: "ask"}, nil
	}
	one, err := r.Regains.Open(ctx, c, c.Caller.User)
	if errors.Is(err, regain.ErrNone) {
		return login.Regain{Step: "none", Account: c.Caller.Name}, nil
	}
	ends := max(one.Ends(), c.Now.UnixMilli()) // the link may have been sent
	return login.Regain{Step: "pending", Account: c.Caller.Name, Until: time.UnixMilli(ends).UTC().Format("2006-01-02 15:04 MST")}, err
}

// RegainForm names an account, or is what somebody wants who is signed in.
type RegainForm struct {
	// User is the login name.
	User string `json:"user"`
	// Do is stop, to stop what is under way of the caller's own account; else empty.
	Do string `json:"do"`
}

// StartRegain starts the waiting time after which an account is given back (/AccountRecovery/StartAccountRecovery). The page is the same whatever
// comes of it. Who is signed in stops it instead.
func (r Regain) StartRegain(ctx context.Context, c *op.Call, in RegainForm) (any, error) {
	if in.Do == "stop" && signedIn(c) {
		return r.stopOwn(ctx, c)
	}
	in.User = strings.TrimSpace(in.User)
	v, err := r.Settings.Get(ctx, c)
	switch {
	case err != nil:
		return nil, err
	case v.Regain.Captcha:
		return nil, regain.ErrCaptcha
	case in.User == "" || len(in.User) > regain.MaxName:
		c.Event.Type = "" // nothing happened
		return shown{view: login.Regain{Step: "ask", Code: ErrName.Code, Reason: ErrName.Public}}, op.Refused(ErrName)
	}
	return login.Regain{Step: "told"}, r.Regains.Ask(ctx, c, in.User)
}

func (r Regain) stopOwn(ctx context.Context, c *op.Call) (any, error) {
	c.Event.Type = audit.RegainStop
	err := r.Regains.Stop(ctx, c, c.Caller.User)
	if errors.Is(err, regain.ErrNone) {
		c.Event.Type = "" // nothing happened
		return login.Regain{Step: "none", Account: c.Caller.Name}, nil
	}
	return login.Regain{Step: "stopped"}, err
}

// AskStop shows whose account a notice's link is about, and asks whether to stop it. It changes nothing, since mail scanners open links.
func (r Regain) AskStop(ctx context.Context, c *op.Call, in Link) (login.Regain, error) {
	u, err := r.Regains.LookStop(ctx, c, in.Token)
	return login.Regain{Step: "stop", Account: u.Name, Culture: u.Culture, Token: in.Token}, err
}

// StopRegain stops it. Wrong tokens are counted per network.
func (r Regain) StopRegain(ctx context.Context, c *op.Call, in Link) (login.Regain, error) {
	u, err := r.Regains.StopBy(ctx, c, in.Token)
	if errors.Is(err, regain.ErrLink) { // counted
		return login.Regain{}, op.Refused(fault.Of(err))
	}
	return login.Regain{Step: "stopped", Culture: u.Culture}, err
}

// AskFinish shows the form on which whoever has waited chooses a password. It changes nothing, since mail scanners open links. A link that is
// unknown, used, stopped or over shows the same page whoever it was for. Without one it asks for the code that the help desk has given.
func (r Regain) AskFinish(ctx context.Context, c *op.Call, in Link) (login.Regain, error) {
	if in.Token == "" {
		return login.Regain{Step: "enter"}, nil
	}
	o, err := r.Regains.Look(ctx, c, in.Token)
	if err != nil {
		return login.Regain{}, err
	}
	return r.form(ctx, c, o, in.Token, nil)
}

func (r Regain) form(ctx context.Context, c *op.Call, o regain.Offer, token string, wrong *fault.Error) (login.Regain, error) {
	p, err := r.Regains.Passwords.PolicyOf(ctx, c, o.Person.ID)
	out := login.Regain{Step: "finish", Account: o.Person.Name, Culture: o.Person.Culture, Token: token, Texted: o.Code, Rules: rules(p)}
	if wrong != nil {
		out.Code, out.Reason, out.Field = wrong.Code, wrong.Public, "password"
		switch {
		case errors.Is(wrong, regain.ErrCode):
			out.Field = "code"
		case errors.Is(wrong, regain.ErrDiffer):
			out.Field = "again"
		}
	}
	return out, err
}

// Regained is the form that was filled in.
type Regained struct {
	// Token is the secret of the link, required.
	Token string `json:"token"`
	// Password is the new password.
	Password string `json:"password"`
	// Again is the new password once more.
	Again string `json:"again"`
	// Code is that of the text message, where one was sent.
	Code string `json:"code"`
}

func (in Regained) answer() regain.Answer {
	return regain.Answer{Token: in.Token, Code: in.Code, Plain: in.Password, Again: in.Again}
}

func (r Regain) prepare(ctx context.Context, c *op.Call, in Regained) (regain.Choice, error) {
	return r.Regains.Prepare(ctx, c, in.answer())
}

// FinishRegain gives the account back: it sets the password, takes away every other factor that the person had, ends their sessions and uses the
// link up. The session that it opens lasts half an hour and sets up passkeys and other factors, and does nothing else. A code or password that is
// not right shows the form again; after five wrong codes the link is dead. Wrong tokens are counted per network.
func (r Regain) FinishRegain(ctx context.Context, c *op.Call, in Regained, ch regain.Choice) (any, error) {
	done, err := r.Regains.Finish(ctx, c, in.answer(), ch)
	if u := done.Person; u.ID != "" {
		e := c.Event
		e.Target, e.Kind, e.Name, e.User, e.Login = u.ID, "User", u.Name, u.ID, u.Name
	}
	switch f := fault.Of(err); {
	case f == nil:
		cookies := r.SignedIn(c, &core.Success{Person: done.Person, Session: done.Session, Auth: done.Auth})
		return op.Redirect{URL: passkeysPath, Code: http.StatusSeeOther, Cookie: cookies}, nil
	case errors.Is(f, regain.ErrLink): // counted
		return nil, op.Refused(f)
	case (f.Kind == fault.Invalid || errors.Is(f, regain.ErrCode)) && done.Person.ID != "":
		o, err := r.Regains.Look(ctx, c, in.Token)
		if err != nil {
			return nil, err
		}
		view, err := r.form(ctx, c, o, in.Token, f)
		if err != nil {
			return nil, err
		}
		return shown{view: view}, op.Refused(f)
	default:
		return nil, err
	}
}
