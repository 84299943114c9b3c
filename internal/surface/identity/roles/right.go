package roles

import (
	"context"
	"strings"
	"time"

	"limen/internal/core/audit"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/identity/page"
	"limen/internal/wire/rpc"
)

// RoleRight is a right of a role.
type RoleRight struct {
	// Role is the role's id, or its name; required.
	Role string `json:"Role" also:"RoleId"`
	// Path is the right, such as /lib/rights/reportman.json or ServiceRight/<name>; required.
	Path string `json:"Path"`
	Window
}

// RoleRights are rights of roles.
type RoleRights struct {
	// Rights are the rights, at least one and at most 1000; a bare array and a single object are taken too.
	Rights []RoleRight `json:"Rights" rpc:"array,one"`
}

// Check wants some.
func (n *RoleRights) Check() error {
	if len(n.Rights) == 0 {
		return fault.Missing("Role")
	}
	if len(n.Rights) > maxEntries {
		return ErrMany.Say("At most %d rights can be named in one call.", maxEntries)
	}
	for _, x := range n.Rights {
		if err := required("Role", x.Role); err != nil {
			return err
		}
		if err := required("Path", x.Path); err != nil {
			return err
		}
	}
	return nil
}

// each runs f once for every role that is named, in the order of their first naming, each with an event.
func (r Roles) each(ctx context.Context, c *op.Call, in []RoleRight, f func(is role.Role, rights []RoleRight) error) error {
	event := c.Event
	defer func() { c.Event = event }()
	var order []role.Role
	of := map[string][]RoleRight{}
	for _, x := range in {
		is, err := r.within(ctx, c, x.Role)
		if err != nil {
			return err
		}
		if of[is.ID] == nil {
			order = append(order, is)
		}
		of[is.ID] = append(of[is.ID], x)
	}
	for i, is := range order {
		if i > 0 {
			c.Event = c.Record(audit.RoleRights)
		}
		if err := f(is, of[is.ID]); err != nil {
			return err
		}
	}
	return nil
}

// AssignSuperRights gives administrative rights to roles; one that a role carries already gets the new times.
//
// From and Until limit a right in time, and it ends by itself. Callers give rights only that they hold themselves where the
// role gives them, and for no longer than they do. The rights of a role of an organization reach over that and all below
// it. Errors: role.not_found, role.right when a path is none, role.right_not_held, role.built_in for System Administrator,
// which has every right. roles.yaml n 153, deprecated.yaml n 522.
func (r Roles) AssignSuperRights(ctx context.Context, c *op.Call, in RoleRights) (op.None, error) {
	return op.None{}, r.each(ctx, c, in.Rights, func(is role.Role, rights []RoleRight) error {
		var gs []role.Given
		for _, x := range rights {
			gs = append(gs, role.Given{
				Path: strings.TrimSpace(x.Path), Since: x.From.Or(time.Time{}), Until: x.Until.Or(time.Time{}), Reason: strings.TrimSpace(x.Reason),
			})
		}
		return r.Roles.Assign(ctx, c, is.ID, gs...)
	})
}

// UnAssignSuperRights takes administrative rights from roles; one that a role does not carry is no error.
//
// Callers take rights only that they hold themselves. Errors: as AssignSuperRights. roles.yaml n 154, deprecated.yaml
// n 525.
func (r Roles) UnAssignSuperRights(ctx context.Context, c *op.Call, in RoleRights) (op.None, error) {
	return op.None{}, r.each(ctx, c, in.Rights, func(is role.Role, rights []RoleRight) error {
		var paths []string
		for _, x := range rights {
			paths = append(paths, strings.TrimSpace(x.Path))
		}
		return r.Roles.Unassign(ctx, c, is.ID, paths...)
	})
}

// RightsRef names the role whose rights are wanted.
type RightsRef struct {
	// Role is the role's id, or its name; required.
	Role string `json:"Role" also:"Name,ID"`
	// Args say which page.
	Args page.Args `json:"Args"`
	named
}

// Check wants the role to be named.
func (n *RightsRef) Check() error { return required("Role", n.Role) }

// Resolve finds the role.
func (n *RightsRef) Resolve(ctx context.Context, c *op.Call) error { return n.find(ctx, c, n.Role) }

var rightColumns = []rpc.Column{
	{Name: "Description"}, {Name: "Path", TableKey: "Primary"}, {Name: "ServiceName"}, {Name: "Scope"},
	{Name: "From", Type: rpc.TypeDate}, {Name: "Until", Type: rpc.TypeDate}, {Name: "Reason"}, {Name: "GrantedBy"},
}

// GetAssignedAdministrativeRights lists the administrative rights of a role, by path.
//
// System Administrator has all of them. Scope is the path of the organization that they reach over, null everywhere. From
// and Until are null where there is no bound; rights that begin later are listed, rights that have ended are not.
// roles.yaml n 157.
func (r Roles) GetAssignedAdministrativeRights(ctx context.Context, c *op.Call, in RightsRef) (rpc.Query, error) {
	rows, err := r.rightsOf(ctx, c, in.found)
	if err != nil {
		return rpc.Query{}, err
	}
	path, err := r.Orgs.Paths(ctx, c)
	if err != nil {
		return rpc.Query{}, err
	}
	out := rpc.Query{Columns: rightColumns, FullCount: len(rows), Results: []rpc.Row{}}
	size := in.Args.Size(role.MaxPage)
	first := min((in.Args.Number()-1)*size, len(rows))
	for _, x := range rows[first:min(first+in.Args.Rows(role.MaxPage), len(rows))] {
		out.Results = append(out.Results, rightRow(x, path(in.found.Org)))
	}
	return out, nil
}

func (r Roles) rightsOf(ctx context.Context, c *op.Call, is role.Role) (out []role.Listed, err error) {
	if is.ID != role.System {
		return r.Roles.RightsOf(ctx, c, is.ID)
	}
	for _, i := range right.All() {
		out = append(out, role.Listed{Path: i.Path})
	}
	return out, nil
}

func rightRow(x role.Listed, scope string) rpc.Row {
	name, service := right.Parse(x.Path).Info().Name, any(nil)
	if rest, ok := strings.CutPrefix(x.Path, "ServiceRight/"); ok {
		name, service = rest, rest
	}
	return rpc.Row{Entities: []rpc.Entity{}, Row: []any{name, x.Path, service, text(scope), date(x.Since), date(x.Until), text(x.Reason), text(x.Granter)}}
}

// text is a text, nothing when empty.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// date is a stored time, nothing when 0.
func date(ms int64) any {
	if ms == 0 {
		return nil
	}
	return time.UnixMilli(ms)
}
