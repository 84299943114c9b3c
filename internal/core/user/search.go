package user

import (
	"context"
	"maps"

	"limen/internal/call"
	"limen/internal/core/detail"
	"limen/internal/core/directory"
	"limen/internal/core/grant"
	"limen/internal/dbx"
)

// fields are what queries over the directory may name (directories.yaml, query_language, user_fields), besides the parts of a name.
var fields = directory.Fields{
	"systemname": directory.Key("name_key"), "displayname": directory.Key("display_key"), "email": directory.Key("mail_key"),
	"internalname": directory.ID("id"), "_id": directory.ID("id"), "objecttype": directory.Constant("User"),
}

// parts are the fields of the parts of a name, for those of whom they are on record.
var parts = map[string]detail.Kind{"givenname": detail.Given, "sn": detail.Family}

// searched are all fields of the call's tenant.
func searched(c *call.Call) directory.Fields {
	out := maps.Clone(fields)
	for name, kind := range parts {
		out[name] = func(like bool, value string) dbx.Clause {
			return detail.Having(c, "id", kind, directory.Key(detail.Key)(like, value))
		}
	}
	return out
}

// Search gives a page of the users that a query finds within the grant, and how many there are on all pages. s.Sort is a
// Sort, or empty.
func (d *Directory) Search(ctx context.Context, c *call.Call, g grant.Grant, s directory.Search) ([]Listed, int64, error) {
	if g.Nothing() {
		return nil, 0, nil
	}
	return directory.Rows(ctx, c.Tx, list, searched(c), Allowed(c, g), string(ByNames), s, c.Tenant.ID)
}
