package role

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/directory"
	"limen/internal/core/grant"
	"limen/internal/core/scope"
	"limen/internal/dbx"
)

// fields are what queries over the directory may name (directories.yaml, query_language, roles_fields).
var fields = directory.Fields{"name": directory.Key("name_key"), "_id": directory.ID("id", Everybody)}

var listed = dbx.L[Role]("role.search", `SELECT `+columns+` FROM role WHERE tenant = ?`).By("name_key")

// Search gives a page of the roles that a query finds within the grant, and how many there are on all pages.
func (r *Roles) Search(ctx context.Context, c *call.Call, g grant.Grant, s directory.Search) ([]Role, int64, error) {
	if g.Nothing() {
		return nil, 0, nil
	}
	return directory.Rows(ctx, c.Tx, listed, fields, scope.Allowed(g, c.Tenant.ID, "org", "id"), "name_key", s, c.Tenant.ID)
}
