package app

import (
	"testing"

	"limen/internal/core/dynamic"
	"limen/internal/core/role"
)

// TestPassesAreBulk wants what judges everybody to leave half of the time to single changes, and children to hear of the roles that
// matter alone.
func TestPassesAreBulk(t *testing.T) {
	for _, pass := range []bool{true, false} {
		in := forChild(dynamic.Batch{
			Tenant: "T", Script: "return true", Pass: pass, People: []dynamic.Person{{ID: "p", Roles: []string{"held"}}},
			Roles: []role.Role{{ID: "held", Name: "Held"}, {ID: "other", Name: "Other"}, {ID: "clever", Name: "Clever", Kind: role.Dynamic}},
		})
		if in.Bulk != pass || in.Tenant != "T" {
			t.Errorf("a pass %v is bulk %v, of %s", pass, in.Bulk, in.Tenant)
		}
		if len(in.Roles) != 2 || in.Roles[0].ID != "held" || !in.Roles[1].Dynamic {
			t.Errorf("%+v", in.Roles)
		}
	}
}
