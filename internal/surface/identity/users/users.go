// Package users is the RPC dialect's operations on people (users.yaml).
package users

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/address"
	"limen/internal/core/attribute"
	"limen/internal/core/audit"
	"limen/internal/core/captcha"
	"limen/internal/core/consent"
	"limen/internal/core/exemption"
	"limen/internal/core/lockout"
	"limen/internal/core/login"
	"limen/internal/core/org"
	"limen/internal/core/passcode"
	"limen/internal/core/password"
	"limen/internal/core/post"
	"limen/internal/core/preference"
	"limen/internal/core/proofing"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/session"
	"limen/internal/core/setting"
	signups "limen/internal/core/signup"
	"limen/internal/core/support"
	"limen/internal/core/tenant"
	"limen/internal/core/token"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/identity"
)

// Users are the operations.
type Users struct {
	People      *user.Directory
	Roles       *role.Roles
	Sessions    *session.Sessions
	Passwords   password.Passwords
	Attributes  attribute.Attributes
	Settings    *setting.Store
	Tenants     *tenant.Index
	Post        *post.Post
	Orgs        *org.Orgs
	Preferences preference.Preferences
	Exemptions  exemption.Exemptions
	Support     support.Support
	Passcodes   *passcode.Passcodes
	Addresses   *address.Addresses
	Tokens      token.Tokens
	Logins      *login.Logins
	// Exempted tells a person that they may sign in without further factors until a time.
	Exempted func(ctx context.Context, c *call.Call, p user.User, until time.Time) error
	// Link makes the link of an invitation, good for as long as lasts says; nil: the tenant's sign-in page.
	Link func(ctx context.Context, c *call.Call, u user.User, lasts time.Duration) (string, error)
	// Keep makes a change to what somebody signs in with: lockout.ErrLastWay when no system administrator could sign in then.
	Keep func(ctx context.Context, c *call.Call, userID string, change func() error) error
	// Alone fails where the caller lets somebody else in, or acts as them, for whom the tenant wants two administrators.
	Alone func(ctx context.Context, c *call.Call, userID string) error
	// Perform runs another operation for the call's caller, with a body as a client would send it; as a call of its own.
	Perform  func(ctx context.Context, c *call.Call, path string, body []byte) error
	Captchas *captcha.Captchas
	Consents *consent.Consents
	Signups  *signups.Signups
}

// Faults of this surface.
var (
	ErrSelf    = fault.New(fault.Invalid, "user.self", "You cannot do this to your own account.")
	ErrField   = fault.New(fault.Denied, "user.field", "You are not authorized to change this.")
	ErrSystem  = fault.New(fault.Denied, "user.system", "Only system administrators may change the account of a system administrator.")
	ErrOrg     = fault.New(fault.NotFound, "user.org", "The organization was not found.")
	ErrNoOrg   = fault.New(fault.Invalid, "user.no_org", "Say by OrgPath which of the organizations that you administer the user belongs to.")
	ErrMany    = fault.New(fault.TooLarge, "user.many", "Too many users in one call.")
	ErrGate    = fault.New(fault.Denied, "user.gate", "Creating several users in one call is not allowed. Set the tenant configuration key CusCreateUser.QandD to TRUE.")
	ErrSignup  = fault.New(fault.Denied, "user.signup", "Sign-up is switched off.")
	ErrCaptcha = fault.New(fault.Denied, "user.captcha", "Sign-up needs the answer to a CAPTCHA, or a bearer token.")
)

var (
	manage = op.Has(right.UserManagement)
	lookup = op.Any(manage, op.Has(right.ReadUsers)) // as reports on users
	view   = op.Any(op.Self, lookup)
	either = op.Any(op.Self, manage)
)

// What creating and changing people can give.
var (
	createFaults = []*fault.Error{
		user.ErrNameTaken, user.ErrSuffix, user.ErrManager, user.ErrRedirect, role.ErrSystem, role.ErrNotHeld, ErrOrg, ErrNoOrg, ErrSystem, user.ErrStronger,
		fault.ErrBlank, fault.ErrInvalid, fault.ErrMissing, password.ErrPolicy, password.ErrWeak, password.ErrCommon,
	}
	changeFaults = append(append([]*fault.Error(nil), createFaults...),
		user.ErrNotFound, user.ErrStale, user.ErrSignup, user.ErrCycle, role.ErrLast, lockout.ErrLastWay, ErrSelf, ErrField, post.ErrNoMail, session.ErrStale, login.ErrForbidden, password.ErrUsed, password.ErrChanged)
	stateFaults = []*fault.Error{user.ErrNotFound, user.ErrSignup, role.ErrLast, ErrSelf, ErrSystem, user.ErrStronger, fault.ErrInvalid, fault.ErrMissing, user.ErrStale}
)

// Ops declares them.
func (u Users) Ops() []op.Op {
	return identity.Guarded(slices.Concat(u.keeping(), u.saving(), u.caching(), u.helping(), u.acting(), u.creating(), u.changing(), u.reading(), u.inviting(), u.extending(), u.addressing(), u.consenting()))
}

func (u Users) creating() []op.Op {
	return []op.Op{
		op.Prepared(op.Spec{Path: "/CDirectoryService/CreateUser", Allow: manage, Effect: op.Write, Audit: audit.UserCreate, Faults: createFaults},
			u.hashNew, u.CreateUser),
		op.Prepared(op.Spec{Path: "/CDirectoryService/CreateUserQuick", Allow: manage, Effect: op.Write, Audit: audit.UserCreate, Faults: createFaults},
			u.hashQuick, u.CreateUserQuick),
		op.Prepared(op.Spec{Path: "/CDirectoryService/CreateUsers", Allow: manage, Effect: op.Write, Audit: audit.UserCreate, Rate: op.Costly,
			Faults: append([]*fault.Error{ErrGate, ErrMany}, createFaults...)}, u.hashAll, u.CreateUsers),
		op.Prepared(op.Spec{Path: "/User/Signup", Paths: []string{"/CDirectoryService/Signup"}, Allow: op.Anonymous, Effect: op.Write,
			Audit: audit.UserCreate, Rate: op.Guess, Faults: append([]*fault.Error{
				ErrSignup, ErrCaptcha, captcha.ErrWrong, captcha.ErrService, attribute.ErrColumn, attribute.ErrTwice, attribute.ErrValue, attribute.ErrSize, attribute.ErrReadOnly, consent.ErrRequired,
				proofing.ErrDenied, proofing.ErrChanged, signups.ErrFull, signups.ErrWait,
			}, createFaults...)}, u.hashSignup, u.Signup),
	}
}

func (u Users) changing() []op.Op {
	return []op.Op{
		op.Prepared(op.Spec{Path: "/CDirectoryService/ChangeUser", Allow: either, Effect: op.Write, Effects: []op.Effect{op.Serial},
			Invar: "nobody is their own manager, directly or through others", Audit: audit.UserChange, Faults: changeFaults}, u.hashChange, u.ChangeUser),
		op.New(op.Spec{Path: "/CDirectoryService/SetUserState", Allow: manage, Effect: op.Write, Audit: audit.UserState, Faults: stateFaults}, u.SetUserState),
		op.New(op.Spec{Path: "/CDirectoryService/ChangeUserState", Allow: manage, Effect: op.Write, Audit: audit.UserState, Faults: stateFaults}, u.ChangeUserState),
		op.New(op.Spec{Path: "/UserMgmt/SetCloudLock", Allow: manage, Effect: op.Write, Audit: audit.UserState,
			Faults: append([]*fault.Error{user.ErrExempt}, stateFaults...)}, u.SetCloudLock),
		op.Prepared(op.Spec{Path: "/UserMgmt/ResetUserPassword", Allow: manage, Effect: op.Write, Audit: audit.PasswordSet,
			Faults: changeFaults}, u.hashReset, u.ResetUserPassword),
		op.Prepared(op.Spec{Path: "/CDirectoryService/SetUserPicture", Allow: either, Effect: op.Write, Audit: audit.UserPicture, MaxBody: 1 << 20,
			Faults: []*fault.Error{user.ErrNotFound, user.ErrPicture, fault.ErrMissing, ErrSystem, user.ErrStronger}}, u.redraw, u.SetUserPicture),
		op.New(op.Spec{Path: "/UserMgmt/RemoveUser", Paths: []string{"/CDirectoryService/DeleteUser", "/UserMgmt/DeleteUser"}, Allow: manage,
			Effect: op.Write, Audit: audit.UserDelete, Faults: stateFaults}, u.RemoveUser),
		op.New(op.Spec{Path: "/UserMgmt/RemoveUsers", Paths: []string{"/UserMgmt/DeleteUsers"}, Allow: manage, Effect: op.Write, Audit: audit.UserDelete,
			Rate: op.Costly, Faults: append([]*fault.Error{ErrMany}, stateFaults...)}, u.RemoveUsers),
		op.New(op.Spec{Path: "/UserMgmt/ConfirmAction", Allow: op.Authenticated, Effect: op.Outside, Audit: audit.UserAction, Rate: op.Costly,
			Faults: []*fault.Error{ErrAction, ErrScoped, ErrMany, fault.ErrMissing}}, u.ConfirmAction),
	}
}

func (u Users) reading() []op.Op {
	none := []*fault.Error{user.ErrNotFound}
	return []op.Op{
		op.New(op.Spec{Path: "/CDirectoryService/GetUser", Allow: view, Effect: op.Read, Faults: none}, u.GetUser),
		op.New(op.Spec{Path: "/CDirectoryService/GetUserByName", Allow: view, Effect: op.Read, Faults: none}, u.GetUserByName),
		op.New(op.Spec{Path: "/UserMgmt/GetUserAttributes", Allow: view, Effect: op.Read, Faults: none}, u.GetUserAttributes),
		op.New(op.Spec{Path: "/CDirectoryService/GetUserAttributes", Allow: op.Authenticated, Effect: op.Read, Faults: none}, u.GetOwnAttributes),
		op.New(op.Spec{Path: "/UserMgmt/GetUserInfo", Allow: view, Effect: op.Read, Faults: none}, u.GetUserInfo),
		op.New(op.Spec{Path: "/CDirectoryService/GetUsers", Allow: lookup, Effect: op.Read}, u.GetUsers),
		op.New(op.Spec{Path: "/UserMgmt/GetUserPicture", Allow: op.Authenticated, Effect: op.Read}, u.GetUserPicture),
		op.New(op.Spec{Path: "/UserMgmt/IsUserCloudLocked", Allow: either, Effect: op.Read, Faults: none}, u.IsUserCloudLocked),
		op.New(op.Spec{Path: "/UserMgmt/IsUserSubjectToCloudLocks", Allow: either, Effect: op.Read, Faults: none}, u.IsUserSubjectToCloudLocks),
		op.New(op.Spec{Path: "/UserMgmt/GetUsersRolesAndAdministrativeRights",
			Paths: []string{"/UserMgmt/GetUserRolesAndAdministrativeRights"}, Allow: op.Any(op.Self, manage, op.Has(right.RoleManagement)),
			Effect: op.Read, Faults: none}, u.GetUsersRolesAndAdministrativeRights),
	}
}

func (u Users) inviting() []op.Op {
	faults := []*fault.Error{user.ErrNotFound, role.ErrNotFound, post.ErrNoMail, post.ErrNoMobile, ErrSystem, user.ErrStronger, fault.ErrMissing, fault.ErrInvalid, ErrMany}
	return []op.Op{
		op.New(op.Spec{Path: "/UserMgmt/InviteUsers", Allow: manage, Effect: op.Write, Audit: audit.UserInvite, Rate: op.Costly, Faults: faults}, u.InviteUsers),
		op.New(op.Spec{Path: "/UserMgmt/SendLoginEmail", Allow: manage, Effect: op.Write, Audit: audit.UserInvite, Rate: op.Costly, Faults: faults}, u.SendLoginEmail),
		op.New(op.Spec{Path: "/UserMgmt/SendLoginEmails", Allow: manage, Effect: op.Write, Audit: audit.UserInvite, Rate: op.Costly, Faults: faults}, u.SendLoginEmails),
		op.New(op.Spec{Path: "/UserMgmt/SendSmsInvite", Allow: manage, Effect: op.Write, Audit: audit.UserInvite, Rate: op.Costly, Faults: faults}, u.SendSmsInvite),
	}
}

// person is the user that an input names, once it is resolved: for an operation that reads, in the snapshot that it runs in.
type person struct{ found user.User }

// Target is who the call is about.
func (p *person) Target() op.Target { return op.Target{ID: p.found.ID, Org: p.found.Org} }

// find resolves a UUID or login name; empty is the caller.
func (p *person) find(ctx context.Context, c *op.Call, ref string) (err error) {
	if strings.TrimSpace(ref) == "" {
		ref = c.User()
	}
	p.found, err = user.Find(ctx, c, ref)
	return err
}

// UserRef names a user.
type UserRef struct {
	// ID is the user's UUID or login name; the caller's own when absent.
	ID string `json:"ID" also:"Uuid,username,Name"`
	person
}

// Resolve finds the user.
func (r *UserRef) Resolve(ctx context.Context, c *op.Call) error { return r.find(ctx, c, r.ID) }

// OneUser names a user who is not implied.
type OneUser struct {
	// ID is the user's UUID or login name, required.
	ID string `json:"ID" also:"Uuid,username,Name"`
	person
}

// Check wants the user to be named.
func (r *OneUser) Check() error { return required("ID", r.ID) }

// Resolve finds the user.
func (r *OneUser) Resolve(ctx context.Context, c *op.Call) error { return r.find(ctx, c, r.ID) }

func required(field, value string) error {
	if strings.TrimSpace(value) == "" {
		return fault.Missing(field)
	}
	return nil
}

// guard keeps those who are no system administrators from taking over the account of one: their own, and that of the
// person whose factors answer for them. Nor may anybody so take over who holds rights that the caller lacks.
func (u Users) guard(ctx context.Context, c *op.Call, userID string) error {
	return u.Roles.Guard(ctx, c, userID, ErrSystem, user.ErrStronger)
}

// lends refuses to make the factors of a system administrator answer for another account: each such account would be a
// counter of its own for guesses at them. Those of people whom the caller does not administer are not to be found.
func (u Users) lends(ctx context.Context, c *op.Call, ref string) error {
	if strings.TrimSpace(ref) == "" {
		return nil
	}
	p, err := user.Find(ctx, c, ref)
	if errors.Is(err, user.ErrNotFound) {
		return nil // the directory refuses
	}
	if err == nil && !c.Grant.Allows(p.ID, p.Org) {
		err = user.ErrRedirect.At("CmaRedirectedUserUuid")
	}
	if err != nil {
		return err
	}
	return u.guard(ctx, c, p.ID)
}

// leads refuses a manager whom the caller does not administer, as one who is not there.
func (u Users) leads(ctx context.Context, c *op.Call, ref string) error {
	if c.Grant.Everything() || strings.TrimSpace(ref) == "" {
		return nil
	}
	p, err := user.Find(ctx, c, ref)
	if err == nil && c.Grant.Allows(p.ID, p.Org) {
		return nil
	}
	if err == nil || errors.Is(err, user.ErrNotFound) {
		return user.ErrManager.At("ReportsTo")
	}
	return err
}

// guarded is guard for what runs before the transaction: nothing may be found out by a password that is refused anyway.
func (u Users) guarded(ctx context.Context, c *op.Call, userID string) error {
	return c.Snapshot(ctx, func() error { return u.guard(ctx, c, userID) })
}

// administers says whether the caller acts on a person as an administrator, and not only on themselves.
func administers(c *op.Call, p user.User) bool {
	return c.Grant.Everything() || c.Grant.Allows("", p.Org)
}

// settle finds the organization of a new user. Who administers organizations only and names none means the only one.
func (u Users) settle(ctx context.Context, c *op.Call, path string) (id string, err error) {
	if strings.TrimSpace(path) != "" || c.Grant.Everything() {
		return u.place(ctx, c, path)
	}
	id, ok, err := u.Orgs.Only(ctx, c, c.Grant)
	if err == nil && !ok {
		err = ErrNoOrg.At("OrgPath")
	}
	return id, err
}

// place finds an organization by its path or id and refuses one that the caller does not administer; those who administer
// everything may choose none.
func (u Users) place(ctx context.Context, c *op.Call, path string) (id string, err error) {
	if strings.Trim(path, " /") != "" {
		found, err := u.Orgs.Find(ctx, c, path)
		if errors.Is(err, org.ErrNotFound) || err == nil && !c.Grant.Allows("", found.ID) {
			err = ErrOrg.At("OrgPath")
		}
		return found.ID, err
	}
	if !c.Grant.Everything() {
		return "", op.ErrDenied
	}
	return "", nil
}
