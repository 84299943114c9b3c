// Package regain is the RPC dialect's operations on accounts that people regain after a waiting time, which are this program's own.
package regain

import (
	"context"
	"slices"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/captcha"
	"limen/internal/core/regain"
	"limen/internal/core/right"
	"limen/internal/core/setting"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// Regain is the operations.
type Regain struct {
	Regains  *regain.Regains
	Captchas *captcha.Captchas
	Settings *setting.Store
}

// Ops declares them.
func (r Regain) Ops() []op.Op {
	either := op.Any(op.Self, op.Has(right.UserManagement))
	return append(r.resets(), []op.Op{
		op.Prepared(op.Spec{
			Path: "/AccountRecovery/StartAccountRecovery", Allow: op.Anonymous, Effect: op.Write, Audit: audit.RegainAsk, Rate: op.Guess,
			Faults: []*fault.Error{regain.ErrWait, regain.ErrCaptcha, captcha.ErrWrong, captcha.ErrService, fault.ErrMissing, fault.ErrInvalid},
		}, r.admit, r.StartAccountRecovery),
		op.New(op.Spec{
			Path: "/AccountRecovery/GetAccountRecovery", Allow: either, Effect: op.Read, Faults: []*fault.Error{user.ErrNotFound, regain.ErrNone},
		}, r.GetAccountRecovery),
		op.New(op.Spec{
			Path: "/AccountRecovery/GetAccountRecoveries", Allow: op.Has(right.UserManagement), Effect: op.Read, Faults: []*fault.Error{fault.ErrInvalid},
		}, r.GetAccountRecoveries),
		op.New(op.Spec{
			Path: "/AccountRecovery/StopAccountRecovery", Allow: either, Effect: op.Write, Audit: audit.RegainStop,
			Faults: []*fault.Error{user.ErrNotFound, regain.ErrNone},
		}, r.StopAccountRecovery),
	}...)
}

// Start names an account.
type Start struct {
	// User is the login name, at most 254 bytes, required.
	User string `json:"User" also:"Username,Name"`
	// ReCaptchaToken is the solution of a challenge of /Captcha/Challenge, or what the service gave that the setting Captcha.Service names;
	// required where the setting Recovery.RequireCaptcha is true.
	ReCaptchaToken string `json:"ReCaptchaToken"`
	// TenantID selects the tenant; absent: the host name does.
	TenantID string `json:"TenantId"`
}

// Check wants a name.
func (s *Start) Check() error {
	switch {
	case strings.TrimSpace(s.User) == "":
		return fault.Missing("User")
	case len(s.User) > regain.MaxName:
		return fault.Bad("User", "may have %d bytes", regain.MaxName)
	}
	return nil
}

// TenantHint names the tenant.
func (s *Start) TenantHint() op.Hint { return op.Hint{Tenant: s.TenantID, Login: s.User} }

// admit looks at the answer to the CAPTCHA, where there must be one.
func (r Regain) admit(ctx context.Context, c *op.Call, in Start) (captcha.Proof, error) {
	needed := false
	err := c.Snapshot(ctx, func() error {
		v, err := r.Settings.Get(ctx, c)
		needed = err == nil && v.Regain.Captcha
		return err
	})
	switch {
	case err != nil || !needed:
		return captcha.Proof{}, err
	case in.ReCaptchaToken == "":
		return captcha.Proof{}, regain.ErrCaptcha
	}
	return r.Captchas.Check(ctx, c, in.ReCaptchaToken)
}

// StartAccountRecovery starts to give an account back to somebody who has lost all that they sign in with: after the time of the setting
// Recovery.WaitHours a link goes to their mail address, and a code to their mobile number. Until then each of their addresses is told four times,
// with a link that stops it; a sign-in stops it as well, and so does a change of their addresses or password.
//
// The answer is the same, and comes as soon, whether anybody has the name and may do this or not. Who may is said by policy sets
// (/Core/Authentication/AllowDelayedRecovery); nobody who holds administrative rights may, nobody without a mobile number unless the setting Recovery.MailAlone
// is true, nobody whose addresses were changed within seven days, and nobody twice within a day.
func (r Regain) StartAccountRecovery(ctx context.Context, c *op.Call, in Start, p captcha.Proof) (op.None, error) {
	if err := r.Captchas.Use(ctx, c, p); err != nil {
		return op.None{}, err
	}
	return op.None{}, r.Regains.Ask(ctx, c, in.User)
}

// Whose names somebody.
type Whose struct {
	// ID is the user's UUID or login name; the caller's own when absent.
	ID string `json:"ID" also:"Uuid,UserUuid"`

	found user.User
}

// Resolve finds the user.
func (w *Whose) Resolve(ctx context.Context, c *op.Call) (err error) {
	id := strings.TrimSpace(w.ID)
	if id == "" {
		id = c.User()
	}
	w.found, err = user.Find(ctx, c, id)
	return err
}

// Target is who the call is about.
func (w *Whose) Target() op.Target { return op.Target{ID: w.found.ID, Org: w.found.Org} }

// Account is one that somebody regains. Times are in ms since 1970 UTC.
type Account struct {
	// ID is the user's UUID.
	ID string `json:"ID"`
	// Name is the login name.
	Name string `json:"Name"`
	// State is waiting, or ready once the link was sent.
	State string `json:"State"`
	// Started is when the waiting time began.
	Started int64 `json:"Started"`
	// Ends is when the link is sent, as things are; 0 when it was.
	Ends int64 `json:"Ends"`
	// IP is the address from which it was started.
	IP string `json:"IP"`
	// Notices is how many times the person was told so far.
	Notices int64 `json:"Notices"`
}

func account(u user.User, one regain.Regain) Account {
	return Account{ID: u.ID, Name: u.Name, State: one.State, Started: one.Started, Ends: one.Ends(), IP: one.IP, Notices: one.Step}
}

// GetAccountRecovery says how far it is that somebody regains their account: oneself, or somebody whom one administers.
func (r Regain) GetAccountRecovery(ctx context.Context, c *op.Call, in Whose) (Account, error) {
	one, err := r.Regains.Open(ctx, c, in.found.ID)
	return account(in.found, one), err
}

// Part is a part of the list.
type Part struct {
	// After is the UUID of the last user of the part before; empty for the first part.
	After string `json:"After"`
	// Limit is how many are wanted, from 1 to 500; 100 when absent.
	Limit op.Opt[int] `json:"Limit"`
}

// Check wants a sensible number.
func (p *Part) Check() error {
	if n := p.Limit.Or(100); n < 1 || n > 500 {
		return fault.Bad("Limit", "must be from 1 to 500")
	}
	return nil
}

// GetAccountRecoveries lists the accounts that people are regaining, by UUID: of those whom the caller administers.
func (r Regain) GetAccountRecoveries(ctx context.Context, c *op.Call, in Part) ([]Account, error) {
	all, err := r.Regains.List(ctx, c, c.Grant, in.After, in.Limit.Or(100))
	if err != nil {
		return nil, err
	}
	who, err := people(ctx, c, all, func(one regain.Regain) string { return one.User })
	out := make([]Account, 0, len(all))
	for _, one := range all {
		if u := who[one.User]; u.ID != "" {
			out = append(out, account(u, one))
		}
	}
	return out, err
}

// people finds those whom a part of a list names, at most 500, by their UUIDs. Who is not there any more is left out.
func people[T any](ctx context.Context, c *op.Call, all []T, id func(T) string) (map[string]user.User, error) {
	ids := make([]string, len(all))
	for i, one := range all {
		ids[i] = id(one)
	}
	slices.Sort(ids)
	us, err := user.ByIDs(ctx, c, slices.Compact(ids)...)
	out := make(map[string]user.User, len(us))
	for _, u := range us {
		out[u.ID] = u
	}
	return out, err
}

// StopAccountRecovery stops that somebody regains their account: oneself, or somebody whom one administers. All addresses of theirs are told, and the
// links that were sent are dead.
func (r Regain) StopAccountRecovery(ctx context.Context, c *op.Call, in Whose) (op.None, error) {
	return op.None{}, r.Regains.Stop(ctx, c, in.found.ID)
}
