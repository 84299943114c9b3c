package organizations

import (
	"context"
	"strings"

	"limen/internal/core/org"
	"limen/internal/fault"
	"limen/internal/op"
)

// NewOrganization is an organization to be made.
type NewOrganization struct {
	// Name is required: 100 bytes without slashes, unique below the same parent whatever its case.
	Name string `json:"Name"`
	// Description is free text of 4,000 bytes.
	Description string `json:"Description"`
	// Parent is the id or path of the organization above; absent or empty: none.
	Parent string `json:"Parent"`
}

// Check wants a name.
func (n *NewOrganization) Check() error {
	if strings.TrimSpace(n.Name) == "" {
		return fault.Missing("Name")
	}
	return nil
}

// Made is an organization as it was made.
type Made struct {
	ID          string `json:"ID"`
	Name        string `json:"Name"`
	Path        string `json:"Path"` // the names from the top down, each behind a slash
	Description string `json:"Description"`
	ParentID    string `json:"ParentId"` // empty at the top
}

func made(o org.Org) Made { return Made{o.ID, o.Name, o.Path, o.Description, o.Parent} }

// Create makes an organization, at the top or below another one.
//
// Organizations are 10 levels deep at most, and a tenant has 1,000 of them. Whoever administers one administers those below
// it, too. Parent goes beyond the contract. organizations.yaml n 137.
func (o Organizations) Create(ctx context.Context, c *op.Call, in NewOrganization) (Made, error) {
	out, err := o.Orgs.Create(ctx, c, org.New{Name: in.Name, Description: in.Description, Parent: in.Parent})
	return made(out), err
}

// OrganizationChange is a partial change: what is absent stays.
type OrganizationChange struct {
	// Name is a new name; null: the old one.
	Name op.Opt[string] `json:"Name"`
	// Description is free text of 4,000 bytes; null empties it.
	Description op.Opt[string] `json:"Description"`
	// Parent is the id or path of the organization above; null or empty: none.
	Parent op.Opt[string] `json:"Parent"`
	Ref
}

// Update renames an organization, describes it anew, or moves it below another one. The paths of those below follow.
// organizations.yaml n 146.
func (o Organizations) Update(ctx context.Context, c *op.Call, in OrganizationChange) (op.None, error) {
	ch := org.Change{Description: text(in.Description), Parent: text(in.Parent)}
	if v, ok := in.Name.Get(); ok {
		ch.Name = &v
	}
	_, err := o.Orgs.Change(ctx, c, in.found.ID, ch)
	return op.None{}, err
}

// text is a given text; null empties it.
func text(o op.Opt[string]) *string {
	if !o.Given() {
		return nil
	}
	s := o.Or("")
	return &s
}

// Delete removes an organization with the rights that are held over it. The people in it belong to none afterwards, and so
// do roles without rights.
//
// It is refused while there are organizations below, or roles that carry rights: theirs would reach everywhere.
// organizations.yaml n 138.
func (o Organizations) Delete(ctx context.Context, c *op.Call, in Ref) (op.None, error) {
	return op.None{}, o.Orgs.Delete(ctx, c, in.found.ID)
}
