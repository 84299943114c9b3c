package grant

import "testing"

func TestAllows(t *testing.T) {
	tree := map[string]string{"o1": "", "o2": "o1", "o3": "o2"}
	for _, c := range []struct {
		g        Grant
		row, org string
		want     bool
	}{
		{Grant{}, "u1", "o1", false},
		{Grant{}, "", "", false},
		{All(), "u1", "", true},
		{Orgs(nil, "o2", "o1"), "u1", "o1", true},
		{Orgs(nil, "o1"), "u1", "", false},
		{Orgs(nil, "o1"), "u1", "o3", false},
		{Rows("u2", "u1"), "u1", "", true},
		{Rows("u1"), "u2", "o1", false},
		{Rows("u1").Or(Orgs(nil, "o1")), "u2", "o1", true},
		{Rows("u1").Or(All()), "u9", "", true},
		{Rows(""), "", "", false},
		{Orgs(tree, "o1"), "u1", "o3", true},
		{Orgs(tree, "o2"), "u1", "o1", false},
		{Orgs(tree, "o3").Or(Rows("u9")), "u1", "o1", false},
		{Rows("u9").Or(Orgs(tree, "o2")), "u1", "o3", true},
		{Orgs(map[string]string{"a": "b", "b": "a"}, "c"), "u1", "a", false},
	} {
		if got := c.g.Allows(c.row, c.org); got != c.want {
			t.Errorf("%+v.Allows(%q, %q) = %v", c.g, c.row, c.org, got)
		}
	}
	if !(Grant{}).Nothing() || All().Nothing() || Rows("x").Nothing() {
		t.Error("Nothing")
	}
}
