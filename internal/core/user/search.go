package user

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/directory"
	"limen/internal/core/grant"
)

// fields are what queries over the directory may name (directories.yaml, query_language, user_fields). People have no given
// name and surname of their own, so nobody is found by them.
var fields = directory.Fields{
	"systemname": directory.Key("name_key"), "displayname": directory.Key("display_key"), "email": directory.Key("mail_key"),
	"internalname": directory.ID("id"), "_id": directory.ID("id"), "objecttype": directory.Constant("User"),
}

// Search gives a page of the users that a query finds within the grant, and how many there are on all pages. s.Sort is a
// Sort, or empty.
func (d *Directory) Search(ctx context.Context, c *call.Call, g grant.Grant, s directory.Search) ([]Listed, int64, error) {
	if g.Nothing() {
		return nil, 0, nil
	}
	return directory.Rows(ctx, c.Tx, list, fields, Allowed(c, g), string(ByNames), s, c.Tenant.ID)
}
