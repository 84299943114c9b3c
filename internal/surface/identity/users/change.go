package users

import (
	"context"
	"strings"
	"time"

	"limen/internal/core/login"
	"limen/internal/core/password"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// UserChange is a partial change: what is absent stays.
type UserChange struct {
	// ID is the user's UUID or login name; the caller's own when absent.
	ID string `json:"ID" also:"Uuid"`
	// Mail is a mail address.
	Mail op.Opt[string] `json:"Mail"`
	// DisplayName is how people see the user.
	DisplayName op.Opt[string] `json:"DisplayName"`
	// Description is free text.
	Description op.Opt[string] `json:"Description"`
	// MobileNumber is a mobile number, best in international form; text messages go there.
	MobileNumber op.Opt[string] `json:"MobileNumber"`
	// HomeNumber is a telephone number at home.
	HomeNumber op.Opt[string] `json:"HomeNumber"`
	// OfficeNumber is a telephone number at work.
	OfficeNumber op.Opt[string] `json:"OfficeNumber"`
	// PreferredCulture is a language tag; empty: the tenant's.
	PreferredCulture op.Opt[string] `json:"PreferredCulture"`

	// VerifyEmail sends a link to the mail address; until it is opened and confirmed, no code goes to the address.
	VerifyEmail op.Opt[bool] `json:"VerifyEmail"`

	// The fields below are for administrators only.

	// Name is a new login name.
	Name op.Opt[string] `json:"Name"`
	// OrgPath is the path or id of the organization; empty: none.
	OrgPath op.Opt[string] `json:"OrgPath"`
	// ReportsTo is the manager's UUID or login name; empty: nobody.
	ReportsTo op.Opt[string] `json:"ReportsTo"`
	// CmaRedirectedUserUuid is the person whose factors answer instead; empty: one's own.
	CmaRedirectedUserUuid op.Opt[string] `json:"CmaRedirectedUserUuid"`
	// UseAlternateMfaAccount false takes one's own factors whatever CmaRedirectedUserUuid says.
	UseAlternateMfaAccount op.Opt[bool] `json:"useAlternateMfaAccount"`
	// InEverybodyRole says whether the user is in the role Everybody; for administrators.
	InEverybodyRole op.Opt[bool] `json:"InEverybodyRole"`
	// InSysAdminRole says whether the user is a system administrator; for system administrators.
	InSysAdminRole op.Opt[bool] `json:"InSysAdminRole"`
	// ServiceUser is true for what is no person; for administrators.
	ServiceUser op.Opt[bool] `json:"ServiceUser"`
	// OauthClient is true for confidential OAuth clients; for administrators.
	OauthClient op.Opt[bool] `json:"OauthClient"`
	// ForcePasswordChangeNext makes the user choose another password at the next sign-in; for administrators.
	ForcePasswordChangeNext op.Opt[bool] `json:"ForcePasswordChangeNext"`
	// PasswordNeverExpire exempts the password from the policy's age; for administrators.
	PasswordNeverExpire op.Opt[bool] `json:"PasswordNeverExpire"`
	// AccountExp is the end of the account; null: none.
	AccountExp op.Opt[time.Time] `json:"AccountExp"`
	// State is None, or a list of Locked, Disabled, Expired with commas.
	State op.Opt[string] `json:"state"`
	// Password is a new password; the text undefined, which the portal sends, means none.
	Password op.Opt[string] `json:"Password"`
	person
}

// Check reads the state.
func (n *UserChange) Check() error {
	if s, ok := n.State.Get(); ok {
		_, err := user.ParseState("state", s)
		return err
	}
	return nil
}

// Resolve finds the user.
func (n *UserChange) Resolve(ctx context.Context, c *op.Call) error { return n.find(ctx, c, n.ID) }

// Effect keeps managers free of cycles.
func (n *UserChange) Effect() op.Effect {
	if n.ReportsTo.Or("") != "" {
		return op.Serial
	}
	return op.Write
}

// admin names a field that only administrators may send.
func (n *UserChange) admin() string {
	for _, f := range []struct {
		given bool
		name  string
	}{
		{n.Name.Given(), "Name"}, {n.OrgPath.Given(), "OrgPath"}, {n.ReportsTo.Given(), "ReportsTo"},
		{n.CmaRedirectedUserUuid.Given(), "CmaRedirectedUserUuid"}, {n.UseAlternateMfaAccount.Given(), "useAlternateMfaAccount"},
		{n.InEverybodyRole.Given(), "InEverybodyRole"}, {n.InSysAdminRole.Given(), "InSysAdminRole"}, {n.ServiceUser.Given(), "ServiceUser"},
		{n.OauthClient.Given(), "OauthClient"}, {n.ForcePasswordChangeNext.Given(), "ForcePasswordChangeNext"},
		{n.PasswordNeverExpire.Given(), "PasswordNeverExpire"}, {n.AccountExp.Given(), "AccountExp"}, {n.State.Given(), "state"},
		{n.plain() != "", "Password"},
	} {
		if f.given {
			return f.name
		}
	}
	return ""
}

func (n *UserChange) plain() string {
	if p := n.Password.Or(""); p != "undefined" {
		return p
	}
	return ""
}

// text is a given text for the directory; null empties it.
func text(o op.Opt[string]) *string {
	if !o.Given() {
		return nil
	}
	s := o.Or("")
	return &s
}

// flag is a given boolean; null leaves it alone.
func flag(o op.Opt[bool]) *bool {
	v, ok := o.Get()
	if !ok {
		return nil
	}
	return &v
}

// change is what the directory makes of it.
func (n *UserChange) change() (user.Change, error) {
	ch := user.Change{
		Mail: text(n.Mail), Display: text(n.DisplayName), Description: text(n.Description), Mobile: text(n.MobileNumber), Home: text(n.HomeNumber),
		Office: text(n.OfficeNumber), Culture: text(n.PreferredCulture), ReportsTo: text(n.ReportsTo), MfaUser: text(n.CmaRedirectedUserUuid),
		Everybody: flag(n.InEverybodyRole), System: flag(n.InSysAdminRole), Service: flag(n.ServiceUser), OAuthClient: flag(n.OauthClient),
		ForceChange: flag(n.ForcePasswordChangeNext), NeverExpires: flag(n.PasswordNeverExpire),
	}
	if v, ok := n.Name.Get(); ok {
		ch.Name = &v
	}
	if !n.UseAlternateMfaAccount.Or(true) {
		ch.MfaUser = new(string)
	}
	if n.AccountExp.Given() {
		ch.Expires = new(ends(n.AccountExp))
	}
	s, ok := n.State.Get()
	if !ok {
		return ch, nil
	}
	state, err := user.ParseState("state", s)
	ch.State = &state
	return ch, err
}

// ends is the end of an account as it is stored: 0 for none. An account that ended before 1970 ended in its first
// millisecond.
func ends(o op.Opt[time.Time]) int64 {
	t, ok := o.Get()
	if !ok || t.IsZero() {
		return 0
	}
	return max(t.UnixMilli(), 1)
}

func (u Users) hashChange(ctx context.Context, c *op.Call, in UserChange) (hashed, error) {
	plain := in.plain()
	if plain == "" || !administers(c, in.found) || in.found.ID == c.User() {
		return hashed{}, nil // or Run refuses
	}
	if err := u.guarded(ctx, c, in.found.ID); err != nil {
		return hashed{}, err
	}
	made, err := u.Passwords.Prepare(ctx, c, password.Change{
		User: in.found.ID, Names: names(in.found), Plain: plain, Reset: true, Any: in.ForcePasswordChangeNext.Or(false),
	})
	return hashed{made, true}, err
}

// errOwnPassword sends people to the operation that asks for the old one.
var errOwnPassword = ErrSelf.Say("Use ChangeUserPassword for your own password.")

func names(p user.User) password.Names {
	return password.Names{Login: p.Name, Display: p.Display, Mail: p.Mail}
}

// ChangeUser changes properties of a user; fields that are absent keep their value.
//
// People change their own profile; the login name, roles, state, organization, manager, password and account's end are
// for administrators, who set their own password with ChangeUserPassword. Where codes reach the caller, and whose factors
// answer for them, they change within Session.ProofMinutes of signing in. Unknown members are ignored. users.yaml n 92.
func (u Users) ChangeUser(ctx context.Context, c *op.Call, in UserChange, h hashed) (op.None, error) {
	if field := in.admin(); field != "" && !administers(c, in.found) {
		return op.None{}, ErrField.At(field).Say("You are not authorized to change %s.", field)
	}
	if err := u.own(ctx, c, in); err != nil {
		return op.None{}, err
	}
	if err := u.guard(ctx, c, in.found.ID); err != nil {
		return op.None{}, err
	}
	ch, err := in.change()
	if err == nil && alters(ch.MfaUser, in.found.MfaUser) {
		err = u.lends(ctx, c, *ch.MfaUser)
	}
	if err == nil && alters(ch.ReportsTo, in.found.ReportsTo) {
		err = u.leads(ctx, c, *ch.ReportsTo)
	}
	if err != nil {
		return op.None{}, err
	}
	if in.OrgPath.Given() {
		org, err := u.place(ctx, c, in.OrgPath.Or(""))
		if err != nil {
			return op.None{}, err
		}
		ch.Org = &org
	}
	unproved(c, in, &ch)
	now, err := u.store(ctx, c, in.found, ch)
	if err == nil {
		err = u.askAddress(ctx, c, in, now)
	}
	if err != nil || !h.set {
		return op.None{}, err
	}
	c.Event.Set("PasswordChanged", true)
	return op.None{}, u.setPassword(ctx, c, in.found.ID, h, in.ForcePasswordChangeNext.Or(false))
}

// own refuses what people may not do to their own account: set a password without the old one, or, long after they signed in,
// change where codes reach them or whose factors answer.
func (u Users) own(ctx context.Context, c *op.Call, in UserChange) error {
	if in.found.ID != c.User() {
		return nil
	}
	if in.plain() != "" {
		return errOwnPassword
	}
	ch, err := in.change()
	if err == nil {
		err = u.Logins.Own(ctx, c, in.found.ID, login.OwnProfile)
	}
	if err != nil {
		return err
	}
	if reroutes(ch, in.found) {
		return u.Sessions.Recent(ctx, c, in.found.ID)
	}
	return nil
}

// store changes a user. Where codes reach the last system administrator who can sign in stays where it is needed for that.
func (u Users) store(ctx context.Context, c *op.Call, was user.User, ch user.Change) (now user.User, err error) {
	if !reroutes(ch, was) {
		return u.People.Change(ctx, c, was.ID, ch)
	}
	err = u.Keep(ctx, c, was.ID, func() (err error) {
		now, err = u.People.Change(ctx, c, was.ID, ch)
		return err
	})
	return now, err
}

// reroutes says whether a change is about where codes reach a user, or whose factors answer.
func reroutes(ch user.Change, was user.User) bool {
	return alters(ch.Mail, was.Mail) || alters(ch.Mobile, was.Mobile) || alters(ch.MfaUser, was.MfaUser)
}

// alters says whether a text is given that is another one; clients send profiles back whole.
func alters(given *string, is string) bool { return given != nil && strings.TrimSpace(*given) != is }

// setPassword stores a password that somebody else chose: what the person has open ends.
func (u Users) setPassword(ctx context.Context, c *op.Call, id string, h hashed, force bool) error {
	if err := u.Passwords.Put(ctx, c, id, h.New, force); err != nil {
		return err
	}
	return u.People.End(ctx, c, id)
}

// StateChange sets a user's state flags.
type StateChange struct {
	// ID is the user's UUID or login name, required.
	ID string `json:"ID" also:"Uuid"`
	// State is None, or a list of Locked, Disabled, Expired with commas; required.
	State string `json:"state"`
	person
}

// Check wants both.
func (s *StateChange) Check() error {
	if err := required("ID", s.ID); err != nil {
		return err
	}
	if err := required("state", s.State); err != nil {
		return err
	}
	_, err := user.ParseState("state", s.State)
	return err
}

// Resolve finds the user.
func (s *StateChange) Resolve(ctx context.Context, c *op.Call) error { return s.find(ctx, c, s.ID) }

// SetUserState sets the account state flags of a user: None clears all of them.
//
// Locked, disabled and expired users cannot sign in, and their sessions end. users.yaml n 106.
func (u Users) SetUserState(ctx context.Context, c *op.Call, in StateChange) (op.None, error) {
	state, err := user.ParseState("state", in.State)
	if err != nil {
		return op.None{}, err
	}
	if state != (user.State{}) && in.found.ID == c.User() {
		return op.None{}, ErrSelf
	}
	if err := u.guard(ctx, c, in.found.ID); err != nil {
		return op.None{}, err
	}
	return op.None{}, u.People.SetState(ctx, c, in.found.ID, state)
}

// Activation suspends a user or lets them back in.
type Activation struct {
	// UUID is the user's UUID or login name, required.
	UUID string `json:"uuid" also:"ID"`
	// State is true for active, false for suspended; required.
	State op.Opt[bool] `json:"state"`
	person
}

// Check wants both.
func (a *Activation) Check() error {
	if err := required("uuid", a.UUID); err != nil {
		return err
	}
	if _, ok := a.State.Get(); !ok {
		return fault.Missing("state")
	}
	return nil
}

// Resolve finds the user.
func (a *Activation) Resolve(ctx context.Context, c *op.Call) error { return a.find(ctx, c, a.UUID) }

// ChangeUserState activates or suspends a user. Callers cannot change their own state. users.yaml n 105.
func (u Users) ChangeUserState(ctx context.Context, c *op.Call, in Activation) (op.None, error) {
	if in.found.ID == c.User() {
		return op.None{}, ErrSelf
	}
	if err := u.guard(ctx, c, in.found.ID); err != nil {
		return op.None{}, err
	}
	return op.None{}, u.People.Suspend(ctx, c, in.found.ID, !in.State.Or(true))
}

// CloudLock locks or unlocks a user.
type CloudLock struct {
	// User is the user's UUID or login name, required.
	User string `json:"user" also:"ID,Uuid"`
	// LockUser is true to lock, false to unlock; required.
	LockUser op.Opt[bool] `json:"lockUser"`
	person
}

// Check wants both.
func (l *CloudLock) Check() error {
	if err := required("user", l.User); err != nil {
		return err
	}
	if _, ok := l.LockUser.Get(); !ok {
		return fault.Missing("lockUser")
	}
	return nil
}

// Resolve finds the user.
func (l *CloudLock) Resolve(ctx context.Context, c *op.Call) error { return l.find(ctx, c, l.User) }

// SetCloudLock applies or clears a cloud lock, which is apart from the account state, and answers true.
//
// Service users are exempt. A lock ends the user's sessions. users.yaml n 110.
func (u Users) SetCloudLock(ctx context.Context, c *op.Call, in CloudLock) (bool, error) {
	lock := in.LockUser.Or(false)
	if lock && in.found.ID == c.User() {
		return false, ErrSelf
	}
	if err := u.guard(ctx, c, in.found.ID); err != nil {
		return false, err
	}
	return true, u.People.SetCloudLock(ctx, c, in.found.ID, lock)
}

// PasswordReset is a password that an administrator sets.
type PasswordReset struct {
	// ID is the user's UUID or login name, required.
	ID string `json:"ID" also:"Uuid"`
	// NewPassword is required.
	NewPassword string `json:"newPassword"`
	person
}

// Check wants both.
func (r *PasswordReset) Check() error {
	if err := required("ID", r.ID); err != nil {
		return err
	}
	return required("newPassword", r.NewPassword)
}

// Resolve finds the user.
func (r *PasswordReset) Resolve(ctx context.Context, c *op.Call) error { return r.find(ctx, c, r.ID) }

func (u Users) hashReset(ctx context.Context, c *op.Call, in PasswordReset) (hashed, error) {
	if in.found.ID == c.User() {
		return hashed{}, nil // Run refuses
	}
	if err := u.guarded(ctx, c, in.found.ID); err != nil {
		return hashed{}, err
	}
	made, err := u.Passwords.Prepare(ctx, c, password.Change{User: in.found.ID, Names: names(in.found), Plain: in.NewPassword, Reset: true})
	return hashed{made, true}, err
}

// ResetUserPassword sets somebody's password. Their sessions end. users.yaml, head, EXTRA endpoints.
//
// Callers set their own password with ChangeUserPassword, which asks for the old one.
func (u Users) ResetUserPassword(ctx context.Context, c *op.Call, in PasswordReset, h hashed) (op.None, error) {
	if in.found.ID == c.User() {
		return op.None{}, errOwnPassword
	}
	if err := u.guard(ctx, c, in.found.ID); err != nil {
		return op.None{}, err
	}
	about, err := u.People.ByID(ctx, c, in.found.ID)
	if err != nil {
		return op.None{}, err
	}
	e := c.Event
	e.Target, e.Kind, e.Name, e.User, e.Login = about.ID, "User", about.Name, about.ID, about.Name
	return op.None{}, u.setPassword(ctx, c, about.ID, h, about.ForceChange)
}
