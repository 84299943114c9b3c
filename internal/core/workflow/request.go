package workflow

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/app"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// AccessScript is what the portal starts to ask for access to an application.
const AccessScript = "/lib/application_access_request.js"

// Request is a wish for access to an application.
type Request struct {
	App     string // id or name
	Reason  string // for the approvers
	Options Options
}

// Start asks for access to an application for the caller, and gives the request's id. Where no approver has to answer, access is given at
// once. Faults: ErrClosed, ErrHas, ErrPending, ErrMany, ErrWindow.
func (f *Flows) Start(ctx context.Context, c *call.Call, r Request) (string, error) {
	if len(r.Reason) > maxReason || !utf8.ValidString(r.Reason) {
		return "", fault.Bad("Reason", "may have %d bytes", maxReason)
	}
	if err := r.Options.check(c.Now); err != nil {
		return "", err
	}
	it, err := f.Apps.Askable(ctx, c, r.App)
	chain := settings(it)
	if errors.Is(err, app.ErrNotFound) || err == nil && len(chain) == 0 { // which of the two is nobody's business who may not see it
		return "", ErrClosed
	}
	if err != nil {
		return "", err
	}
	who, err := f.People.ByID(ctx, c, c.User())
	if err != nil {
		return "", err
	}
	if has, _, err := f.Apps.Usable(ctx, c, *c.Caller, it.ID); err != nil || has {
		return "", cmp.Or(err, error(ErrHas))
	}
	if n, err := open.One(ctx, c.Tx, c.Tenant.ID, who.ID); err != nil || n >= maxPending {
		return "", cmp.Or(err, error(ErrMany))
	}
	steps, err := json.Marshal(chain)
	if err != nil {
		return "", err
	}
	options, err := json.Marshal(r.Options)
	if err != nil {
		return "", err
	}
	j := Job{
		ID: c.NewID(), Requestor: who.ID, App: it.ID, AppName: it.Name, State: Pending, Steps: string(steps), Options: string(options), Reason: strings.TrimSpace(r.Reason),
		History: "[]", Created: c.Now.UnixMilli(), Due: c.Now.Add(keepOpen).UnixMilli(), Version: 1,
	}
	noted(c, j)
	if c.Event != nil && j.Reason != "" {
		c.Event.Set("Reason", j.Reason)
	}
	if err := j.add(Happened{Time: j.Created, Event: "request", By: who.ID, Name: who.Name, Reason: j.Reason, Given: &r.Options}); err != nil {
		return "", err
	}
	if err = j.keep(ctx, c); err == nil {
		_, err = part.Do(ctx, c.Tx, c.Tenant.ID, who.ID, j.ID)
	}
	if err != nil {
		return "", err
	}
	return j.ID, f.proceed(ctx, c, &j, who)
}

// keep stores a new request. ErrPending.
func (j Job) keep(ctx context.Context, c *call.Call) error {
	_, err := insert.Do(ctx, c.Tx, c.Tenant.ID, j.ID, j.Requestor, j.App, j.AppName, j.State, j.Steps, j.Step, "", j.Options, j.Reason, j.History, "", j.Created,
		int64(0), j.Due, j.Kind)
	if errors.Is(err, dbx.ErrExists) {
		err = ErrPending
	}
	return err
}

// proceed goes on with the step that a request has come to: it waits for an approver, goes on where there is none to wait for, and ends
// behind the last.
func (f *Flows) proceed(ctx context.Context, c *call.Call, j *Job, requestor user.User) error {
	chain := j.chain()
	for ; int(j.Step) < len(chain); j.Step++ {
		id, how, err := f.principal(ctx, c, chain[j.Step], requestor)
		if err != nil {
			return err
		}
		if j.Kind == SignUp && how != waits { // whoever is gone has neither agreed nor refused
			id, how = role.System, waits
		}
		switch how {
		case waits:
			j.Approver = id
			if err := j.store(ctx, c); err != nil {
				return err
			}
			return f.Tell(ctx, c, id, Asked, *j)
		case denies:
			if err := j.add(Happened{Time: c.Now.UnixMilli(), Event: "reject", Reason: "There is no approver for this request."}); err != nil {
				return err
			}
			return f.end(ctx, c, j, Rejected)
		case passes:
			if err := j.add(Happened{Time: c.Now.UnixMilli(), Event: "pass", Reason: "The requestor has no manager."}); err != nil {
				return err
			}
		}
	}
	return f.grant(ctx, c, j)
}

// Offered are the applications that the caller may ask for access to, by name: those that take requests, and that they may not use yet.
func (f *Flows) Offered(ctx context.Context, c *call.Call) ([]app.App, error) {
	all, err := f.Apps.Listed(ctx, c)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(it app.App) bool { return len(settings(it)) == 0 })
	var out []app.App
	for _, it := range all {
		has, _, err := f.Apps.Usable(ctx, c, *c.Caller, it.ID)
		if err != nil {
			return nil, err
		}
		if !has {
			out = append(out, it)
		}
	}
	return out, nil
}
