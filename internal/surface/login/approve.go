package login

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/netip"
	"slices"

	"limen/internal/core/audit"
	core "limen/internal/core/login"
	"limen/internal/core/oauth"
	"limen/internal/core/session"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/web/login"
)

// approvals declares the page on which people see and answer what clients have them asked (CIBA Core section 7.3 and 8).
func (s SignIn) approvals() []op.Op {
	return []op.Op{
		op.New(op.Spec{Method: http.MethodGet, Path: oauth.ApprovePath, Allow: op.Anonymous, Effect: op.Read}, s.Approvals),
		op.Prepared(op.Spec{
			Path: oauth.ApprovePath, Allow: op.Anonymous, Effect: op.Write, Audit: audit.OAuthAuthorize, MaxBody: maxForm,
			Faults: []*fault.Error{ErrElsewhere, ErrNoApproval, oauth.ErrDecided, oauth.ErrDenied, core.ErrNoFurther},
		}, s.foreseeApproval, s.Approve),
	}
}

// ErrNoApproval is for those who answer what is not asked of them, or not any more.
var ErrNoApproval = fault.New(fault.NotFound, "login.no_approval", "There is no such request, or it has been decided or has expired.")

// Approvals shows what clients have the person asked, the newest first: which application asks, with what message, from where, and for what.
// Who is not signed in is led to the page for that first.
func (s SignIn) Approvals(ctx context.Context, c *op.Call, _ op.None) (any, error) {
	if !signedIn(c) {
		return op.Redirect{URL: stepURL(oauth.ApprovePath, "", "")}, nil
	}
	return s.asking(ctx, c)
}

// asking is the page of what waits.
func (s SignIn) asking(ctx context.Context, c *op.Call) (login.Approvals, error) {
	out := login.Approvals{Account: c.Caller.Name}
	all, err := s.OAuth.Backchannels(ctx, c)
	for _, p := range all {
		out.Waiting = append(out.Waiting, login.Approval{
			ID: p.ID, App: p.App.Name, Client: other(p.Client.Name, p.App.Name), Message: p.Message, From: s.place(p.IP), Wants: wants(p.App, p.Scope),
			Minutes: int(math.Ceil(p.Expires.Sub(c.Now).Minutes())),
		})
	}
	return out, err
}

// other is a name where it is another one.
func other(name, than string) string {
	if name == than {
		return ""
	}
	return name
}

// place is an address with the country where it is, as far as that is known.
func (s SignIn) place(ip string) string {
	at, err := netip.ParseAddr(ip)
	if err != nil || s.Country == nil {
		return ip
	}
	if country := s.Country(at); country != "" {
		return ip + " (" + country + ")"
	}
	return ip
}

// ApproveForm answers one request.
type ApproveForm struct {
	// ID of the request, required.
	ID string `json:"id"`
	// Do is agree or refuse.
	Do string `json:"do"`
}

func (s SignIn) foreseeApproval(ctx context.Context, c *op.Call, in ApproveForm) (op.None, error) {
	if !signedIn(c) || in.Do != "agree" {
		return op.None{}, nil
	}
	return op.None{}, s.OAuth.ForeseePending(ctx, c, "", in.ID)
}

// Approve gives a client what it asks the person for, or refuses it. To give it they must have shown who they are within five minutes, and
// what the client and the application want: who has not is led to the page for that first, and comes back to answer.
func (s SignIn) Approve(ctx context.Context, c *op.Call, in ApproveForm, _ op.None) (any, error) {
	if !signedIn(c) {
		c.Event.Type = ""
		return next(oauth.ApprovePath, ""), nil
	}
	waiting, err := s.OAuth.Backchannels(ctx, c)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(waiting, func(p oauth.Pending) bool { return p.ID == in.ID })
	if at < 0 {
		return s.unanswered(ctx, c, ErrNoApproval)
	}
	then, err := s.OAuth.DecideBackchannel(ctx, c, in.ID, in.Do == "agree", false)
	if err == nil && then == oauth.Raise {
		if _, none := s.more(ctx, c, in.ID); errors.Is(none, core.ErrNoFurther) { // where it was a wish only, they go on without
			then, err = s.OAuth.DecideBackchannel(ctx, c, in.ID, true, true)
		}
	}
	switch {
	case errors.Is(err, oauth.ErrDecided): // at this moment, elsewhere: nothing of this is kept
		return nil, err
	case errors.Is(err, session.ErrStale), err == nil && then != oauth.Answer:
		return s.first(ctx, c, in.ID, then)
	case err != nil:
		return s.unanswered(ctx, c, err)
	}
	return login.Approved{App: waiting[at].App.Name, Agreed: in.Do == "agree", More: len(waiting) > 1}, nil
}

// more is what the person must still show before they approve a request.
func (s SignIn) more(ctx context.Context, c *op.Call, id string) (core.Wanted, error) {
	app, rounds, err := s.OAuth.PendingSteps(ctx, c, id)
	if err != nil {
		return core.Wanted{}, err
	}
	w, err := s.Logins.More(ctx, c, rounds...)
	w.For = app
	return w, err
}

// unanswered shows the page again with what is wrong.
func (s SignIn) unanswered(ctx context.Context, c *op.Call, err error) (any, error) {
	f := fault.Of(err)
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		return nil, err
	}
	page, err := s.asking(ctx, c)
	if err != nil {
		return nil, err
	}
	page.Code, page.Reason = f.Code, f.Public
	return shown{view: page}, op.Refused(f)
}

// first leads to where somebody shows what must be shown before they approve.
func (s SignIn) first(ctx context.Context, c *op.Call, id string, then oauth.Next) (any, error) {
	c.Event.Type = audit.ChallengeCreate // nothing is decided yet
	w, err := s.more(ctx, c, id)
	if then != oauth.Raise { // the name stays
		app := w.For
		w, err = s.Logins.Usual(ctx, c)
		w.For = app
	}
	if err != nil {
		return s.unanswered(ctx, c, err)
	}
	to, err := s.Logins.Challenge(ctx, c, w)
	if err == nil && to == "" {
		err = core.ErrNoFurther
	}
	if err != nil {
		return s.unanswered(ctx, c, err)
	}
	return op.Redirect{URL: core.MorePath(to, oauth.ApprovePath), Code: http.StatusSeeOther}, nil
}
