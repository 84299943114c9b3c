package proofing_test

import (
	"testing"

	"limen/internal/app/apptest"
)

func TestMain(m *testing.M) { apptest.Main(m) }

// TestExchanges has gina and hans wait for plain to approve them, where that is what the exchanges are about.
func TestExchanges(t *testing.T) {
	apptest.Exchanges(t, "testdata", func(t *testing.T, s *apptest.Site, name string) map[string]string {
		vars := map[string]string{}
		if name != "GetIdentityProofingInfo" && name != "UpdateUserSignUpStatus" {
			return vars
		}
		d := opened(t, s)
		d.setup(map[string]any{
			"IdentityProofingEnabled": true, "Provider": "Ours", "Script": judging, "ApprovalWorkflowEnabled": true, "LinkToProInsight": true,
			"Approvers": []any{map[string]any{"Type": "User", "Guid": s.Plain.ID}},
		})
		vars["gina"] = d.must("gina", nil)
		d.must("hans", nil)
		c := s.App.Shell(s.ID)
		if err := c.Snapshot(t.Context(), func() error {
			j, err := s.App.Flows.SignUpOf(t.Context(), c, vars["gina"])
			vars["job"] = j.ID
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return vars
	})
}
