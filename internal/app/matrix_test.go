package app_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"limen/internal/app"
	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/right"
	"limen/internal/op"
)

func caller(h right.Held) *op.Call { return &op.Call{Caller: &call.Caller{User: "me", Held: h}} }

// TestRulesMatrix evaluates every operation's rule for nobody, a plain user, the holder of each single right, the
// administrator of another organization, and a system administrator.
func TestRulesMatrix(t *testing.T) {
	someone := op.Target{ID: "someone", Org: "theirs"}
	for _, s := range app.Catalogue() {
		for _, o := range s.Ops {
			rule := o.Allow.String()
			if o.Allow.Open() {
				continue
			}
			if !o.Allow.Decide(&op.Call{}, someone).Nothing() {
				t.Errorf("%s: nobody passes %q", o.Path, rule)
			}
			plain := o.Allow.Decide(caller(right.Held{}), someone)
			if plain.Everything() || plain.Allows(someone.ID, someone.Org) {
				t.Errorf("%s: a plain user may act on others by %q", o.Path, rule)
			}
			for _, i := range right.All() {
				g := o.Allow.Decide(caller(right.Held{Tenant: right.Of(i.Right)}), someone)
				if named := strings.Contains(rule, "right "+i.Name); g.Allows(someone.ID, someone.Org) != named {
					t.Errorf("%s: the holder of %q gets %+v by %q", o.Path, i.Name, g, rule)
				}
				g = o.Allow.Decide(caller(right.Held{Orgs: map[string]right.Set{"mine": right.Of(i.Right)}}), someone)
				if g.Allows(someone.ID, someone.Org) {
					t.Errorf("%s: an administrator of another organization acts on someone by %q", o.Path, rule)
				}
			}
			if o.Allow.Decide(caller(right.Held{Tenant: right.Of(right.System)}), someone).Nothing() && rule != "oneself" && rule != op.Authenticated.String() {
				t.Errorf("%s: a system administrator is refused by %q", o.Path, rule)
			}
		}
	}
}

// junk are bodies that no operation may fall over.
var junk = []string{
	``, `{}`, `null`, `[]`, `[[]]`, `""`, `{"ID":null}`, `{"ID":[]}`, `{"ID":{"a":1}}`, `{"ID":"` + strings.Repeat("x", 5000) + `"}`,
	`{"ID":"00000000-0000-0000-0000-000000000000","Name":"x","Users":[1,2],"Uuid":"y","state":"maybe","Script":"SELECT"}`,
	`{"ID":"nobody@nowhere","user":"nobody@nowhere","lockuser":"perhaps","alias":"..","Table":"t","Entities":[{"Type":"User"}]}`,
	`{'ID':'it''s','Args':{'PageNumber':'-1','PageSize':'zzz'}}`, `{"ID":"a\u0000b"}`, "\xff\xfe\x00", `{"a":` + strings.Repeat(`[`, 200),
	`<xml/>`, `ID=1&ID=2`,
}

// TestNoInputIsA500 plays junk at every operation, as nobody, a plain user and an administrator.
func TestNoInputIsA500(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		for _, surface := range s.App.Surfaces() {
			for _, o := range surface.Ops {
				for _, who := range []string{"nobody", "plain", "admin"} {
					for _, body := range junk {
						status, answer := play(t, site, o, who, body)
						if status >= 500 {
							t.Errorf("%s %s as %s with %.60q: %d %s", o.Method, o.Path, who, body, status, answer)
						}
						if who == "nobody" && !o.Allow.Open() && status != http.StatusUnauthorized {
							t.Errorf("%s %s: nobody gets %d %s", o.Method, o.Path, status, answer)
						}
					}
				}
			}
		}
	})
}

// TestAnotherTenantsSessionIsRefused plays the token of another tenant's administrator at every operation.
func TestAnotherTenantsSessionIsRefused(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		for _, surface := range s.App.Surfaces() {
			for _, o := range surface.Ops {
				if o.Allow.Open() {
					continue
				}
				if status, answer := play(t, site, o, "other", `{"ID":"`+site.Admin.ID+`"}`); status != http.StatusUnauthorized {
					t.Errorf("%s %s: %d %s", o.Method, o.Path, status, answer)
				}
			}
		}
	})
}

func play(t *testing.T, site *apptest.Site, o op.Op, who, body string) (int, string) {
	t.Helper()
	path := o.Path
	for i := strings.IndexByte(path, '{'); i >= 0; i = strings.IndexByte(path, '{') {
		path = path[:i] + "x" + path[strings.IndexByte(path, '}')+1:]
	}
	r, err := http.NewRequestWithContext(t.Context(), o.Method, site.URL+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = site.Host
	r.Header.Set("Content-Type", "application/json")
	if token := site.TokenOf(t, who); token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := site.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 300))
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, fmt.Sprintf("%.300s", b)
}
