package people

import (
	"context"
	"errors"
	"strings"

	"limen/internal/core/number"
	"limen/internal/core/workspace"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/synerise"
	wire "limen/internal/wire/synerise"
)

// Query asks for a page of users.
type Query struct {
	synerise.Paged
	// Status keeps those of one status; absent: all.
	Status string `json:"status"`
	// RoleID keeps those in one role of the workspace, by its number; absent: all.
	RoleID int64 `json:"roleId"`
	synerise.Here
}

// columns are what lists can be sorted by.
var columns = map[string]string{"NAME": "display_key", "EMAIL": "mail_key", "CREATED": "created"}

// Check bounds the page.
func (q *Query) Check() error {
	_, err := q.Read("NAME", "EMAIL", "CREATED")
	return err
}

// Page is a page of users.
type Page struct {
	// Data are the users, by name unless otherwise said.
	Data []User `json:"data"`
	// Meta tells where the page is.
	Meta wire.Meta `json:"meta"`
}

// ListUsers lists the users of the workspace with those who are invited. search looks in names and mail addresses, as far as the
// caller's roles see them; nothing is sorted by what they do not. synerise.yaml, GET /uauth/users/listing.
func (p People) ListUsers(ctx context.Context, c *op.Call, in Query) (Page, error) {
	q, err := in.Read("NAME", "EMAIL", "CREATED")
	if err != nil {
		return Page{}, err
	}
	at := in.Workspace().ID
	f := workspace.Filter{Search: q.Search, Status: strings.ToUpper(in.Status), Sort: columns[q.SortBy], Desc: q.Desc, Skip: q.Skip(), Limit: q.Limit}
	if in.RoleID != 0 {
		if f.Role, err = number.Find(ctx, c, number.Role, in.RoleID); errors.Is(err, number.ErrNotFound) {
			err = workspace.ErrRole.At("roleId")
		}
		if err != nil {
			return Page{}, err
		}
	}
	if err := p.veil(ctx, c, at, &f, q.SortBy); err != nil {
		return Page{}, err
	}
	rows, n, err := p.Workspaces.ListPeople(ctx, c, c.Grant, at, f)
	if err != nil {
		return Page{}, err
	}
	data, err := p.shown(ctx, c, at, rows)
	return Page{data, q.Meta(n)}, err
}

// ListUsersV2 lists as ListUsers does: what its second version adds is not public. synerise.yaml, GET /uauth/v2/users/listing.
func (p People) ListUsersV2(ctx context.Context, c *op.Call, in Query) (Page, error) {
	return p.ListUsers(ctx, c, in)
}

// Typed is what somebody has typed so far.
type Typed struct {
	// Search is a part of a name or mail address, required.
	Search string `json:"search"`
	// Limit is how many users are wanted, 1 to 100; 10 when absent.
	Limit int `json:"limit"`
	synerise.Here
}

// Check wants something to be typed.
func (t *Typed) Check() error {
	if strings.TrimSpace(t.Search) == "" {
		return fault.Missing("search")
	}
	_, err := synerise.Paged{Limit: t.Limit, Search: t.Search}.Read()
	return err
}

// Suggestions are users who may be meant.
type Suggestions struct {
	// Data are the users, by name.
	Data []Suggestion `json:"data"`
}

// Suggestion is a user who may be meant.
type Suggestion struct {
	// ID is the person's number.
	ID int64 `json:"id"`
	// Email is the mail address; the login name where there is none; null: the caller's roles do not see it.
	Email *string `json:"email"`
	// FirstName is the given name; without one on record the display name without its last word; null: not to be seen.
	FirstName *string `json:"firstName"`
	// LastName is the family name; without one on record the last word of the display name; null: not to be seen.
	LastName *string `json:"lastName"`
}

// SuggestUsers suggests users of the workspace while somebody types. synerise.yaml, GET /uauth/users/listing/autocomplete.
func (p People) SuggestUsers(ctx context.Context, c *op.Call, in Typed) (Suggestions, error) {
	if in.Limit == 0 {
		in.Limit = 10
	}
	at, f := in.Workspace().ID, workspace.Filter{Search: strings.TrimSpace(in.Search), Limit: in.Limit}
	if err := p.veil(ctx, c, at, &f, ""); err != nil {
		return Suggestions{}, err
	}
	rows, _, err := p.Workspaces.ListPeople(ctx, c, c.Grant, at, f)
	if err != nil {
		return Suggestions{}, err
	}
	full, err := p.shown(ctx, c, at, rows)
	out := Suggestions{make([]Suggestion, len(full))}
	for i, u := range full {
		out.Data[i] = Suggestion{u.ID, u.Email, u.FirstName, u.LastName}
	}
	return out, err
}
