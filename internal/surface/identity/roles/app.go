package roles

import (
	"context"

	"limen/internal/core/app"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

var appColumns = []rpc.Column{
	{Name: "ID", IsHidden: true, TableKey: "Primary"}, {Name: "Name", TableKey: "Alternate"}, {Name: "Description"}, {Name: "AppType"},
	{Name: "AppTypeDisplayName"}, {Name: "Icon"}, {Name: "Version"}, {Name: "IsMarketplaceApp", Type: rpc.TypeBool},
}

// GetRoleApps lists the applications that a role has been given to use, by name: those on which it has the right Execute by an
// entry of theirs, or of a set that they are in. Version is null, and IsMarketplaceApp false. roles.yaml n 165.
func (r Roles) GetRoleApps(ctx context.Context, c *op.Call, in RightsRef) (rpc.Query, error) {
	apps, err := r.Apps.OfRole(ctx, c, in.found.ID)
	out := rpc.Query{Columns: appColumns, FullCount: len(apps), Results: []rpc.Row{}}
	for _, it := range apps {
		out.Results = append(out.Results, rpc.Row{
			Entities: []rpc.Entity{{Type: app.Table, Key: it.ID}},
			Row:      []any{it.ID, it.Name, it.Description, it.Kind, app.KindLabel(it.Kind, it.Type), it.Icon(), nil, false},
		})
	}
	return out, err
}
