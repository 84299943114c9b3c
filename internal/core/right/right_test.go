package right

import "testing"

func TestParse(t *testing.T) {
	for _, i := range All() {
		if Parse(i.Path) != i.Right || Parse(i.Name) != i.Right {
			t.Errorf("%+v is not found by its path or name", i)
		}
	}
	if Parse("/LIB/rights/DSMAN.json") != UserManagement || Parse("") != None || Parse("System Administration") != None {
		t.Error("case, empty text, or a right that no role may carry")
	}
}

func TestHeld(t *testing.T) {
	h := Held{Tenant: Of(ReadUsers), Orgs: map[string]Set{"o1": Of(UserManagement)}}
	if !h.Everywhere(ReadUsers) || h.Everywhere(UserManagement) || len(h.In(UserManagement)) != 1 {
		t.Error(h)
	}
	if !(Held{Tenant: Of(System)}).Everywhere(RoleManagement) {
		t.Error("a system administrator holds every right")
	}
}

func TestReach(t *testing.T) {
	if got := Of(UserManagement).Reach(); got != Of(UserManagement, ReadUsers, PasswordReset, UserActivation, AdminPortal) {
		t.Error(got.Rights())
	}
	if got := Of(ReadUsers).Reach(); got.Has(UserManagement) {
		t.Error("reading is not managing")
	}
	if Of().Reach() != 0 || !Of(System).Reach().Has(VaultManagement) {
		t.Error("nothing reaches nothing, a system administrator everything")
	}
}

func TestCovers(t *testing.T) {
	over := func(org string, rs ...Right) Held { return Held{Orgs: map[string]Set{org: Of(rs...)}} }
	for _, x := range []struct {
		h, o Held
		want bool
	}{
		{Held{}, Held{}, true},
		{over("a", UserManagement), over("a", ReadUsers), true},
		{over("a", UserManagement), over("a", MfaUnlock), false},
		{over("a", UserManagement), over("b", ReadUsers), false},
		{over("a", UserManagement), Held{Tenant: Of(ReadUsers)}, false},
		{Held{Tenant: Of(UserManagement)}, over("b", ReadUsers, UserManagement), true},
		{Held{Tenant: Of(System)}, over("b", VaultManagement), true},
		{over("a", UserManagement).And(over("b", RoleManagement)), over("b", ReadRoles), true},
	} {
		if x.h.Covers(x.o) != x.want {
			t.Errorf("%+v covers %+v: want %v", x.h, x.o, x.want)
		}
	}
	if len(over("a", ReadUsers).Somewhere()) != 1 || over("a").Somewhere() != nil || over("a", MfaUnlock).Over(MfaUnlock, "") || !over("a", MfaUnlock).Over(MfaUnlock, "a") {
		t.Error("Somewhere, Over")
	}
}
