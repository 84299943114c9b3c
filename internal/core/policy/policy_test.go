package policy_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"limen/internal/call"
	"limen/internal/core/lockout"
	"limen/internal/core/login"
	"limen/internal/core/login/logintest"
	"limen/internal/core/policy"
	"limen/internal/core/profile"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
)

// world is a tenant with people who can sign in, and policy sets.
type world struct {
	*testing.T
	l           *logintest.World
	p           *policy.Policies
	admin, anna user.User
	staff       string // a role that anna is in
	strong      string // the profile of the password and an authenticator app
	weak        string // the profile of the password
}

func each(t *testing.T, f func(w *world)) {
	logintest.Each(t, func(t *testing.T, l *logintest.World) { f(start(t, l)) })
}

func start(t *testing.T, l *logintest.World) *world {
	w := &world{T: t, l: l}
	w.p = &policy.Policies{DB: l.DB, Roles: l.Roles, Changes: l.Changes, Ring: l.Logins.Ring, Profiles: l.Profiles}
	w.p.Start()
	w.p.Able = func(ctx context.Context, c *call.Call, id string, of profile.Profile) (bool, error) {
		u, err := l.People.ByID(ctx, c, id)
		if err != nil {
			return false, err
		}
		return l.Logins.Able(ctx, c, u, login.Profile{}.With(of))
	}
	w.p.Knows = func(ctx context.Context, c *call.Call, id string) (bool, error) {
		known, err := l.Throttle.Known(ctx, c, id, throttle.DeviceHash(c.Client.Device))
		return known != nil, err
	}
	l.Logins.Profile = w.p.Login
	w.p.Lockout = lockout.Guard{Roles: l.Roles, People: l.People, Admits: l.Logins.Admits}.Check
	w.admin, w.anna = l.Add("root"), l.Add("anna")
	l.Promote(w.admin.ID)
	w.must(func(ctx context.Context, c *call.Call) error {
		if err := w.p.Make(ctx, c); err != nil {
			return err
		}
		r, err := l.Roles.Create(ctx, c, role.New{Name: "Staff"})
		if err != nil {
			return err
		}
		w.staff = r.ID
		if err := l.Roles.Add(ctx, c, r.ID, role.Member{Kind: "User", ID: w.anna.ID}); err != nil {
			return err
		}
		strong, err := l.Profiles.Save(ctx, c, profile.Profile{Name: "Strong", Challenges: [][]string{{"UP"}, {"OATH"}}})
		if err != nil {
			return err
		}
		weak, err := l.Profiles.Save(ctx, c, profile.Profile{Name: "Weak", Challenges: [][]string{{"UP"}}})
		w.strong, w.weak = strong.ID, weak.ID
		return err
	})
	return w
}

// try runs f as the administrator, in a transaction that may write.
func (w *world) try(f func(ctx context.Context, c *call.Call) error) error {
	return w.l.Try(func(ctx context.Context, c *call.Call) error {
		c.Caller = &call.Caller{User: w.admin.ID, Name: w.admin.Name, Held: right.Held{Tenant: right.Of(right.System)}}
		return f(ctx, c)
	})
}

func (w *world) must(f func(ctx context.Context, c *call.Call) error) {
	w.Helper()
	if err := w.try(f); err != nil {
		w.Fatal(err)
	}
}

// read runs f in a snapshot.
func (w *world) read(f func(ctx context.Context, c *call.Call) error) {
	w.Helper()
	c := w.l.Call()
	if err := c.Snapshot(w.Context(), func() error { return f(w.Context(), c) }); err != nil {
		w.Fatal(err)
	}
}

type values map[string]any

// check reads settings as a client gives them.
func (w *world) check(v values) (policy.Settings, error) {
	raw := map[string]json.RawMessage{}
	for key, value := range v {
		b, err := json.Marshal(value)
		if err != nil {
			w.Fatal(err)
		}
		raw[key] = b
	}
	return w.p.Check(w.Context(), w.l.Call(), raw, policy.BuiltInModifier)
}

// wish is a new policy set, linked first.
func (w *world) wish(name string, link policy.Link, v values) policy.Save {
	w.Helper()
	s, err := w.check(v)
	if err != nil {
		w.Fatal(err)
	}
	in := policy.Save{Path: policy.Prefix + name, New: true, Settings: s, Links: []policy.Listed{{Path: policy.Prefix + name, Link: link}}}
	w.read(func(ctx context.Context, c *call.Call) error {
		b, _, err := w.p.Get(ctx, c, name)
		if errors.Is(err, policy.ErrNotFound) {
			return nil
		}
		in.New, in.Stamp = false, b.Stamp
		return err
	})
	return in
}

func (w *world) save(name string, link policy.Link, v values) {
	w.Helper()
	in := w.wish(name, link, v)
	in.Confirm = true
	w.must(func(ctx context.Context, c *call.Call) error { _, err := w.p.Save(ctx, c, in); return err })
}

func (w *world) refused(want error, f func(ctx context.Context, c *call.Call) error) {
	w.Helper()
	if err := w.try(f); !errors.Is(err, want) {
		w.Fatalf("got %v, want %v", err, want)
	}
}

func (w *world) rsop(id string) (r *policy.Resultant) {
	w.Helper()
	w.read(func(ctx context.Context, c *call.Call) (err error) {
		r, err = w.p.For(ctx, c, id)
		return err
	})
	return r
}

var everybody = policy.Link{Type: policy.Global}

func (w *world) staffs() policy.Link {
	return policy.Link{Type: policy.Role, Params: []string{w.staff}}
}

// rule is the one rule of a RowSet.
func rule(id string, conditions ...policy.Condition) map[string]any {
	return map[string]any{
		"_Type": "RowSet", "_UniqueKey": "Condition", "Enabled": true,
		"_Value": []policy.Rule{{Conditions: conditions, ProfileID: id}},
	}
}

const (
	enabled   = "AuthenticationEnabled"
	rulesKey  = "/Core/Authentication/AuthenticationRules"
	otherwise = "/Core/Authentication/AuthenticationRulesDefaultProfileId"
	least     = "/Core/Security/CDS/PasswordPolicy/MinLength"
)
