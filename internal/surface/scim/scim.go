package scim

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"limen/internal/core/provision"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/scim"
)

// SCIM are the operations. A further kind of resource is a file that declares its operations, and its type among discovery's.
type SCIM struct {
	Directory *provision.Directory
	// Run runs one operation of a bulk request in a call of its own.
	Run func(ctx context.Context, o *op.Op, c *op.Call, in any) (any, error)
}

var (
	people = op.Has(right.UserManagement)
	groups = op.Has(right.RoleManagement)
)

// Ops declares them.
func (s SCIM) Ops() []op.Op {
	return slices.Concat(s.users(), s.groups(), s.containers(), s.permissions(), s.accounts(), s.mine(), s.discovery(), s.bulk(), s.search(), s.elsewhere())
}

// at is an operation's place: below /scim, and below /scim/v2, which is the same service.
func at(method, path string) op.Spec {
	return op.Spec{Method: method, Path: "/scim" + path, Paths: []string{"/scim/v2" + path}}
}

func reads(s op.Spec, rule op.Rule, faults ...*fault.Error) op.Spec {
	s.Allow, s.Effect, s.Faults = rule, op.Read, faults
	return s
}

func writes(s op.Spec, rule op.Rule, event string, faults ...[]*fault.Error) op.Spec {
	s.Allow, s.Effect, s.Audit, s.Faults = rule, op.Write, event, slices.Concat(faults...)
	return s
}

var (
	unread   = []*fault.Error{provision.ErrSyntax, provision.ErrValue}
	unlisted = []*fault.Error{provision.ErrFilter, provision.ErrCursor, provision.ErrCount, provision.ErrValue}
	unfit    = []*fault.Error{provision.ErrPath, provision.ErrTarget, provision.ErrMutable, provision.ErrVersion}
)

// Answer is a resource as it is answered.
type Answer struct {
	// Resource is the resource, without what the client did not ask for.
	Resource wire.Object
	from     provision.Resource
	made     bool
}

// write writes the resource, or only that it is the one that the client has.
func (a Answer) write(w http.ResponseWriter, r *http.Request) {
	h, status := w.Header(), http.StatusOK
	if a.from.Version != "" {
		h.Set("ETag", a.from.Version)
	}
	if a.made {
		h.Set("Location", a.from.Location)
		status = http.StatusCreated
	}
	known := r.Header.Get("If-None-Match")
	if r.Method == http.MethodGet && known != "" && a.from.Version != "" && provision.Matches(known, a.from.Version) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	write(w, r, status, a.Resource)
}

// Shown says which attributes a client wants to see.
type Shown struct {
	// Attributes names what is answered, with commas; absent: all.
	Attributes []string `json:"attributes"`
	// Excluded names what is left out.
	Excluded []string `json:"excludedAttributes"`
}

func (s *Shown) see(r *op.Request) error {
	q, err := wire.ReadQuery(r.HTTP.URL.Query())
	s.Attributes, s.Excluded = q.Attributes, q.Excluded
	return err
}

func (s *Shown) of(t *wire.Type, r provision.Resource, made bool) Answer {
	return Answer{t.Show(r.Object, t.Select(s.Attributes, s.Excluded)), r, made}
}

// safe is what is to be seen of a safe.
func (s *Shown) safe() wire.Selection { return provision.Container.Select(s.Attributes, s.Excluded) }

// group is what is to be seen of a group.
func (s *Shown) group() wire.Selection { return provision.Group.Select(s.Attributes, s.Excluded) }

// Query asks for a page of resources.
type Query struct {
	// Filter is a filter, as userName eq "anna@acme"; absent: all.
	Filter string `json:"filter"`
	// SortBy is an attribute.
	SortBy string `json:"sortBy"`
	// SortOrder is ascending, the default, or descending.
	SortOrder string `json:"sortOrder"`
	// StartIndex is the place of the first resource, from 1.
	StartIndex int `json:"startIndex"`
	// Count is how many resources are wanted at most: 1000, and as many when absent.
	Count int `json:"count"`
	// Cursor is nextCursor of the page before; empty for the first. Without it pages go by startIndex.
	Cursor string `json:"cursor"`
	Shown
	read wire.Query
}

func (q *Query) take(r *op.Request) (err error) {
	q.read, err = wire.ReadQuery(r.HTTP.URL.Query())
	return err
}

// Search is a query in a body.
type Search struct{ Query }

func (q *Search) take(r *op.Request) (err error) {
	q.read, err = wire.ReadSearch(r.Body)
	return err
}

// NewResource is a resource to be made.
type NewResource struct {
	// Resource is the body.
	Resource wire.Object `json:"resource"`
	Shown
	body []byte
}

func (n *NewResource) take(r *op.Request) error {
	n.body = r.Body
	return n.see(r)
}

// Effect keeps managers free of cycles.
func (n *NewResource) Effect() op.Effect { return effect(n.body) }

// NewGroup is a group to be made.
type NewGroup struct {
	// Resource is the body.
	Resource wire.Object `json:"resource"`
	Shown
	body []byte
}

func (n *NewGroup) take(r *op.Request) error {
	n.body = r.Body
	return n.see(r)
}

// effect is that of a body, which may name a manager.
func effect(body []byte) op.Effect {
	if strings.Contains(strings.ToLower(string(body)), "manager") {
		return op.Serial
	}
	return op.Write
}

// UserRef names a user.
type UserRef struct {
	// ID is the user's UUID, in the path.
	ID string `json:"id"`
	// Match is which version the user must be, in the header If-Match; absent: any.
	Match string `json:"If-Match"`
	Shown
	found user.User
}

func (u *UserRef) take(r *op.Request) error {
	u.ID, u.Match = r.Path["id"], r.HTTP.Header.Get("If-Match")
	return u.see(r)
}

// Resolve finds the user.
func (u *UserRef) Resolve(ctx context.Context, c *op.Call) (err error) {
	if u.found, err = user.Find(ctx, c, u.ID); err == nil && !strings.EqualFold(u.found.ID, u.ID) {
		err = user.ErrNotFound
	}
	return err
}

// Target is who the call is about.
func (u *UserRef) Target() op.Target { return op.Target{ID: u.found.ID, Org: u.found.Org} }

// UserBody is what a user is to be, or how the user is to change.
type UserBody struct {
	UserRef
	// Resource is the body.
	Resource wire.Object `json:"resource"`
	body     []byte
}

func (u *UserBody) take(r *op.Request) error {
	u.body = r.Body
	return u.UserRef.take(r)
}

// Effect keeps managers free of cycles.
func (u *UserBody) Effect() op.Effect { return effect(u.body) }

// GroupRef names a group.
type GroupRef struct {
	// ID is the role's id, in the path.
	ID string `json:"id"`
	// Match is which version the group must be, in the header If-Match; absent: any.
	Match string `json:"If-Match"`
	Shown
	found role.Role
}

func (g *GroupRef) take(r *op.Request) error {
	g.ID, g.Match = r.Path["id"], r.HTTP.Header.Get("If-Match")
	return g.see(r)
}

// Resolve finds the role.
func (g *GroupRef) Resolve(ctx context.Context, c *op.Call) (err error) {
	if g.found, err = role.Find(ctx, c, g.ID); err == nil && g.found.ID != g.ID {
		err = role.ErrNotFound
	}
	return err
}

// Target is the role that the call is about.
func (g *GroupRef) Target() op.Target { return op.Target{ID: g.found.ID, Org: g.found.Org} }

// GroupBody is what a group is to be, or how it is to change.
type GroupBody struct {
	GroupRef
	// Resource is the body.
	Resource wire.Object `json:"resource"`
	body     []byte
}

func (g *GroupBody) take(r *op.Request) error {
	g.body = r.Body
	return g.GroupRef.take(r)
}
