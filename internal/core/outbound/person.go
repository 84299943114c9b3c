package outbound

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/wire/scim"
)

// subject is somebody at a target, as one snapshot has them.
type subject struct {
	who
	want  wanted
	plain scim.Object // of who is to be active
}

// see reads somebody.
func (o *Outbound) see(ctx context.Context, t *Target, userID string) (s subject, err error) {
	err = o.DB.Read(ctx, func(tx *dbx.Tx) error {
		c := o.Call(t.tenant)
		c.Tx, c.Now = tx, o.now()
		s, err = o.subject(ctx, c, t, userID)
		return err
	})
	return s, err
}

// subject is see within a transaction.
func (o *Outbound) subject(ctx context.Context, c *call.Call, t *Target, userID string) (s subject, err error) {
	if s.who, err = o.look(ctx, c, userID); err != nil {
		return s, err
	}
	a, err := o.audience(ctx, c, t.App)
	if err != nil {
		return s, err
	}
	if s.want, err = t.decide(ctx, c, &a, &s.who); err != nil || s.want != wantActive {
		return s, err
	}
	s.plain, err = o.plain(ctx, c, s.User)
	return s, err
}

// person has the account of somebody be there as it is to be.
func (o *Outbound) person(ctx context.Context, t *Target, a *account) (d done, err error) {
	s, err := o.see(ctx, t, a.Object)
	if err != nil {
		return d, err
	}
	d.roles = s.roles
	if s.found {
		a.Name, a.Org = s.Name, s.Org
	}
	r := remote{o, t}
	switch s.want {
	case wantActive:
		m, err := o.mapTo(ctx, o.Call(t.tenant), t, "", a.Object, s.plain, false)
		if err != nil {
			return d, err
		}
		a.Version = s.Version
		d.events, err = r.keep(ctx, a, m.resource)
		return d, err
	case wantDisabled, wantRemoved:
		d.events, err = r.remove(ctx, a, s.want)
	}
	return d, err
}

func event(action string, changes map[string]call.Change) *call.Event {
	e := &call.Event{Type: audit.ProvisionAccount, Changes: changes}
	e.Set("Action", action)
	return e
}

// keep has an account be what it is to be: it is found, made, or changed where it is otherwise.
func (r remote) keep(ctx context.Context, a *account, want scim.Object) ([]*call.Event, error) {
	for range 3 { // what is found changes under way at most so often
		if a.Remote == "" {
			found, err := r.match(ctx, a, want)
			if err != nil {
				return nil, err
			}
			if !found {
				events, err := r.create(ctx, a, want)
				if status(err) != http.StatusConflict {
					return events, err
				}
				if err := r.collide(ctx, a, want, err); err != nil {
					return nil, err
				}
			}
		}
		if a.Remote != "" && a.ETag == recheckTag {
			if err := r.reread(ctx, a, want); err != nil {
				return nil, err
			}
			if a.Remote == "" {
				continue
			}
		}
		events, again, err := r.change(ctx, a, want)
		if err != nil || !again {
			return events, err
		}
	}
	return nil, &failure{class: Server, why: "The account is changed or removed by somebody else all the time."}
}

// match looks for an account of somebody of whom none is known: one that this program made, whose answer was lost, or one that was there.
func (r remote) match(ctx context.Context, a *account, want scim.Object) (bool, error) {
	found, err := r.find(ctx, KindUser, ByExternalID, a.Object)
	if err != nil && !unfilterable(err) {
		return false, err
	}
	for _, o := range found {
		if id, _ := o["externalId"].(string); err == nil && id == a.Object {
			return true, r.take(a, o, want)
		}
	}
	for _, by := range r.t.Settings.Matching {
		value, _ := want[by].(string)
		if by == ByExternalID || value == "" {
			continue
		}
		if found, err = r.find(ctx, KindUser, by, value); err != nil {
			return false, err
		}
		switch len(found) {
		case 0:
			continue
		case 1:
			return true, r.adopt(a, found[0], by, want)
		}
		return false, &failure{class: Taken, why: "The service has several accounts with this " + by + "."}
	}
	return false, nil
}

// unfilterable says whether a service cannot filter by an attribute.
func unfilterable(err error) bool {
	f, ok := errors.AsType[*failure](err)
	return ok && (f.status == http.StatusBadRequest || f.status == http.StatusNotImplemented)
}

// adopt takes an account over that was there, where that is wanted.
func (r remote) adopt(a *account, o scim.Object, by string, want scim.Object) error {
	id, _ := o["externalId"].(string)
	switch {
	case id != "" && id != a.Object:
		return &failure{class: Taken, why: "The service has an account with this " + by + ", which belongs to another source: its externalId is not this person's."}
	case !r.t.Settings.Adopt && id == "":
		return &failure{class: Taken, why: "The service has an account with this " + by + ", and accounts that are there are not to be taken over."}
	}
	return r.take(a, o, want)
}

// take remembers an account that was found, as far as it is looked after here.
func (r remote) take(a *account, o, want scim.Object) error {
	a.Remote, a.ETag = scim.ResourceID(o), scim.Version(nil, o)
	there := Active
	if o["active"] == false {
		there = Disabled
	}
	return a.acknowledged(known(o, want, a.last()), there)
}

// collide says what to do where the service has such an account already although none was found.
func (r remote) collide(ctx context.Context, a *account, want scim.Object, was error) error {
	found, err := r.match(ctx, a, want)
	if err == nil && !found {
		err = was
	}
	return err
}

// create makes an account.
func (r remote) create(ctx context.Context, a *account, want scim.Object) ([]*call.Event, error) {
	s, err := r.ask(ctx, http.MethodPost, endpoint(KindUser), want, "")
	if err != nil {
		return nil, err
	}
	if s.id == "" {
		return nil, &failure{class: Server, status: s.Status, why: "The service made an account and does not say which."}
	}
	a.Remote, a.ETag = s.id, s.etag
	return []*call.Event{event("create", nil)}, a.acknowledged(want, Active)
}

// acknowledged remembers what the service has said yes to.
func (a *account) acknowledged(o scim.Object, there string) error {
	raw, err := json.Marshal(o)
	if err != nil {
		return fault.ErrInternal.Because(err)
	}
	a.Sent, a.There = string(raw), there
	return nil
}

// last is what was acknowledged last.
func (a *account) last() scim.Object {
	o, _, err := scim.ReadResource([]byte(a.Sent))
	if err != nil {
		return scim.Object{}
	}
	return o
}

// change sends what is otherwise. again says that the account is another one than was known, or gone.
func (r remote) change(ctx context.Context, a *account, want scim.Object) (events []*call.Event, again bool, err error) {
	ds := scim.Differences(a.last(), want)
	if len(ds) == 0 {
		a.There = Active
		return nil, false, nil
	}
	s, err := r.send(ctx, a, want, ds)
	switch status(err) {
	case http.StatusNotFound, http.StatusGone:
		a.Remote, a.ETag, a.Sent, a.There = "", "", "", ""
		return nil, true, nil
	case http.StatusPreconditionFailed:
		return nil, true, r.reread(ctx, a, want)
	}
	if err != nil {
		return nil, false, err
	}
	if s.etag != "" || s.object != nil {
		a.ETag = s.etag
	} else {
		a.ETag = "" // it is another one now, which the service has not told
	}
	changes := map[string]call.Change{}
	for _, d := range ds {
		changes[d.Path] = call.Change{New: d.Op}
	}
	return []*call.Event{event("change", changes)}, false, a.acknowledged(want, Active)
}

// known is what of a resource that a service has is looked after here: what is to be there, or was sent. What others have set beside stays.
func known(has, want, sent scim.Object) scim.Object {
	out := scim.Object{}
	for name, v := range has {
		w, wants := want[name]
		old, had := sent[name]
		if name == "schemas" || !wants && !had {
			continue
		}
		in, complex := v.(scim.Object)
		_, list := w.([]any)
		switch {
		case complex:
			ws, _ := w.(scim.Object)
			os, _ := old.(scim.Object)
			v = known(in, ws, os)
		case list && len(scim.Covers(scim.Object{name: w}, scim.Object{name: v})) == 0:
			v = w // the service adds to values what it likes
		}
		out[name] = v
	}
	return out
}

// send makes an account what it is to be.
func (r remote) send(ctx context.Context, a *account, want scim.Object, ds []scim.Difference) (said, error) {
	path := at(KindUser, a.Remote)
	if r.t.Settings.Method == Put {
		body := scim.Object{"id": a.Remote}
		for name, v := range want {
			body[name] = v
		}
		return r.ask(ctx, http.MethodPut, path, body, a.ETag)
	}
	return r.ask(ctx, http.MethodPatch, path, scim.Object{"schemas": []any{scim.PatchURN}, "Operations": ds}, a.ETag)
}

// reread reads an account that somebody else has changed.
func (r remote) reread(ctx context.Context, a *account, want scim.Object) error {
	s, err := r.ask(ctx, http.MethodGet, at(KindUser, a.Remote), nil, "")
	if status(err) == http.StatusNotFound {
		a.Remote, a.ETag, a.Sent, a.There = "", "", "", ""
		return nil
	}
	if err != nil {
		return err
	}
	if s.id == "" {
		return &failure{class: Server, why: "The service answered an account with what is none."}
	}
	return r.take(a, s.object, want)
}

// remove disables or deletes an account, where there is one.
func (r remote) remove(ctx context.Context, a *account, want wanted) ([]*call.Event, error) {
	if a.Remote != "" && a.ETag == recheckTag {
		if err := r.reread(ctx, a, scim.Object{"active": true}); err != nil {
			return nil, err
		}
		if a.Remote == "" {
			a.There = Removed
		}
	}
	if a.There == Removed || want == wantDisabled && a.There == Disabled && a.inactive() {
		return nil, nil
	}
	if a.Remote == "" {
		if a.Tries <= 1 && a.There == "" {
			return nil, nil // nothing was ever sent
		}
		found, err := r.find(ctx, KindUser, ByExternalID, a.Object)
		if err != nil {
			return nil, err
		}
		for _, o := range found {
			if id, _ := o["externalId"].(string); id == a.Object {
				if err := r.take(a, o, scim.Object{"active": true}); err != nil {
					return nil, err
				}
			}
		}
		if a.Remote == "" {
			return nil, nil
		}
	}
	if want == wantRemoved {
		_, err := r.ask(ctx, http.MethodDelete, at(KindUser, a.Remote), nil, "")
		if s := status(err); err != nil && s != http.StatusNotFound && s != http.StatusGone {
			return nil, err
		}
		a.Remote, a.ETag, a.Sent, a.There = "", "", "", Removed
		return []*call.Event{event("remove", nil)}, nil
	}
	return r.disable(ctx, a)
}

// inactive says whether what was acknowledged last is an account that nobody can use.
func (a *account) inactive() bool { return a.last()["active"] == false }

// disable leaves all but active as it is there.
func (r remote) disable(ctx context.Context, a *account) ([]*call.Event, error) {
	off := a.last()
	off["active"] = false
	var err error
	if r.t.Settings.Method == Put {
		err = r.putOff(ctx, a)
	} else {
		ds := []scim.Difference{{Op: "replace", Path: "active", Value: false}}
		_, err = r.send(ctx, &account{Remote: a.Remote}, off, ds) // whatever version it is
	}
	switch status(err) {
	case http.StatusNotFound, http.StatusGone:
		a.Remote, a.ETag, a.Sent, a.There = "", "", "", Removed
		return []*call.Event{event("remove", nil)}, nil
	}
	if err != nil {
		return nil, err
	}
	a.ETag = ""
	return []*call.Event{event("disable", nil)}, a.acknowledged(off, Disabled)
}

// putOff replaces an account by itself, disabled.
func (r remote) putOff(ctx context.Context, a *account) error {
	s, err := r.ask(ctx, http.MethodGet, at(KindUser, a.Remote), nil, "")
	if err != nil {
		return err
	}
	if s.id == "" {
		return &failure{class: Server, why: "The service answered an account with what is none."}
	}
	delete(s.object, "meta")
	s.object["active"] = false
	_, err = r.ask(ctx, http.MethodPut, at(KindUser, a.Remote), s.object, s.etag)
	return err
}
