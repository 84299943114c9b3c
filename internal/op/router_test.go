package op

import (
	"testing"

	"pgregory.net/rapid"
)

func routed(patterns ...string) *router {
	rt := &router{}
	for _, p := range patterns {
		rt.add("GET", p, &mounted{op: Op{Spec: Spec{Path: p}}})
	}
	return rt
}

func TestRouterFindsPathsAsClientsSpellThem(t *testing.T) {
	rt := routed("/Security/WhoAmI", "/OAuth2/Token/{app}", "/{app}/.well-known/openid-configuration", "/OAuth2/Token/self",
		"/files/{rest...}", "/OAuth2/{op}/{app}/x")
	for _, c := range []struct{ path, want, app string }{
		{"/Security/WhoAmI", "/Security/WhoAmI", ""},
		{"/security/whoami/", "/Security/WhoAmI", ""},
		{"//SECURITY//WHOAMI", "/Security/WhoAmI", ""},
		{"/oauth2/token/MyApp", "/OAuth2/Token/{app}", "MyApp"},
		{"/OAuth2/TOKEN/Self", "/OAuth2/Token/self", ""},
		{"/MyApp/.well-known/openid-configuration", "/{app}/.well-known/openid-configuration", "MyApp"},
		{"/OAuth2/Token/MyApp/x", "/OAuth2/{op}/{app}/x", "MyApp"},
		{"/files/a/B/c", "/files/{rest...}", ""},
		{"/files", "", ""},
		{"/Security", "", ""},
		{"/Security/WhoAmI/more", "", ""},
		{"", "", ""},
	} {
		at, values := rt.find(c.path)
		got := ""
		if at != nil {
			got = at.by["GET"].op.Path
		}
		if got != c.want || values["app"] != c.app {
			t.Errorf("find(%q) = %q %v, want %q app %q", c.path, got, values, c.want, c.app)
		}
		if c.path == "/files/a/B/c" && values["rest"] != "a/B/c" {
			t.Errorf("rest = %q", values["rest"])
		}
	}
}

func TestRouterRefusesTwoOperationsAtOnePlace(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Fatal("no panic")
		}
	}()
	routed("/a/b", "/A/B/")
}

func TestFoldPathIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.StringMatching(`[/aAzZ0{}.\x80é-]{0,12}`).Draw(t, "p")
		f := foldPath(p)
		if foldPath(f) != f {
			t.Fatalf("foldPath(%q) = %q, again %q", p, f, foldPath(f))
		}
	})
}

func FuzzRouter(f *testing.F) {
	rt := routed("/a", "/{x}/b", "/a/{y}/{z...}", "/{x}/{y}/c")
	f.Add("/a")
	f.Add("/a/b/c/d")
	f.Fuzz(func(t *testing.T, p string) {
		if at, values := rt.find(p); at != nil && at.by["GET"] == nil {
			t.Fatal(p, values)
		}
	})
}

// Patterns that end at the same place may call its values by names of their own: each method's operation finds its own.
func TestRouterKeepsTheNamesOfEachPattern(t *testing.T) {
	rt := &router{}
	rt.add("GET", "/people/{id}", &mounted{})
	rt.add("DELETE", "/people/{ids}", &mounted{})
	if _, values := rt.find("/people/7"); values["id"] != "7" || values["ids"] != "7" {
		t.Errorf("the values are %v", values)
	}
}
