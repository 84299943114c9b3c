package roles

import (
	"context"
	"errors"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/dynamic"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// errNull is what clients of n 163 know for an input without role or script (roles.yaml, head).
var errNull = fault.New(fault.Invalid, "dynamic.null", "Unexpected null arguments passed to the server.")

func (r Roles) scripting() []op.Op {
	return []op.Op{
		op.Prepared(op.Spec{Path: "/Roles/SetDynamicRoleScript", Paths: []string{"/SaasManage/SetDynamicRoleScript"}, Allow: manage, Effect: op.Write,
			Audit: audit.RoleScript, MaxBody: 256 << 10, Rate: op.Costly, Faults: []*fault.Error{
				errNull, role.ErrNotFound, role.ErrSystem, role.ErrNotHeld, role.ErrEverybody, dynamic.ErrStatic, dynamic.ErrLarge, dynamic.ErrMany, dynamic.ErrSyntax, dynamic.ErrShare,
			}}, r.compile, r.SetDynamicRoleScript),
		op.Prepared(op.Spec{Path: "/Roles/TestDynamicRoleScript", Paths: []string{"/SaasManage/TestDynamicRoleScript"}, Allow: manage, Effect: op.Read,
			MaxBody: 256 << 10, Rate: op.Costly, Faults: []*fault.Error{user.ErrNotFound, fault.ErrMissing, dynamic.ErrLarge, dynamic.ErrPerson, dynamic.ErrShare}},
			r.try, r.TestDynamicRoleScript),
	}
}

// NewScript is a script for a dynamic role.
type NewScript struct {
	// ID is the role's id, or its name; required. Unlike elsewhere, Name is not taken for it.
	ID string `json:"ID"`
	// Script is the body of a JavaScript function that returns true for members; required, up to 65,536 bytes.
	Script string `json:"Script"`
	named
}

// Check wants both, in the words that clients know.
func (n *NewScript) Check() error {
	if strings.TrimSpace(n.ID) == "" || strings.TrimSpace(n.Script) == "" {
		return errNull
	}
	return nil
}

// Resolve finds the role.
func (n *NewScript) Resolve(ctx context.Context, c *op.Call) error { return n.find(ctx, c, n.ID) }

func (r Roles) compile(ctx context.Context, c *op.Call, in NewScript) (struct{}, error) {
	return struct{}{}, r.Scripts.Check(ctx, c.Tenant.ID, in.Script)
}

// SetDynamicRoleScript sets the script that decides who is in a dynamic role.
//
// The script must compile. It judges everybody soon afterwards, in a job; until then, and when it fails, members stay as they are.
// The caller must hold every right that the role carries. roles.yaml n 163.
func (r Roles) SetDynamicRoleScript(ctx context.Context, c *op.Call, in NewScript, _ struct{}) (*struct{}, error) {
	is, err := r.within(ctx, c, in.ID)
	if err != nil {
		return nil, err
	}
	return nil, r.Scripts.Set(ctx, c, is, in.Script)
}

// Trial is a script to be tried.
type Trial struct {
	// User is the UUID or login name of the person to run it for; required.
	User string `json:"User"`
	// Script is the body of a JavaScript function, required.
	Script string `json:"Script"`
	who    user.User
}

// Check wants both.
func (t *Trial) Check() error {
	return errors.Join(required("User", t.User), required("Script", t.Script))
}

// Resolve finds the person.
func (t *Trial) Resolve(ctx context.Context, c *op.Call) (err error) {
	t.who, err = user.Find(ctx, c, strings.TrimSpace(t.User))
	return err
}

// Target is the person, so that administrators of organizations try scripts on their own people only.
func (t *Trial) Target() op.Target { return op.Target{ID: t.who.ID, Org: t.who.Org} }

// Tried is what became of it.
type Tried struct {
	// Result is what the script returned; null for nothing, or when it failed.
	Result *bool `json:"Result"`
	// CompileSuccess says whether it compiles.
	CompileSuccess bool `json:"CompileSuccess"`
	// Errors says why it does not compile, or failed; null when neither.
	Errors *string `json:"Errors"`
	// Trace is what the script said with trace(); up to 100 lines.
	Trace []string `json:"Trace"`
	// Read is what it read of the person: names of properties, (roles), (clock), or * for everything. Beyond the contract.
	Read []string `json:"Read"`
	// SelfEditable are those of them that people may change of themselves; absent: none. Beyond the contract.
	SelfEditable []string `json:"SelfEditable,omitzero"`
}

func (r Roles) try(ctx context.Context, c *op.Call, in Trial) (Tried, error) {
	v, err := r.Scripts.Try(ctx, c, in.who.ID, in.Script)
	out := Tried{Result: v.Member, CompileSuccess: true, Trace: append([]string{}, v.Trace...), Read: append([]string{}, v.Read...)}
	if f := fault.Of(err); f != nil {
		if f.Kind != fault.Invalid {
			return Tried{}, err
		}
		out.CompileSuccess = f.Code != "script.syntax"
		v.Error = f.Public
	}
	if v.Error != "" {
		out.Errors = &v.Error
	}
	err = c.Snapshot(ctx, func() (err error) {
		out.SelfEditable, err = r.Scripts.Own(ctx, c, v.Read)
		return err
	})
	return out, err
}

// TestDynamicRoleScript runs a script for one person, and changes nothing.
//
// It shows what the script returned, what it said with trace(), and what it read. That it does not compile, fails, or is
// stopped for its time or memory is no error of the call. roles.yaml n 164.
func (r Roles) TestDynamicRoleScript(_ context.Context, _ *op.Call, _ Trial, out Tried) (Tried, error) {
	return out, nil
}
