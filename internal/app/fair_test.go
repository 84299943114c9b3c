package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/acl"
	core "limen/internal/core/app"
	"limen/internal/core/audit"
	"limen/internal/core/oauth"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/session"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"

	"pgregory.net/rapid"
)

// fair is a game of the same rules as that of raise_test.go, over HTTP: with what is not called by a person who is signed in, or
// opens something to whoever holds it. Everybody tries every move of moves_test.go, with whatever there is.
type fair struct {
	*game
	bearers  map[string]string            // session tokens of people
	logins   map[string]string            // login names of people
	services map[string]oauth.Registering // applications by ServiceName, with who may register clients
	keys     map[string]string            // their ids
	clientOf map[string]string            // their own clients
	marks    map[string]bool              // passwords that tell whose they are
	books    ledger

	// Told once. Who holds one may use it, so whoever plays may.
	provisioning map[string]string // tokens, with the service user
	initial      map[string]string // tokens, with their id
	managing     map[string]string // registration access tokens, with the client's id
	codes        []string          // user codes
	waits        []url.Values      // what devices and clients ask for their tokens with
}

type members = map[string]any

// answer is what came of a request.
type answer struct {
	status int
	text   string
	body   map[string]any
}

// member is one of an answer, or of the result in it.
func (a answer) member(name string) string {
	from := a.body
	if in, ok := a.body["Result"].(map[string]any); ok {
		from = in
	}
	s, _ := from[name].(string)
	return s
}

// turn is one move of somebody.
type turn struct {
	*fair
	power  power
	before map[string]standing
	log    []string
	heard  string // all answers
	done   bool   // one of them said that something was done
}

// ask sends a request: a form, or JSON. Whatever else happens, the server does not fail.
func (x *turn) ask(method, path, bearer string, in any) (out answer) {
	body, kind := "", "application/json"
	switch v := in.(type) {
	case nil:
	case url.Values:
		body, kind = v.Encode(), "application/x-www-form-urlencoded"
	default:
		raw, err := json.Marshal(v)
		if err != nil {
			x.rt.Fatal(err)
		}
		body = string(raw)
	}
	r, err := http.NewRequestWithContext(context.Background(), method, x.site.URL+path, strings.NewReader(body))
	if err != nil {
		x.rt.Fatal(err)
	}
	r.Host = x.site.Host
	r.Header.Set("Content-Type", kind)
	if path == oauth.DevicePath {
		r.AddCookie(&http.Cookie{Name: ".ASPXAUTH", Value: bearer})
	} else if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	res, err := x.site.HTTP.Do(r)
	if err != nil {
		x.rt.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		x.rt.Fatal(err)
	}
	out = answer{status: res.StatusCode, text: string(raw)}
	_ = json.Unmarshal(raw, &out.body) // a page is none
	x.log, x.heard = append(x.log, fmt.Sprintf("%s %s %s: %d %.300s", method, path, body, out.status, out.text)), x.heard+out.text
	parts := append(strings.Split(strings.Trim(path, "/"), "/"), "", "")
	kindOf := method + " /" + parts[0] + "/" + parts[1]
	if x.tally.tried[kindOf]++; out.status < 300 && out.body["success"] != false {
		x.tally.done[kindOf]++
		x.done = true
	}
	if out.status >= 500 {
		x.rt.Fatal(x.log)
	}
	return out
}

// me asks as who plays.
func (x *turn) me(path string, in any) answer {
	return x.ask(http.MethodPost, path, x.bearer(x.power.who), in)
}

// bearer is a session token of somebody's, who has just shown who they are.
func (g *fair) bearer(who string) string {
	if who != "" && g.bearers[who] == "" {
		c := g.site.App.Shell(g.site.ID)
		if err := g.site.App.Write(context.Background(), c, audit.Login, func(ctx context.Context) (err error) {
			g.bearers[who], _, err = g.site.App.Sessions.Create(ctx, c, session.New{User: who, Level: session.High})
			return err
		}); err != nil {
			g.rt.Fatal(err)
		}
	}
	return g.bearers[who]
}

// one draws a key.
func (g *fair) one(label string, of map[string]string) string {
	return g.pick(label, slices.Sorted(maps.Keys(of)))
}

// service draws an application by its ServiceName.
func (g *fair) service() string { return g.one("application", g.keys) }

// robots are the service users of the tenant.
func (g *fair) robots() (out []string) {
	for _, id := range g.people {
		if strings.HasPrefix(g.names[id], "robot") {
			out = append(out, id)
		}
	}
	return out
}

// open makes the tenant of a fair: that of a game, with service users of all standings, applications with which clients may be
// registered by nobody, by who has a token, or by anybody, and people who keep secrets.
func open(rt *rapid.T, t *testing.T, s *apptest.Server, n *tally) *fair {
	b := &branches{}
	g := &fair{
		game: begin(rt, t, s, n, b), bearers: map[string]string{}, logins: map[string]string{}, keys: map[string]string{}, clientOf: map[string]string{}, marks: map[string]bool{},
		services:     map[string]oauth.Registering{"shut": oauth.Nobody, "by-token": oauth.TokenHolder, "ajar": oauth.Anybody},
		provisioning: map[string]string{}, initial: map[string]string{}, managing: map[string]string{},
	}
	for name, in := range map[string]string{"robot": "", "robot of low": "low", "robot of users": "mid", "robot of all": ""} {
		b.do(audit.UserCreate, func(ctx context.Context, c *call.Call) error {
			u, err := s.App.People.Create(ctx, c, user.New{Name: strings.ReplaceAll(name, " ", ".") + "@" + g.site.Suffix, Service: true, Org: b.org[in]})
			b.id[name], g.names[u.ID], g.people = u.ID, name, append(g.people, u.ID)
			return err
		})
	}
	b.do(audit.RoleMembers, func(ctx context.Context, c *call.Call) error {
		robot := func(name string) role.Member { return role.Member{Kind: role.User, ID: b.id[name]} }
		return errors.Join(
			s.App.Roles.Add(ctx, c, b.idOfIn(ctx, c, "users"), robot("robot of users")), s.App.Roles.Add(ctx, c, b.idOfIn(ctx, c, "helpers"), robot("robot of low")),
			s.App.Roles.Add(ctx, c, role.System, robot("robot of all")),
		)
	})
	for service, how := range g.services {
		g.serve(b, service, how)
	}
	for _, name := range []string{"anna", "ben", "carl", "strong", "member"} {
		g.stash(b, name)
	}
	g.things()
	g.everyone()
	c := s.App.Shell(g.site.ID)
	if err := c.Snapshot(t.Context(), func() error {
		for _, id := range g.people {
			u, err := s.App.People.ByID(t.Context(), c, id)
			if err != nil {
				return err
			}
			g.logins[id] = u.Name
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	g.give(b)
	g.books = g.write()
	return g
}

// give makes a token of every kind for everything, as whoever may do so would.
func (g *fair) give(b *branches) {
	admin := b.token("admin")
	result := func(path string, in any) (out struct{ ID, Token string }) {
		a := b.ask(admin, path, in)
		if err := json.Unmarshal(a.Result, &out); err != nil || !a.Success {
			b.t.Fatal(path, a, err)
		}
		return out
	}
	for _, id := range g.robots() {
		g.provisioning[result("/UserMgmt/CreateProvisioningToken", members{"ID": id, "Name": "first"}).Token] = id
	}
	for service := range g.services {
		made := result("/SaasManage/CreateInitialAccessToken", members{"ServiceName": service, "Name": "first", "Uses": 5})
		g.initial[made.Token] = made.ID
		if a := b.ask(admin, "/SaasManage/CreateClient", members{"ServiceName": service, "Metadata": members{"redirect_uris": []any{"https://client.test/back"}}}); !a.Success {
			b.t.Fatal(a)
		}
	}
	x := &turn{fair: g}
	x.registered(x.ask(http.MethodPost, "/OAuth2/Register/ajar", "", members{"redirect_uris": []any{"https://client.test/back"}}))
	for range 4 {
		ofClients["has somebody asked"](x)
	}
}

// serve makes an application that everybody may use and one of the limited administrators administers.
func (g *fair) serve(b *branches, service string, how oauth.Registering) {
	owner := b.id[map[string]string{"shut": "sider", "by-token": "desk", "ajar": "member"}[service]]
	b.do(audit.AppCreate, func(ctx context.Context, c *call.Call) error {
		it, err := g.site.App.Apps.Create(ctx, c, "Generic OpenID Connect")
		if err != nil {
			return err
		}
		g.keys[service], g.names[it.ID] = it.ID, service
		done, err := g.site.App.Apps.Update(ctx, c, it.ID, core.Change{Members: members{"ServiceName": service, "Name": service, "OAuthProfile": members{
			"AllowedAuth": "AuthorizationCode,ClientCreds,DeviceCode,CIBA", "AllowPublic": true, "ClientSecret": tokensSecret, "Registration": how,
			"Redirects": []any{"https://client.test/back"}, "KnownScopes": []any{members{"Scope": "read"}},
		}}})
		if err != nil {
			return err
		}
		g.clientOf[service] = done.Profile.ClientID
		return g.site.App.Apps.Permit(ctx, c, it.ID, acl.Given{Kind: role.Sub, Principal: role.Everybody, Mask: acl.View | core.Execute},
			acl.Given{Kind: role.User, Principal: owner, Mask: acl.View | acl.Edit})
	})
}

// round has everybody try every move of a part, in any order, and sees after each what came of it.
func (g *fair) round(players []string, moves map[string]func(*turn)) {
	type pair struct{ who, move string }
	var all []pair
	for _, who := range players {
		for _, move := range slices.Sorted(maps.Keys(moves)) {
			all = append(all, slices.Repeat([]pair{{who, move}}, max(1, often[move]))...)
		}
	}
	holds := g.look()
	for _, p := range rapid.Permutation(all).Draw(g.rt, "order") {
		if _, there := holds[p.who]; p.who != "" && !there {
			continue
		}
		g.who = p.who
		x := &turn{fair: g, power: power{who: p.who, is: holds[p.who]}, before: holds}
		if p.who == "" {
			x.power.is.held = make([]right.Held, len(g.moments()))
		}
		orgs := slices.Clone(g.orgs)
		moves[p.move](x)
		did := p.move + ": " + strings.Join(x.log, "\n\t")
		g.leaks(did, p.who, x.heard, g.books)
		if x.done {
			holds = g.settle(did, x.power, orgs, holds)
		}
	}
	g.settle("what was refused", power{is: standing{held: make([]right.Held, len(g.moments()))}}, g.orgs, holds)
}

// settle sees what came of a move.
func (g *fair) settle(did string, p power, orgs []string, before map[string]standing) map[string]standing {
	g.things()
	g.everyone()
	now := g.write()
	g.audit(did, p, g.books, now, before)
	g.books = now
	return g.judge(did, p.who, orgs, before)
}

// Nobody raises rights by what others hold for them: tokens with which clients provision and register, what devices and clients ask
// people for, SCIM, and what people keep.
func TestNobodyRaisesRightsByTokens(t *testing.T) {
	checks(t, "1")
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		n := &tally{map[string]int{}, map[string]int{}}
		defer n.tell(t, 20)
		limit := s.App.Kernel.Limit // one network tries more here than it may
		s.App.Kernel.Limit = func(*op.Call, *op.Op) *fault.Error { return nil }
		t.Cleanup(func() { s.App.Kernel.Limit = limit })
		rapid.Check(t, func(rt *rapid.T) {
			for _, part := range slices.Sorted(maps.Keys(moves)) {
				g := open(rt, t, s, n)
				g.round(append(slices.Clone(g.people[:9]), ""), moves[part])
			}
		})
	})
}
