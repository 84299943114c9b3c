package workflows_test

import (
	"context"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/app"
	"limen/internal/core/audit"
	"limen/internal/core/workflow"
)

// page makes an application that nobody may use, whose access can be asked for: approvers is the JSON of the list.
func page(t *testing.T, s *apptest.Site, name, approvers string) (out app.App) {
	t.Helper()
	s.Do(t, audit.AppCreate, func(ctx context.Context, c *call.Call) error {
		it, err := s.App.Apps.Create(ctx, c, "Generic Bookmark")
		if err != nil {
			return err
		}
		out, err = s.App.Apps.Update(ctx, c, it.ID, app.Change{Members: map[string]any{
			"Name": name, "DisplayName": name, "Url": "https://" + name + ".example.com/", "WorkflowEnabled": true, "WorkflowSettings": `{"WorkflowApprover":` + approvers + `}`,
		}})
		return err
	})
	return out
}

func byPerson(id string) string { return `[{"Type":"User","Guid":"` + id + `"}]` }

// TestExchanges has two applications in every tenant: wiki, whose administrator approves, and closed, which takes no requests. In the
// exchanges about jobs plain has asked for wiki already: {{job}}.
func TestExchanges(t *testing.T) {
	apptest.Exchanges(t, "testdata", func(t *testing.T, s *apptest.Site, name string) map[string]string {
		wiki := page(t, s, "wiki", byPerson(s.Admin.ID))
		page(t, s, "closed", `[]`)
		vars := map[string]string{"wiki": wiki.ID}
		if name == "StartJob" || name == "GetRequestableApps" {
			return vars
		}
		s.Do(t, audit.WorkflowRequest, func(ctx context.Context, c *call.Call) (err error) {
			c.Caller = &call.Caller{User: s.Plain.ID, Name: s.Plain.Name}
			vars["job"], err = s.App.Flows.Start(ctx, c, workflow.Request{App: "wiki", Reason: "To write the handbook."})
			return err
		})
		return vars
	})
}
