package synerise

import (
	"context"
	"slices"
	"strings"

	"limen/internal/core/number"
	"limen/internal/core/org"
	"limen/internal/core/workspace"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/synerise"
)

// Here makes an operation one about the workspace of the caller's token: its rule counts the rights that are held over it. Inputs embed
// it; one that finds more calls Find in a Resolve of its own.
type Here struct{ at org.Org }

// Resolve finds the workspace.
func (h *Here) Resolve(ctx context.Context, c *op.Call) error { return h.Find(ctx, c) }

// Find finds the workspace.
func (h *Here) Find(ctx context.Context, c *op.Call) (err error) {
	h.at, err = workspace.Current(ctx, c)
	return err
}

// Target is the workspace.
func (h *Here) Target() op.Target { return op.Target{ID: h.at.ID, Org: h.at.ID} }

// Workspace is the workspace.
func (h *Here) Workspace() org.Org { return h.at }

// May is the rule of a permission at a level: whoever holds one of its rights over the workspace, or over everything. The same rights
// open the same operations at every other surface.
func May(permission string, level workspace.Level) op.Rule {
	p, ok := workspace.Find(permission)
	if !ok || !slices.Contains(p.Known(), level) {
		panic("synerise: there is no permission " + permission + " at level " + string(level))
	}
	rights := p.Levels[level]
	if len(rights) == 1 {
		return op.Has(rights[0])
	}
	rules := make([]op.Rule, len(rights))
	for i, r := range rights {
		rules[i] = op.Has(r)
	}
	return op.Any(rules...)
}

// RoleIDs are the roles that numbers name. Fault: workspace.ErrRole.
func RoleIDs(ctx context.Context, c *op.Call, numbers []int64) ([]string, error) {
	of, err := number.Objects(ctx, c, number.Role, numbers...)
	if err != nil {
		return nil, err
	}
	out := []string{}
	for _, n := range numbers {
		if of[n] == "" {
			return nil, workspace.ErrRole.At("roleIds")
		}
		out = append(out, of[n])
	}
	return out, nil
}

// Paged is how a page of a list is asked for. Inputs embed it, and read it by Page.
type Paged struct {
	// Page is the number of the page, from 1, which it is when absent.
	Page int `json:"page"`
	// Limit is how many objects a page has, 1 to 100; 20 when absent.
	Limit int `json:"limit"`
	// SortBy is a field, a colon, and ASC or DESC.
	SortBy string `json:"sortBy"`
	// Search is a part of what is looked for.
	Search string `json:"search"`
}

// Read checks how the page is asked for; fields are those that the list can be sorted by.
func (p Paged) Read(fields ...string) (wire.Query, error) {
	q, err := wire.Read(p.Page, p.Limit, p.SortBy, p.Search, fields...)
	return q, Fault(err)
}

// Member gives a fault the name of the member that the field is called by.
func Member(err error, names map[string]string) error {
	f := fault.Of(err)
	if f == nil || names[f.Field] == "" {
		return err
	}
	to := names[f.Field]
	return f.At(to).Say("%s", strings.Replace(f.Public, "Parameter "+f.Field+" ", "Parameter "+to+" ", 1))
}
