package oauth_test

import (
	"testing"

	"limen/internal/core/oauth"
	wire "limen/internal/wire/oauth"
)

// TestReaches wants expressions to match whole paths, and a path with a star to match all that begins so.
func TestReaches(t *testing.T) {
	for _, x := range []struct {
		pattern, path string
		want          bool
	}{
		{"scim*", "/scim/v2/Users", true}, {"scim*", "/SCIM/Users/{id}", true}, {"/scim*", "/scim/Me", true}, {"scim*", "/CDirectoryService/GetUsers", false},
		{"scim*", "/x/scim/Users", false}, {"Security/WhoAmI", "/Security/WhoAmI", true}, {"Security/WhoAmI", "/Security/WhoAmIElse", false},
		{"Security/.*", "/Security/WhoAmI", true}, {"(Security|scim)*", "/scim/Users", false}, {"sci.*", "/scim/Users", true}, {"[", "/scim/Users", false},
		{"*", "/scim/Users", false}, {"", "/scim/Users", false}, {"scim/*", "/scim/Users", false},
	} {
		p := oauth.Profile{Scopes: []oauth.Scope{{Name: "scim", Paths: []string{x.pattern}}}}
		if got := p.Reaches(wire.Scope{"scim"}, x.path); got != x.want {
			t.Errorf("%s reaches %s: %v", x.pattern, x.path, got)
		}
		if p.Reaches(wire.Scope{"other"}, x.path) {
			t.Error("another scope reaches", x.path)
		}
	}
}
