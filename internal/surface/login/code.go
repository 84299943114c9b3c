package login

import (
	"context"
	"net/http"
	"net/url"

	"limen/internal/core/audit"
	core "limen/internal/core/login"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/target"
	app "limen/web/authenticator"
)

// codes declares the sign-in by a QR code, and where the address in one leads.
func (s SignIn) codes() []op.Op {
	return []op.Op{
		op.Prepared(op.Spec{
			Path: path + "/code", Allow: op.Anonymous, Effect: op.Write, Audit: audit.LoginStart, Rate: op.Guess, MaxBody: maxForm,
			Faults: []*fault.Error{core.ErrNoCodes, ErrElsewhere},
		}, s.prepareCode, s.ShowCode),
		op.New(op.Spec{Method: http.MethodGet, Path: core.CodePath, Allow: op.Anonymous, Effect: op.Cached}, s.OpenCode),
	}
}

// ScanForm wants a code to be shown.
type ScanForm struct {
	// CloudRedirect is where to go on afterwards: a path of this server.
	CloudRedirect string `json:"cloudRedirect"`
}

func (s SignIn) prepareCode(ctx context.Context, c *op.Call, in ScanForm) (string, error) {
	return s.ensure(ctx, c, NameForm{CloudRedirect: in.CloudRedirect})
}

// ShowCode opens a conversation of nobody yet, and leads on to its code, which an authenticator reads; its owner is then signed in here. The
// conversation's id is in this browser's cookie alone, and not in the code: nobody else goes on with it.
func (s SignIn) ShowCode(ctx context.Context, c *op.Call, in ScanForm, name string) (op.Redirect, error) {
	pack, device, err := s.Logins.StartCode(ctx, c, core.ByCode{App: name})
	if err != nil {
		return op.Redirect{}, err
	}
	return next(target.Local(in.CloudRedirect), "", append(s.Device(c, device), talkCookie(c, pack.Session))...), nil
}

// CodeLink is the address in a QR code.
type CodeLink struct {
	// SessionID is the code, required.
	SessionID string `json:"sessionId"`
}

// OpenCode is where the address leads that is in the QR code of a sign-in, when a camera opens it: to the authenticator. The code goes behind the
// number sign, so that the page's own script alone gets it.
func (s SignIn) OpenCode(_ context.Context, _ *op.Call, in CodeLink) (op.Redirect, error) {
	return op.Redirect{URL: app.Page + "#" + url.Values{"code": {in.SessionID}}.Encode()}, nil
}
