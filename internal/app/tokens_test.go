package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"limen/internal/app"
	"limen/internal/call"
	"limen/internal/core/acl"
	core "limen/internal/core/app"
	"limen/internal/core/audit"
	"limen/internal/core/role"
	"limen/internal/core/session"
	"limen/internal/core/tenant"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

// issuing is a tenant with an application whose tokens are looked at on several nodes.
type issuing struct {
	t      *testing.T
	tenant string
	nodes  []*node // the first one changes things
	admin  string  // bearer
	app    string  // key
	client string
	roleID string // who is in it may use the application
	n      int
}

const (
	tokensHost   = "tokens.test"
	tokensSecret = "a-secret-of-16-bytes-or-more"
)

// ask sends a request to a node, JSON or a form.
func (i *issuing) ask(n *node, path, bearer, body string) (status int, answer, to string) {
	i.t.Helper()
	r, err := http.NewRequestWithContext(i.t.Context(), http.MethodPost, n.url+path, strings.NewReader(body))
	if err != nil {
		i.t.Fatal(err)
	}
	r.Host = tokensHost
	r.Header.Set("Content-Type", "application/json")
	if !strings.HasPrefix(body, "{") {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		i.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		i.t.Fatal(err)
	}
	return res.StatusCode, string(b), res.Header.Get("Location")
}

// must asks the first node for what succeeds.
func (i *issuing) must(path, body string, out any) {
	i.t.Helper()
	_, answer, _ := i.ask(i.nodes[0], path, i.admin, body)
	if !strings.Contains(answer, `"success":true`) {
		i.t.Fatalf("%s: %s", path, answer)
	}
	if out != nil {
		if err := json.Unmarshal([]byte(answer), out); err != nil {
			i.t.Fatal(err)
		}
	}
}

func (i *issuing) write(f func(ctx context.Context, c *call.Call, a *app.App) error) {
	i.t.Helper()
	a := i.nodes[0].App
	c := a.Shell(i.tenant)
	if err := a.Write(i.t.Context(), c, audit.UserChange, func(ctx context.Context) error { return f(ctx, c, a) }); err != nil {
		i.t.Fatal(err)
	}
}

func newIssuing(t *testing.T, nodes ...*node) *issuing {
	i := &issuing{t: t, nodes: nodes}
	made, admin, _, err := nodes[0].AddTenant(t.Context(), tenant.New{Name: "Tokens", Suffix: "tokens.test", Hosts: []string{tokensHost}},
		app.Admin{Name: "admin@tokens.test", Password: "Correct-Horse-7"})
	if err != nil {
		t.Fatal(err)
	}
	i.tenant = made.ID
	i.write(func(ctx context.Context, c *call.Call, a *app.App) (err error) {
		i.admin, _, err = a.Sessions.Create(ctx, c, session.New{User: admin.ID})
		if err == nil {
			var r role.Role
			r, err = a.Roles.Create(ctx, c, role.New{Name: "Readers"})
			i.roleID = r.ID
		}
		return err
	})
	for _, n := range nodes {
		eventually(t, time.Second, "a node does not know the tenant", func() bool {
			status, _, _ := i.ask(n, "/Security/WhoAmI", i.admin, "{}")
			return status == http.StatusOK
		})
	}
	var from struct {
		Result []struct {
			Key string `json:"_RowKey"`
		}
	}
	i.must("/SaasManage/ImportAppFromTemplate", `{"ID":["Generic OpenID Connect"]}`, &from)
	i.app = from.Result[0].Key
	i.must("/SaasManage/UpdateApplicationDE", fmt.Sprintf(`{"_RowKey":%q,"Name":"wiki","ServiceName":"wiki","OAuthProfile":{"ClientIDType":1,"ClientSecret":%q,
		"Redirects":["https://client.test/back"],"AllowedAuth":"AuthorizationCode","TokenType":"Opaque"},"AppRoles":{"Publish":[{"Role":%q}]}}`, i.app, tokensSecret, i.roleID), nil)
	var got struct {
		Result struct{ OAuthProfile struct{ ClientID string } }
	}
	i.must("/SaasManage/GetApplication", fmt.Sprintf(`{"_RowKey":%q}`, i.app), &got)
	i.client = got.Result.OAuthProfile.ClientID
	return i
}

// holder is somebody new who may use the application, and a token of theirs.
type holder struct{ user, token string }

func (i *issuing) holder() (h holder) {
	i.t.Helper()
	var bearer string
	i.n++
	i.write(func(ctx context.Context, c *call.Call, a *app.App) error {
		u, err := a.People.Create(ctx, c, user.New{Name: fmt.Sprintf("reader%d@tokens.test", i.n), Mail: "reader@tokens.test"})
		if err != nil {
			return err
		}
		h.user = u.ID
		if err := a.Roles.Add(ctx, c, i.roleID, role.Member{Kind: role.User, ID: u.ID}); err != nil {
			return err
		}
		bearer, _, err = a.Sessions.Create(ctx, c, session.New{User: u.ID})
		return err
	})
	q := url.Values{"client_id": {i.client}, "response_type": {"code"}, "redirect_uri": {"https://client.test/back"}, "scope": {"openid"}, "state": {"s"}}
	_, answer, to := i.ask(i.nodes[0], "/OAuth2/Authorize/wiki", bearer, q.Encode())
	at, err := url.Parse(to)
	if err != nil || at.Query().Get("code") == "" {
		i.t.Fatalf("no code: %s %s", to, answer)
	}
	_, answer, _ = i.ask(i.nodes[0], "/OAuth2/Token/wiki", "", i.form("grant_type", "authorization_code", "code", at.Query().Get("code"), "redirect_uri", "https://client.test/back"))
	var tokens struct {
		Access string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(answer), &tokens); err != nil || tokens.Access == "" {
		i.t.Fatal(answer, err)
	}
	h.token = tokens.Access
	return h
}

func (i *issuing) form(of ...string) string {
	q := url.Values{"client_id": {i.client}, "client_secret": {tokensSecret}}
	for k := 0; k < len(of); k += 2 {
		q.Set(of[k], of[k+1])
	}
	return q.Encode()
}

// active is what introspection and UserInfo say, which must agree.
func (i *issuing) active(n *node, token string) bool {
	i.t.Helper()
	_, answer, _ := i.ask(n, "/OAuth2/Introspect/wiki", "", i.form("token", token))
	status, _, _ := i.ask(n, "/OAuth2/UserInfo/wiki", token, "")
	return strings.Contains(answer, `"active":true`) || status == http.StatusOK
}

// endings are what takes a token away, or the application from its person.
func (i *issuing) endings() map[string]func(h holder) {
	write := func(f func(ctx context.Context, c *call.Call, a *app.App, h holder) error) func(holder) {
		return func(h holder) {
			i.write(func(ctx context.Context, c *call.Call, a *app.App) error { return f(ctx, c, a, h) })
		}
	}
	return map[string]func(h holder){
		"revoked": func(h holder) {
			if status, answer, _ := i.ask(i.nodes[0], "/OAuth2/Revoke/wiki", "", i.form("token", h.token)); status != http.StatusOK {
				i.t.Fatal(answer)
			}
		},
		"signed out everywhere": write(func(ctx context.Context, c *call.Call, a *app.App, h holder) error {
			_, err := a.Sessions.EndAll(ctx, c, h.user, "")
			return err
		}),
		"disabled": write(func(ctx context.Context, c *call.Call, a *app.App, h holder) error {
			return a.People.SetState(ctx, c, h.user, user.State{Disabled: true})
		}),
		"deleted": write(func(ctx context.Context, c *call.Call, a *app.App, h holder) error {
			return a.People.Delete(ctx, c, h.user)
		}),
		"out of the role": write(func(ctx context.Context, c *call.Call, a *app.App, h holder) error {
			return a.Roles.Remove(ctx, c, i.roleID, role.Member{Kind: role.User, ID: h.user})
		}),
		"the membership ran out": func(h holder) {
			until := time.Now().Add(1500 * time.Millisecond)
			i.write(func(ctx context.Context, c *call.Call, a *app.App) error {
				if err := a.Roles.Remove(ctx, c, i.roleID, role.Member{Kind: role.User, ID: h.user}); err != nil {
					return err
				}
				return a.Roles.Add(ctx, c, i.roleID, role.Member{Kind: role.User, ID: h.user, Until: until})
			})
			eventually(i.t, time.Second, "the membership is not begun", func() bool { return i.active(i.nodes[0], h.token) }) // it is remembered
			time.Sleep(time.Until(until))
		},
		"out of the set": func(h holder) {
			set := i.throughSet(h)
			i.write(func(ctx context.Context, c *call.Call, a *app.App) error { return a.Sets.Delete(ctx, c, set) })
		},
	}
}

// throughSet takes somebody out of the role, and gives them the application by a set.
func (i *issuing) throughSet(h holder) (id string) {
	i.t.Helper()
	var made struct{ Result string }
	i.must("/Collection/CreateManualCollection", fmt.Sprintf(`{"Name":"set %d","ObjectType":"Application"}`, i.n), &made)
	i.must("/Collection/UpdateMembersCollection", fmt.Sprintf(`{"id":%q,"add":[{"MemberType":"Row","Table":"Application","Key":%q}]}`, made.Result, i.app), nil)
	i.write(func(ctx context.Context, c *call.Call, a *app.App) error {
		o, err := a.Lists.Need(ctx, c, acl.Collections, made.Result, acl.Grant)
		if err == nil {
			err = a.Lists.PermitMembers(ctx, c, o, acl.Given{Kind: role.User, Principal: h.user, Mask: acl.View | core.Execute})
		}
		if err == nil {
			err = a.Roles.Remove(ctx, c, i.roleID, role.Member{Kind: role.User, ID: h.user})
		}
		return err
	})
	for _, n := range i.nodes {
		eventually(i.t, time.Second, "the set does not give the application", func() bool { return i.active(n, h.token) })
	}
	return made.Result
}

// Tokens are looked at in memory. Whatever takes one away is known at once where it happened, and on every other node within a second.
func TestRemembersNoTokenThatIsGone(t *testing.T) {
	nodes := map[string]func(t *testing.T) []*node{
		"one node": func(t *testing.T) []*node { return []*node{startNode(t, "sqlite", "one")} },
		"two nodes": func(t *testing.T) []*node {
			address := dbxtest.Address(t, dbx.Postgres, true)
			return []*node{startNode(t, address, "one"), startNode(t, address, "two")}
		},
	}
	for name, start := range nodes {
		t.Run(name, func(t *testing.T) {
			i := newIssuing(t, start(t)...)
			for what, end := range i.endings() {
				h, other := i.holder(), i.holder()
				for _, n := range i.nodes {
					at, err := n.Index.ByID(t.Context(), i.tenant)
					if err != nil {
						t.Fatal(err)
					}
					// What the node learns of meanwhile has it forget, and look again.
					eventually(t, time.Second, "a node does not remember the token", func() bool {
						return i.active(n, h.token) && i.active(n, other.token) && n.OAuth.Remembers(&call.Call{Tenant: at, Now: time.Now()}, h.token)
					})
				}
				end(h)
				if i.active(i.nodes[0], h.token) {
					t.Errorf("%s: good on the node where it ended", what)
				}
				for _, n := range i.nodes {
					eventually(t, time.Second, what+": good on another node", func() bool { return !i.active(n, h.token) })
					if !i.active(n, other.token) {
						t.Errorf("%s: somebody else's is gone too", what)
					}
				}
			}
		})
	}
}
