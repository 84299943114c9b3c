package scim

import (
	"context"
	"net/http"
	"slices"

	"limen/internal/core/attribute"
	"limen/internal/core/audit"
	"limen/internal/core/login"
	"limen/internal/core/provision"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// owning are the faults of changing oneself.
var owning = slices.Concat(unread, changing, []*fault.Error{provision.ErrVersion, login.ErrDue, login.ErrForbidden, attribute.ErrReadOnly})

func (s SCIM) mine() []op.Op {
	return []op.Op{
		op.New(reads(at(http.MethodGet, "/Me"), op.Authenticated, user.ErrNotFound), s.GetMe),
		op.Prepared(writes(at(http.MethodPut, "/Me"), op.Self, audit.UserChange, owning), s.prepareMe, s.ReplaceMe),
		op.Prepared(writes(at(http.MethodPatch, "/Me"), op.Self, audit.UserChange, owning, []*fault.Error{provision.ErrPath, provision.ErrTarget, provision.ErrMutable}), s.prepareMyPatch, s.PatchMe),
	}
}

// Myself asks for the caller.
type Myself struct{ Shown }

func (m *Myself) take(r *op.Request) error { return m.see(r) }

// GetMe answers the caller as a user, whatever rights they have. scim.yaml, GET /scim/Me.
func (s SCIM) GetMe(ctx context.Context, c *op.Call, in Myself) (Answer, error) {
	u, err := s.Directory.People.ByID(ctx, c, c.User())
	if err != nil {
		return Answer{}, err
	}
	return s.GetUser(ctx, c, UserRef{Shown: in.Shown, found: u})
}

// MyBody is what the caller is to be, or how the caller is to change.
type MyBody struct {
	// Match is which version the caller must be, in the header If-Match; absent: any.
	Match string `json:"If-Match"`
	Shown
	// Resource is the body.
	Resource map[string]any `json:"resource"`
	body     []byte
	found    user.User
}

func (m *MyBody) take(r *op.Request) error {
	m.body, m.Match = r.Body, r.HTTP.Header.Get("If-Match")
	return m.see(r)
}

// Resolve finds the caller.
func (m *MyBody) Resolve(ctx context.Context, c *op.Call) (err error) {
	m.found, err = user.Find(ctx, c, c.User())
	return err
}

// Target is the caller.
func (m *MyBody) Target() op.Target { return op.Target{ID: m.found.ID, Org: m.found.Org} }

func (s SCIM) prepareMe(ctx context.Context, c *op.Call, in MyBody) (provision.Draft, error) {
	return s.Directory.PrepareReplacement(ctx, c, in.found, in.body)
}

// ReplaceMe makes the caller what is sent, as far as people change themselves: names, language, telephone numbers but for the mobile
// one, postal addresses, pictures and the tenant's attributes that are theirs. What else is sent is ignored, as RFC 7644
// section 3.5.1 says of what is read-only. RFC 7644 section 3.11, PUT /Me.
func (s SCIM) ReplaceMe(ctx context.Context, c *op.Call, in MyBody, d provision.Draft) (Answer, error) {
	r, err := s.Directory.ReplaceOwn(ctx, c, in.Match, d)
	if err != nil {
		return Answer{}, err
	}
	return s.user(ctx, c, in.Shown, r, false)
}

func (s SCIM) prepareMyPatch(ctx context.Context, c *op.Call, in MyBody) (provision.Draft, error) {
	return s.Directory.PreparePatch(ctx, c, in.found, in.body)
}

// PatchMe changes the caller by operations, all of them or none, as far as people change themselves (see ReplaceMe); the rest is
// refused with mutability. People do not remove themselves: DELETE is not served. RFC 7644 section 3.11, PATCH /Me.
func (s SCIM) PatchMe(ctx context.Context, c *op.Call, in MyBody, d provision.Draft) (Answer, error) {
	r, err := s.Directory.PatchOwn(ctx, c, in.Match, d, in.body)
	if err != nil {
		return Answer{}, err
	}
	return s.user(ctx, c, in.Shown, r, false)
}
