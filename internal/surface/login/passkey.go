package login

import (
	"context"
	"errors"
	"net/http"

	"limen/internal/core/audit"
	"limen/internal/core/factor/passkey"
	core "limen/internal/core/login"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/target"
	"limen/web/login"
)

// passkeys declares signing in by a passkey that says itself whose it is.
func (s SignIn) passkeys() []op.Op {
	at := path + "/passkey"
	return []op.Op{
		op.Prepared(op.Spec{Method: http.MethodGet, Path: at, Allow: op.Anonymous, Effect: op.Cached, Rate: op.Guess}, s.draw, s.Anybody),
		op.Prepared(op.Spec{
			Path: at, Allow: op.Anonymous, Effect: op.Write, Audit: audit.LoginStep, Rate: op.Guess, MaxBody: maxForm,
			Faults: []*fault.Error{core.ErrFailed, ErrElsewhere},
		}, s.discover, s.Discovered),
	}
}

func (s SignIn) draw(ctx context.Context, c *op.Call, _ op.None) (passkey.Assertion, error) {
	return s.Passkeys.Anybody(ctx, c)
}

// Anybody gives in JSON what a browser asks any passkey of this host to sign (PublicKeyCredentialRequestOptionsJSON of Web Authentication level 3). It is
// good for five minutes, and tells of nobody whether they have one.
func (SignIn) Anybody(_ context.Context, _ *op.Call, _ op.None, drawn passkey.Assertion) (op.JSON, error) {
	return op.JSON{Body: drawn}, nil
}

// PasskeyForm is what a passkey signed.
type PasskeyForm struct {
	// Answer is PublicKeyCredential.toJSON, required.
	Answer string `json:"answer"`
	// CloudRedirect is where to go on afterwards: a path of this server.
	CloudRedirect string `json:"cloudRedirect"`
}

// shownKey is what a passkey showed, and to which application the person goes on.
type shownKey struct {
	found passkey.Found
	app   string
}

func (s SignIn) discover(ctx context.Context, c *op.Call, in PasskeyForm) (out shownKey, err error) {
	if out.app, err = s.ensure(ctx, c, NameForm{CloudRedirect: in.CloudRedirect}); err == nil {
		out.found, err = s.Passkeys.Discover(ctx, c, in.Answer)
	}
	return out, err
}

// Discovered signs in whose passkey signed, or leads on to what is asked of them besides. A signature is good once. Nobody learns why one is not taken.
func (s SignIn) Discovered(ctx context.Context, c *op.Call, in PasskeyForm, k shownKey) (any, error) {
	to := target.Local(in.CloudRedirect)
	r, device, err := s.Logins.ByPasskey(ctx, c, k.found, k.app)
	switch {
	case errors.Is(err, core.ErrFailed):
		view, err := s.named(ctx, c, login.Name{To: to, Code: core.ErrFailed.Code, Reason: core.ErrFailed.Public})
		if err != nil {
			return nil, err
		}
		return shown{view: view}, op.Refused(core.ErrFailed)
	case err != nil:
		return nil, err
	case r.Success != nil:
		return s.ended(c, r, to, false)
	}
	return next(to, "", append(s.Device(c, device), talkCookie(c, r.Package.Session))...), nil
}
