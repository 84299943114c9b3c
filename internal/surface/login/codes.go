package login

import (
	"cmp"
	"context"
	"net/http"

	"limen/internal/core/audit"
	"limen/internal/core/factor/recovery"
	core "limen/internal/core/login"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/web/login"
)

// codesPath is where people make recovery codes.
const codesPath = "/recovery-codes"

func (s SignIn) recoveryCodes() []op.Op {
	return []op.Op{
		op.New(op.Spec{Method: http.MethodGet, Path: codesPath, Setup: true, Allow: op.Anonymous, Effect: op.Read}, s.Codes),
		op.Prepared(op.Spec{
			Path: codesPath, Setup: true, Allow: op.Anonymous, Effect: op.Write, Audit: audit.RecoveryCodes, Rate: op.Costly, MaxBody: maxForm,
			Faults: []*fault.Error{ErrElsewhere, recovery.ErrForbidden, recovery.ErrAlone, core.ErrForbidden},
		}, s.drawCodes, s.MakeCodes),
	}
}

// Codes says how many recovery codes the person has left, and offers to make a set. Who is not signed in is led to the page for that first.
func (s SignIn) Codes(ctx context.Context, c *op.Call, _ op.None) (any, error) {
	if !signedIn(c) {
		return op.Redirect{URL: stepURL(codesPath, "", "")}, nil
	}
	return s.codesOf(ctx, c)
}

func (s SignIn) codesOf(ctx context.Context, c *op.Call) (login.Codes, error) {
	set, err := s.Logins.Codes.Of(ctx, c, c.Caller.User)
	return login.Codes{Account: c.Caller.Name, Left: set.Left, Total: set.Total}, err
}

// drawn is a set that was drawn for somebody, or why none was.
type drawn struct {
	who   user.User
	set   recovery.New
	wrong *fault.Error
}

func (s SignIn) drawCodes(ctx context.Context, c *op.Call, _ op.None) (d drawn, err error) {
	if !signedIn(c) {
		return d, nil
	}
	if err = c.Snapshot(ctx, func() (err error) { d.who, err = s.People.ByID(ctx, c, c.Caller.User); return err }); err != nil {
		return d, err
	}
	d.set, err = s.Logins.DrawCodes(ctx, c, d.who)
	if f := fault.Of(err); f != nil && f.Kind != fault.Internal {
		d.wrong, err = f, nil
	}
	return d, err
}

// MakeCodes makes recovery codes in the place of those that the person had, and shows them: this once. They must have shown not long ago
// who they are, and what their policies want besides.
func (s SignIn) MakeCodes(ctx context.Context, c *op.Call, _ op.None, d drawn) (any, error) {
	onward, err := s.proven(ctx, c, core.OwnOATH, codesPath)
	if onward != nil {
		c.Event.Type = "" // nothing happened
		return onward, nil
	}
	c.Event.Target, c.Event.Kind, c.Event.Name = d.who.ID, "User", d.who.Name
	c.Event.Set("Total", len(d.set.Codes))
	f := cmp.Or(fault.Of(err), d.wrong)
	if f == nil {
		err = s.Logins.PutCodes(ctx, c, d.who, d.set)
		f = fault.Of(err)
	}
	if f != nil && f.Kind != fault.Internal {
		view, err := s.codesOf(ctx, c)
		view.Code, view.Reason = f.Code, f.Public
		if err != nil {
			return nil, err
		}
		return shown{view: view}, op.Refused(f)
	}
	return login.Codes{Account: c.Caller.Name, Codes: d.set.Codes}, err
}
