package workspace

import (
	"testing"

	"limen/internal/core/right"
)

func TestSubdomainsAreLabels(t *testing.T) {
	for name, want := range map[string]string{"Nord": "nord", "Süd & Ost 2": "s-d-ost-2", "  -- ": "", "日本": ""} {
		w := Workspace{ID: "x", Name: name}
		if want == "" {
			want = w.Hash()
		}
		if got := w.Subdomain(); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
}

// Every permission can be read, and what a right opens over one organization it opens over those below, and over no other.
func TestPermissionsAreRightsOverTheWorkspace(t *testing.T) {
	held := right.Held{Tree: right.Tree{"nord": "", "ost": "nord", "sued": ""}}
	held.Add("nord", right.Of(right.ReadUsers))
	for _, p := range Permissions {
		if len(p.Levels[Read]) == 0 {
			t.Errorf("%s cannot be read", p.Name)
		}
	}
	for at, want := range map[string]bool{"nord": true, "ost": true, "sued": false, "": false} {
		if got := Holds(held, at, "settings_users:read"); got != want {
			t.Errorf("over %q the right to read people gives %v, want %v", at, got, want)
		}
		for _, no := range []string{"settings_users:create", "settings_roles", "settings_roles:read", "settings_users:execute", "nothing", "settings_users:"} {
			if Holds(held, at, no) {
				t.Errorf("over %q the right to read people gives %s", at, no)
			}
		}
	}
	held.Tenant = right.Of(right.System)
	if !Holds(held, "sued", "settings_roles:delete") {
		t.Error("a system administrator lacks a permission")
	}
}
