// Package directories is the RPC dialect's operations on directory services, and the search for people, groups and roles
// across them (directories.yaml).
package directories

import (
	"context"

	"limen/internal/core/directory"
	"limen/internal/core/role"
	"limen/internal/core/setting"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/identity/page"
	"limen/internal/wire/rpc"
)

// Directories are the operations.
type Directories struct {
	People   *user.Directory
	Roles    *role.Roles
	Settings *setting.Store
}

// Faults of this surface.
var (
	ErrService = fault.New(fault.NotFound, "directory.service", "The requested data or its dependent data was not found in the service.")
	ErrQuery   = fault.New(fault.Invalid, "directory.query", "The query could not be read.")
)

// Ops declares them.
func (d Directories) Ops() []op.Op {
	return []op.Op{
		op.New(op.Spec{Path: "/Core/GetDirectoryServices", Methods: []string{"GET"}, Allow: op.Authenticated, Effect: op.Cached}, d.GetDirectoryServices),
		op.New(op.Spec{
			Path: "/UserMgmt/DirectoryServiceQuery", Allow: op.Authenticated, Effect: op.Read,
			Faults: []*fault.Error{ErrService, ErrQuery, fault.ErrMissing, fault.ErrInvalid},
		}, d.DirectoryServiceQuery),
	}
}

// Listing asks for the directory services.
type Listing struct {
	// Args is taken and not needed: there are few.
	Args page.Args `json:"Args"`
}

var serviceColumns = []rpc.Column{
	{Name: "Service"}, {Name: "Name"}, {Name: "Config"}, {Name: "DisplayName"}, {Name: "DisplayNameShort"}, {Name: "Description"},
	{Name: "Status"}, {Name: "StatusDisplay"}, {Name: "Everybody", Type: rpc.TypeBool}, {Name: "Tenant"},
	{Name: "directoryServiceUuid", TableKey: "Primary"},
}

// GetDirectoryServices lists the directory services that people, groups and roles come from: the cloud directory, which is
// the built-in one, and the federated directory.
//
// Nobody comes from the federated directory; it is there because clients want to find it, and its Status is Inactive.
// directories.yaml n 249.
func (d Directories) GetDirectoryServices(_ context.Context, c *op.Call, _ Listing) (rpc.Query, error) {
	out := rpc.Query{Columns: serviceColumns, Results: []rpc.Row{}}
	for _, s := range directory.Services() {
		status, shown := "Active", "Online"
		if !s.Active {
			status, shown = "Inactive", "Offline"
		}
		out.Results = append(out.Results, rpc.Row{
			Entities: []rpc.Entity{{Type: "DirectoryServices", Key: s.ID}},
			Row:      []any{s.Kind, s.Kind, s.Name, s.Name, s.Name, s.Name, status, shown, s.Active, c.Tenant.ID, s.ID},
		})
	}
	out.FullCount = len(out.Results)
	return out, nil
}
