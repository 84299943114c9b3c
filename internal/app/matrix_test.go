package app_test

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"limen/internal/app"
	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/org"
	"limen/internal/core/right"
	"limen/internal/op"
)

func caller(h right.Held) *op.Call { return &op.Call{Caller: &call.Caller{User: "me", Held: h}} }

// The tree of organizations of the matrix is parent, this below it, child below that, and foreign beside them. A call is
// about someone in this.
var someone = op.Target{ID: "someone", Org: "this"}

// administering is what the administrator of organizations holds, with those below.
func administering(orgs ...string) right.Held {
	h := right.Held{}
	for _, id := range orgs {
		h.Add(id, org.Default())
	}
	return h
}

var administrators = []struct {
	of   string
	held right.Held
}{
	{"this", administering("this", "child")}, {"parent", administering("parent", "this", "child")},
	{"child", administering("child")}, {"foreign", administering("foreign")},
}

// about is the target of an operation's call: someone, or nobody when it is about no single object.
func about(o op.Op) op.Target {
	if _, ok := reflect.New(o.In).Interface().(op.Targeted); ok {
		return someone
	}
	return op.Target{}
}

// cell writes what a decision allows: - nothing, all, yes the one that the call is about, own one's own, else the
// organizations.
func cell(g grant.Grant, t op.Target) string {
	switch {
	case g.Nothing():
		return "-"
	case g.Everything():
		return "all"
	case t.ID != "" && g.Allows(t.ID, t.Org):
		return "yes"
	case t.ID == "" && len(g.Orgs()) > 0:
		return strings.Join(g.Orgs(), "+")
	}
	return "own"
}

// TestRulesMatrix evaluates every operation's rule for nobody, a plain user, oneself, the holder of each single right, the
// administrator of this, a parent, a child and a foreign organization, somebody of another tenant, and a system
// administrator. The table is golden: a changed permission is a changed line.
func TestRulesMatrix(t *testing.T) {
	lines := []string{"operation\tnobody\tplain\toneself\trights over the tenant\tsystem\tthis\tparent\tchild\tforeign\tother tenant"}
	for _, s := range app.Catalogue() {
		for _, o := range s.Ops {
			lines = append(lines, row(o))
			if !o.Allow.Open() {
				sound(t, o)
			}
		}
	}
	slices.Sort(lines[1:])
	golden(t, "testdata/matrix.tsv", strings.Join(lines, "\n")+"\n")
}

// row is an operation's line of the matrix.
func row(o op.Op) string {
	target := about(o)
	decide := func(c *op.Call, at op.Target) string { return cell(o.Allow.Decide(c, at), at) }
	self := target
	if target.ID != "" {
		self = op.Target{ID: "me", Org: "elsewhere"}
	}
	var rights []string
	for _, i := range right.All() {
		if o.Allow.Decide(caller(right.Held{Tenant: right.Of(i.Right)}), target).Everything() {
			rights = append(rights, i.Name)
		}
	}
	if len(rights) == len(right.All()) {
		rights = []string{"any"}
	}
	out := []string{
		o.Method + " " + o.Path, decide(&op.Call{}, target), decide(caller(right.Held{}), target), decide(caller(right.Held{}), self),
		cmp.Or(strings.Join(rights, ", "), "-"), decide(caller(right.Held{Tenant: right.Of(right.System)}), target),
	}
	for _, a := range administrators {
		out = append(out, decide(caller(a.held), target))
	}
	if o.Allow.Open() {
		return strings.Join(append(out, "as nobody"), "\t")
	}
	return strings.Join(append(out, "401"), "\t") // before any rule: TestAnotherTenantsSessionIsRefused
}

// sound holds what is so for every operation that asks who calls.
func sound(t *testing.T, o op.Op) {
	t.Helper()
	rule := o.Allow.String()
	if !o.Allow.Decide(&op.Call{}, someone).Nothing() {
		t.Errorf("%s: nobody passes %q", o.Path, rule)
	}
	plain := o.Allow.Decide(caller(right.Held{}), someone)
	if plain.Everything() || plain.Allows(someone.ID, someone.Org) {
		t.Errorf("%s: a plain user may act on others by %q", o.Path, rule)
	}
	for _, i := range right.All() {
		g := o.Allow.Decide(caller(right.Held{Tenant: right.Of(i.Right)}), someone)
		if named := strings.Contains(rule, "right "+i.Name) || strings.Contains(rule, op.Administrator.String()); g.Allows(someone.ID, someone.Org) != named {
			t.Errorf("%s: the holder of %q gets %+v by %q", o.Path, i.Name, g, rule)
		}
		for org, reaches := range map[string]bool{"this": true, "child": false, "parent": false, "foreign": false} {
			g := o.Allow.Decide(caller(right.Held{Orgs: map[string]right.Set{org: right.Of(i.Right)}}), someone)
			if g.Everything() || g.Allows(someone.ID, someone.Org) && !reaches {
				t.Errorf("%s: who holds %q over %s only acts on someone in this by %q", o.Path, i.Name, org, rule)
			}
		}
	}
	if o.Allow.Decide(caller(right.Held{Tenant: right.Of(right.System)}), someone).Nothing() && rule != "oneself" && rule != op.Authenticated.String() {
		t.Errorf("%s: a system administrator is refused by %q", o.Path, rule)
	}
}

// golden compares a text with a file, which -update writes.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got), go test -run Matrix -update writes it anew:\n%s", file, diff)
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
