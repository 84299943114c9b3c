package users_test

import (
	"context"
	"errors"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/org"
	"limen/internal/core/right"
	"limen/internal/core/user"
	"limen/internal/op"
	"limen/internal/surface/identity/users"
	"limen/internal/wire/rpc"
)

// delegate is somebody who manages the users of one organization only.
type delegate struct {
	t    *testing.T
	site *apptest.Site
	held right.Held
}

// run calls an operation as the kernel does.
func (d delegate) run(want error, path string, in any) any {
	d.t.Helper()
	c := d.site.App.Shell(d.site.ID)
	var err error
	if c.Tenant, err = d.site.App.Index.ByID(d.t.Context(), d.site.ID); err != nil {
		d.t.Fatal(err)
	}
	c.Caller = &call.Caller{User: d.site.Plain.ID, Name: d.site.Plain.Name, Means: call.BySession, Held: d.held}
	for _, o := range d.site.App.Kernel.Ops() {
		if o.Path != path {
			continue
		}
		out, err := d.site.App.Kernel.Run(d.t.Context(), &o, c, in)
		if want == nil && err != nil || want != nil && !errors.Is(err, want) {
			d.t.Errorf("%s: got %v, want %v", path, err, want)
		}
		return out
	}
	d.t.Fatal("no operation ", path)
	return nil
}

// unit makes an organization, and gives its id.
func unit(t *testing.T, site *apptest.Site, name string) (id string) {
	t.Helper()
	site.Do(t, audit.OrgCreate, func(ctx context.Context, c *call.Call) error {
		made, err := site.App.Orgs.Create(ctx, c, org.New{Name: name})
		id = made.ID
		return err
	})
	return id
}

func TestDelegatedAdministration(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		person := func(name, org string) (u user.User) {
			site.Do(t, audit.UserCreate, func(ctx context.Context, c *call.Call) (err error) {
				u, err = s.App.People.Create(ctx, c, user.New{Name: name + "@" + site.Suffix, Mail: name + "@example.com", Org: org})
				return err
			})
			return u
		}
		o1, o2 := unit(t, site, "One"), unit(t, site, "Two")
		in, out := person("in", o1), person("out", o2)
		d := delegate{t, site, right.Held{Orgs: map[string]right.Set{o1: right.Of(right.UserManagement)}}}

		q := d.run(nil, "/CDirectoryService/GetUsers", &users.Listing{}).(rpc.Query)
		if len(q.Results) != 1 || q.FullCount != 1 || q.Results[0].Entities[0].Key != in.ID {
			t.Errorf("%+v", q.Results)
		}
		d.run(nil, "/CDirectoryService/GetUser", &users.OneUser{ID: in.ID})
		d.run(op.ErrDenied, "/CDirectoryService/GetUser", &users.OneUser{ID: out.ID})
		d.run(nil, "/CDirectoryService/ChangeUser", &users.UserChange{ID: in.ID, DisplayName: op.Some("In"), ForcePasswordChangeNext: op.Some(true)})
		d.run(op.ErrDenied, "/CDirectoryService/ChangeUser", &users.UserChange{ID: out.ID, DisplayName: op.Some("Out")})
		// Neither out of the organization, nor into none.
		d.run(op.ErrDenied, "/CDirectoryService/ChangeUser", &users.UserChange{ID: in.ID, OrgPath: op.Some("")})
		d.run(users.ErrOrg, "/CDirectoryService/ChangeUser", &users.UserChange{ID: in.ID, OrgPath: op.Some("/Elsewhere")})
		// Themselves they change as anybody does.
		d.run(nil, "/CDirectoryService/ChangeUser", &users.UserChange{DisplayName: op.Some("Me")})
		d.run(users.ErrField, "/CDirectoryService/ChangeUser", &users.UserChange{Name: op.Some("me@" + site.Suffix)})
		made := d.run(nil, "/CDirectoryService/CreateUser", &users.NewUser{Name: "new@" + site.Suffix, Mail: "n@example.com"})
		if u := d.run(nil, "/CDirectoryService/GetUser", &users.OneUser{ID: made.(string)}); u == nil {
			t.Error("whom they made is not in their organization")
		}
		d.run(op.ErrDenied, "/CDirectoryService/SetUserState", &users.StateChange{ID: out.ID, State: "Locked"})
		d.run(op.ErrDenied, "/UserMgmt/ResetUserPassword", &users.PasswordReset{ID: out.ID, NewPassword: "Purple-Staple-7-Wagon"})
		d.run(user.ErrNotFound, "/UserMgmt/SendLoginEmails", &users.UserList{ID: []string{in.ID, out.ID}})
		d.run(user.ErrNotFound, "/UserMgmt/InviteUsers", &users.Invitation{Entities: []users.Entity{{Type: "User", Guid: out.ID}}, EmailInvite: true})
		r := d.run(nil, "/UserMgmt/RemoveUsers", &users.Removal{Users: []string{out.ID, in.ID}}).(users.Undone)
		if len(r.Exceptions.User) != 1 || r.Exceptions.User[0].ID != out.ID {
			t.Errorf("%+v", r)
		}
		c := site.App.Shell(site.ID)
		err := c.Snapshot(t.Context(), func() (err error) {
			_, gone := s.App.People.ByID(t.Context(), c, in.ID)
			if !errors.Is(gone, user.ErrNotFound) {
				t.Error("in is still there")
			}
			_, err = s.App.People.ByID(t.Context(), c, out.ID)
			return err
		})
		if err != nil {
			t.Error("out is gone", err)
		}
	})
}
