package outbound

import (
	"context"
	"net/http"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/user"
	"limen/internal/wire/scim"
)

// What would be done about somebody.
const (
	DoCreate  = "create"
	DoChange  = "change"
	DoDisable = "disable"
	DoRemove  = "remove"
	DoNothing = "none"
	DoFail    = "fail" // the mapping fails
)

// Preview is what would be told of somebody.
type Preview struct {
	Action   string
	Resource scim.Object       // nil of whom none is to be there
	Changes  []scim.Difference // against what was acknowledged last
	Error    string            // why the mapping fails; empty: it does not
	Trace    []string
	Saw      map[string]any
	Receipt  Receipt // zero where there is none yet
}

// Preview says what would be told of somebody, with another script than the target's where one is given, and sends nothing. It is called
// outside of transactions. Faults: those of Get; of a script only those that pass.
func (o *Outbound) Preview(ctx context.Context, c *call.Call, g grant.Grant, ref string, u user.User, text *string) (Preview, error) {
	var t Target
	var s subject
	var a account
	name := ""
	err := c.Snapshot(ctx, func() (err error) {
		if t, err = o.Get(ctx, c, g, ref); err != nil {
			return err
		}
		it, err := o.Apps.Get(ctx, c, ref)
		if err != nil {
			return err
		}
		name = it.Name
		if a, err = t.account(ctx, c, KindUser, u.ID); err != nil {
			return err
		}
		if s, err = o.subject(ctx, c, &t, u.ID); err != nil || s.plain != nil {
			return err
		}
		s.plain, err = o.plain(ctx, c, u)
		return err
	})
	if err != nil {
		return Preview{}, err
	}
	if text != nil {
		t.Settings.Script = *text
	}
	m, err := o.mapTo(ctx, c, &t, name, u.ID, s.plain, true)
	out := Preview{Resource: m.resource, Trace: m.verdict.Trace, Saw: m.verdict.Saw, Receipt: a.receipt()}
	if f := failing(err); f != nil {
		out.Action, out.Error, out.Resource = DoFail, f.why, nil
		return out, nil //nolint:nilerr // what the mapping says wrong is what a preview shows
	}
	if err != nil {
		return Preview{}, err
	}
	out.Action, out.Changes = a.due(s.want, m.resource)
	return out, nil
}

// failing is a failure of the mapping, which is none of the call's.
func failing(err error) *failure {
	if err == nil {
		return nil
	}
	if f := internal(err); f.class == Mapping {
		return f
	}
	return nil
}

// due says what is to be done about an account.
func (a *account) due(want wanted, resource scim.Object) (action string, ds []scim.Difference) {
	switch {
	case want == wantActive && a.Remote == "":
		return DoCreate, nil
	case want == wantActive:
		if ds = scim.Differences(a.last(), resource); len(ds) == 0 {
			return DoNothing, nil
		}
		return DoChange, ds
	case a.Remote == "" || want == wantNothing || want == wantDisabled && a.inactive():
		return DoNothing, nil
	case want == wantRemoved:
		return DoRemove, nil
	}
	return DoDisable, []scim.Difference{{Op: "replace", Path: "active", Value: false}}
}

// Ability is what a service says of itself.
type Ability struct {
	Patch, Filter, Bulk, ETag bool
	Users                     int // accounts that it has, as far as it says
}

// Try asks a service whether it answers, and takes the secret. It is called outside of transactions. Faults: those of Get.
func (o *Outbound) Try(ctx context.Context, c *call.Call, g grant.Grant, ref string) (out Ability, why, class string, err error) {
	var t Target
	err = c.Snapshot(ctx, func() (err error) { t, err = o.Get(ctx, c, g, ref); return err })
	if err != nil {
		return out, "", "", err
	}
	if c.Event != nil {
		c.Event.Target, c.Event.Kind = t.App, "Application"
	}
	r := remote{o, &t}
	s, err := r.ask(ctx, http.MethodGet, "/ServiceProviderConfig", nil, "")
	if err == nil {
		for name, to := range map[string]*bool{"patch": &out.Patch, "filter": &out.Filter, "bulk": &out.Bulk, "etag": &out.ETag} {
			part, _ := s.object[name].(scim.Object)
			*to = part["supported"] == true
		}
		s, err = r.ask(ctx, http.MethodGet, "/Users?startIndex=1&count=1", nil, "") // what it says of itself it may tell anybody
	}
	if err != nil {
		f := internal(err)
		if own, ok := err.(*failure); ok { //nolint:errorlint // it is never wrapped
			f = own
		}
		return out, f.why, f.class, nil
	}
	l, err := scim.ReadListing(s.Body)
	if err != nil {
		return out, "The service answered a query with what is no list.", Server, nil //nolint:nilerr // it is the service's
	}
	out.Users = l.Total
	return out, "", "", nil
}
