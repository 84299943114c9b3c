package apptest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/domain"
	"limen/internal/core/number"
	"limen/internal/core/org"
	"limen/internal/core/password"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/setting"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// Workspaces plants two workspaces for golden exchanges, Nord and Ost below Nord beside Sued, with people, and gives what requests need
// of them. Each workspace has its guid under its name in lower case and its number under that with Id; each person their UUID, number (Id),
// login name (Name) and a token of the Synerise dialect (Token) for the workspace that they belong to. All have the same password, Password.
//
//   - boss administers people and roles of Nord, by Nord's role Chiefs (chiefs, chiefsId)
//   - reader may read people and roles of Nord, by its role Readers (readers, readersId)
//   - mia belongs to Nord and holds nothing; Nord's role Helpers (helpers, helpersId) carries nothing
//   - sven administers Sued, by its role Sued chiefs
//   - root is the system administrator, with a token for Nord
func Workspaces(t *testing.T, s *Site, _ string) map[string]string {
	t.Helper()
	vars := map[string]string{"password": Password}
	s.Set(t, "Authentication.Challenges", "UP")
	orgs := map[string]string{"nord": s.Org(t, "Nord", ""), "sued": s.Org(t, "Sued", "")}
	orgs["ost"] = s.Org(t, "Ost", orgs["nord"])
	for name, id := range orgs {
		vars[name], vars[name+"Id"] = id, s.Number(t, number.Organization, id)
	}
	manages := []right.Right{right.UserManagement, right.RoleManagement}
	reads := []right.Right{right.ReadUsers, right.ReadRoles}
	for _, r := range []struct {
		key, name, org string
		rights         []right.Right
	}{{"chiefs", "Chiefs", "nord", manages}, {"readers", "Readers", "nord", reads}, {"helpers", "Helpers", "nord", nil}, {"suedchiefs", "Sued chiefs", "sued", manages}} {
		id := s.RoleIn(t, r.name, orgs[r.org], r.rights...)
		vars[r.key], vars[r.key+"Id"] = id, s.Number(t, number.Role, id)
	}
	for _, p := range []struct{ name, org, role string }{{"boss", "nord", "chiefs"}, {"reader", "nord", "readers"}, {"mia", "nord", ""}, {"sven", "sued", "suedchiefs"}} {
		who := s.Person(t, p.name)
		s.Settle(t, who.ID, orgs[p.org], vars[p.role])
		vars[p.name], vars[p.name+"Id"], vars[p.name+"Name"] = who.ID, s.Number(t, number.User, who.ID), who.Name
		vars[p.name+"Token"] = s.Enter(t, who.Name, "")
	}
	vars["rootId"] = s.Number(t, number.User, s.Admin.ID)
	vars["rootToken"] = s.Enter(t, s.Admin.Name, orgs["nord"])
	return vars
}

// Set changes a setting of the tenant.
func (s *Site) Set(t testing.TB, name, value string) {
	t.Helper()
	ready, err := s.App.Values.Prepare(t.Context(), s.App.Shell(s.ID), setting.Set(name, value))
	if err != nil {
		t.Fatal(err)
	}
	s.Do(t, audit.SettingChange, func(ctx context.Context, c *call.Call) error { return s.App.Values.Write(ctx, c, ready) })
}

// Org makes an organization below another one, or at the top.
func (s *Site) Org(t testing.TB, name, parent string) (id string) {
	t.Helper()
	s.Do(t, audit.OrgCreate, func(ctx context.Context, c *call.Call) error {
		o, err := s.App.Orgs.Create(ctx, c, org.New{Name: name, Parent: parent})
		id = o.ID
		return err
	})
	return id
}

// RoleIn makes a role of an organization that carries rights.
func (s *Site) RoleIn(t testing.TB, name, orgID string, rights ...right.Right) (id string) {
	t.Helper()
	s.Do(t, audit.RoleCreate, func(ctx context.Context, c *call.Call) error {
		r, err := s.App.Roles.Create(ctx, c, role.New{Name: name, Org: orgID})
		if err != nil {
			return err
		}
		id = r.ID
		for _, g := range rights {
			if err := s.App.Roles.Assign(ctx, c, r.ID, role.Given{Path: g.Info().Path}); err != nil {
				return err
			}
		}
		return nil
	})
	return id
}

// Settle gives a person a password, an organization, and a role unless it is empty.
func (s *Site) Settle(t testing.TB, userID, orgID, roleID string) {
	t.Helper()
	c := s.App.Shell(s.ID)
	fresh, err := s.App.Passwords.Prepare(t.Context(), c, password.Change{User: userID, Plain: Password, Any: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
		if err := s.App.Passwords.Put(ctx, c, userID, fresh, false); err != nil {
			return err
		}
		if _, err := s.App.People.Change(ctx, c, userID, user.Change{Org: &orgID}); err != nil || roleID == "" {
			return err
		}
		return s.App.Roles.Add(ctx, c, roleID, role.Member{Kind: role.User, ID: userID})
	})
}

// Prove makes a mail domain one of an organization's.
func (s *Site) Prove(t testing.TB, path, name string) {
	t.Helper()
	var d domain.Domain
	s.Do(t, audit.DomainCode, func(ctx context.Context, c *call.Call) error {
		o, err := s.App.Orgs.Find(ctx, c, path)
		if err != nil {
			return err
		}
		d, err = s.App.Domains.Issue(ctx, c, o.ID, name)
		return err
	})
	found := &domain.Domains{DB: s.App.DB, TXT: func(context.Context, string) ([]string, error) { return []string{d.Record()}, nil }}
	proof, err := found.Look(t.Context(), s.App.Shell(s.ID), d.Org, name, domain.TXT)
	if err != nil {
		t.Fatal(err)
	}
	s.Do(t, audit.DomainVerify, func(ctx context.Context, c *call.Call) error {
		_, err := found.Prove(ctx, c, d.Org, proof)
		return err
	})
}

// Mailed waits for the tenant's mail to an address, and finds in it what a pattern says.
func (s *Site) Mailed(t testing.TB, to string, what *regexp.Regexp) string {
	t.Helper()
	for range 2000 {
		for _, m := range s.App.Tray.To(to) {
			if found := what.FindString(m.Text); m.Tenant == s.ID && found != "" {
				return found
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("nothing was mailed to", to)
	return ""
}

// Number is the number of an object.
func (s *Site) Number(t testing.TB, k number.Kind, id string) string {
	t.Helper()
	c := s.App.Shell(s.ID)
	var n int64
	if err := c.Snapshot(t.Context(), func() (err error) {
		n, err = number.Of(t.Context(), c, k, id)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return strconv.FormatInt(n, 10)
}

// Enter signs somebody in by the Synerise dialect, with Password alone, to a workspace by its guid, or to their only one, and gives the token.
func (s *Site) Enter(t testing.TB, name, workspace string) string {
	t.Helper()
	limit := s.App.Kernel.Limit // people who are planted all sign in from one network
	s.App.Kernel.Limit = func(*op.Call, *op.Op) *fault.Error { return nil }
	defer func() { s.App.Kernel.Limit = limit }()
	status, answer := s.Call(t, "", http.MethodPost, "/uauth/auth/login/user", map[string]any{"username": name, "password": Password, "businessProfileGuid": workspace})
	var in struct {
		Token      string
		MfaMethods []string
	}
	if status != http.StatusOK || json.Unmarshal(answer, &in) != nil || in.Token == "" || len(in.MfaMethods) > 0 {
		t.Fatalf("%s cannot sign in: %d %s", name, status, answer)
	}
	return in.Token
}

// Call makes a call with a bearer, and a body as JSON unless it is nil.
func (s *Site) Call(t testing.TB, token, method, path string, body any) (int, []byte) {
	t.Helper()
	var sent io.Reader = http.NoBody
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		sent = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, sent)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = s.Host
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := s.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, out
}
