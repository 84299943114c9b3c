// Package provision is people, roles and safes as SCIM knows them: their schemas, how filters over them become conditions on
// indexed columns, how resources are made of what core/user, core/detail, core/attribute, core/role and core/safe keep, and how
// changes of resources become changes there. Nothing is stored but through these.
package provision

import (
	"context"
	"net/http"

	"limen/internal/call"
	"limen/internal/core/attribute"
	"limen/internal/core/org"
	"limen/internal/core/password"
	"limen/internal/core/role"
	"limen/internal/core/safe"
	"limen/internal/core/setting"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/wire/scim"
)

// Prefix is that of the codes of faults that SCIM has a type of error for; the type follows.
const Prefix = "scim."

// Faults of provisioning.
var (
	ErrFilter  = fault.New(fault.Invalid, Prefix+scim.InvalidFilter, "The filter cannot be read, or names an attribute that cannot be filtered.")
	ErrValue   = fault.New(fault.Invalid, Prefix+scim.InvalidValue, "A value is missing or does not fit its attribute.")
	ErrSyntax  = fault.New(fault.Invalid, Prefix+scim.InvalidSyntax, "The request cannot be read.")
	ErrPath    = fault.New(fault.Invalid, Prefix+scim.InvalidPath, "The path names no attribute.")
	ErrTarget  = fault.New(fault.Invalid, Prefix+scim.NoTarget, "No value is at the path.")
	ErrMutable = fault.New(fault.Invalid, Prefix+scim.Mutability, "The attribute cannot be changed.")
	ErrCursor  = fault.New(fault.Invalid, Prefix+scim.InvalidCursor, "The cursor is not one of this query.")
	ErrCount   = fault.New(fault.Invalid, Prefix+scim.InvalidCount, "The count is no whole number.")
	ErrMany    = fault.New(fault.TooLarge, Prefix+scim.TooMany, "The request has too many operations.")
	ErrVersion = fault.New(fault.Conflict, "scim.version", "The resource is another version than the one wanted.")
	ErrSelf    = fault.New(fault.Invalid, "user.self", "You cannot do this to your own account.")
	ErrSystem  = fault.New(fault.Denied, "user.system", "Only system administrators may change the account of a system administrator.")
	ErrNoOrg   = fault.New(fault.Invalid, "user.no_org", "You administer several organizations, and cannot say here to which of them the user belongs.")
)

// Fault makes a fault of what is wrong with a message.
func Fault(err error) error {
	e, ok := err.(*scim.Error) //nolint:errorlint // it is never wrapped
	if !ok {
		return err
	}
	kind := fault.Invalid
	if e.Status == http.StatusRequestEntityTooLarge {
		kind = fault.TooLarge
	}
	return fault.New(kind, Prefix+e.Type, e.Detail)
}

// Directory is where users, groups and safes are.
type Directory struct {
	People     *user.Directory
	Roles      *role.Roles
	Passwords  password.Passwords
	Attributes attribute.Attributes
	Orgs       *org.Orgs
	Settings   *setting.Store
	Safes      *safe.Safes
	// Keep makes a change to what somebody signs in with: lockout.ErrLastWay when no system administrator could sign in then.
	Keep func(ctx context.Context, c *call.Call, userID string, change func() error) error
	// Own asks callers who change their own profile for what their policies want first.
	Own func(ctx context.Context, c *call.Call, userID string) error
}
