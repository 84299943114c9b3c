package account

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"limen/internal/core/address"
	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/factor/oath"
	"limen/internal/core/lockout"
	"limen/internal/core/login"
	"limen/internal/core/post"
	"limen/internal/core/session"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// Faults of second factors.
var (
	ErrMail     = fault.New(fault.Invalid, "account.mfa_mail", "Codes by mail are not removed: they go to your mail address as long as it is known to be yours.")
	ErrProved   = fault.New(fault.Conflict, "account.mfa_proved", "Codes by mail are set up: your mail address is known to be yours.")
	ErrMailCode = fault.New(fault.Invalid, "account.mfa_code", "This code is not valid. It was used, its time is over, or a newer one was sent.")
	ErrBegin    = fault.New(fault.Invalid, "account.mfa_none", "No set-up is under way. Begin one first.")
	ErrNoFactor = fault.New(fault.Invalid, "account.mfa_absent", "You have no authenticator.")
	ErrRequired = fault.New(fault.Invalid, "account.mfa_required", "A workspace of yours wants a second factor. Leave it first, or ask its administrators.")
	ErrBackup   = fault.New(fault.Invalid, "account.mfa_backup", "Send the backup code of your authenticator, or sign in with the authenticator first.")
)

// Bounds of what is looked at.
const (
	maxCode = 64
)

// totp is the method that is set up here, as the dialect calls it.
const totp = "TOTP_AUTHENTICATOR"

func (a Account) factorOps(own func(method, path, event string, faults ...*fault.Error) op.Spec) []op.Op {
	const path = "/uauth/users/mfa"
	begin := own(http.MethodPost, path+"/initialization", audit.FactorEnroll, ErrProved, post.ErrNoMail)
	begin.Rate = op.Costly
	confirm := own(http.MethodPost, path+"/confirmation", audit.FactorEnroll, ErrBegin, oath.ErrCode, ErrMailCode, address.ErrWait, login.ErrGuesses, fault.ErrMissing)
	remove := own(http.MethodDelete, path, audit.FactorRemove, ErrMail, ErrNoFactor, ErrRequired, ErrBackup, login.ErrGuesses, lockout.ErrLastWay)
	confirm.Rate, remove.Rate = op.Guess, op.Guess
	return []op.Op{
		op.Prepared(begin, a.keys, a.InitializeMFA),
		op.New(confirm, a.ConfirmMFA),
		op.New(remove, a.RemoveMFA),
	}
}

// Method names a second factor.
type Method struct {
	// MfaType is TOTP_AUTHENTICATOR, an authenticator app, which it is when absent; or EMAIL, codes by mail, which go to whoever has shown that
	// the mail address is theirs.
	MfaType string `json:"mfaType"`
}

func (m Method) check() error {
	if m.MfaType == "" || strings.EqualFold(m.MfaType, totp) || m.mail() {
		return nil
	}
	return fault.Bad("mfaType", "must be TOTP_AUTHENTICATOR or EMAIL")
}

func (m Method) mail() bool { return strings.EqualFold(m.MfaType, "EMAIL") }

// Initialization begins to set up a second factor.
type Initialization struct{ Method }

// Check wants a method that can be set up.
func (i *Initialization) Check() error { return i.check() }

// Begun is what an authenticator app needs.
type Begun struct {
	// Secret is the secret in base32, for who types it in. It is shown here alone; null for EMAIL.
	Secret *string `json:"secret"`
	// QrCode is what the app reads as a QR code: an otpauth URL, which holds the secret; null for EMAIL.
	QrCode *string `json:"qrCode"`
	// BackupCode is null: there is one once the first code has been given.
	BackupCode *string `json:"backupCode"`
}

// keys makes the key that secrets are sealed with, which cannot happen inside a transaction.
func (a Account) keys(ctx context.Context, c *op.Call, _ Initialization) (op.None, error) {
	return op.None{}, a.Factors.Ring.Ensure(ctx, c.Tenant.ID, factor.PurposeOATH)
}

// InitializeMFA begins to set up an authenticator app as the caller's second factor. An authenticator that is there stays until the
// confirmation; a set-up that was not finished is replaced. It is done within Session.ProofMinutes of signing in, and where policies want a
// further proof, after that. For EMAIL a mail goes to the caller's address whose link, or the code in it, shows that it is theirs. synerise.yaml,
// POST /uauth/users/mfa/initialization. Error: account.mfa_proved.
func (a Account) InitializeMFA(ctx context.Context, c *op.Call, in Initialization, _ op.None) (Begun, error) {
	u, err := a.proved(ctx, c)
	if err != nil {
		return Begun{}, err
	}
	if in.mail() {
		return Begun{}, a.mailed(ctx, c, u)
	}
	issuer, err := a.Settings.Issuer(ctx, c)
	if err != nil {
		return Begun{}, err
	}
	made, uri, err := a.Factors.Begin(ctx, c, u.ID, u.Name, issuer)
	if err != nil {
		return Begun{}, err
	}
	enrolled(c, u, made)
	c.Event.Set("Pending", true)
	at, err := url.Parse(uri)
	if err != nil {
		return Begun{}, err
	}
	return Begun{Secret: new(at.Query().Get("secret")), QrCode: &uri}, nil
}

// mailed sends the caller what shows that the mail address is theirs.
func (a Account) mailed(ctx context.Context, c *op.Call, u user.User) error {
	about(c, u)
	if u.Mail != "" && !u.MailUnproved {
		return ErrProved.At("mfaType")
	}
	c.Event.Set("Pending", true)
	return a.Addresses.Ask(ctx, c, u)
}

// about makes the event one about codes by mail to the caller.
func about(c *op.Call, u user.User) {
	e := c.Event
	e.Target, e.Kind, e.Name, e.User, e.Login = u.ID, "User", u.Name, u.ID, u.Name
	e.Set("Mechanism", factor.Email)
}

// proved is the caller, a person who showed a while ago at most who they are, and whatever policies want besides.
func (a Account) proved(ctx context.Context, c *op.Call) (user.User, error) {
	u, err := a.own(ctx, c)
	if err == nil {
		err = a.Logins.Own(ctx, c, u.ID, login.OwnOATH)
	}
	if err == nil {
		err = a.Sessions.Recent(ctx, c, u.ID)
	}
	return u, err
}

// enrolled makes the event one about an authenticator of the caller's.
func enrolled(c *op.Call, u user.User, p oath.Profile) {
	e := c.Event
	e.Target, e.Kind, e.Name, e.User, e.Login = p.ID, "OathProfile", p.Name, u.ID, u.Name
}

// Confirmation finishes to set up a second factor.
type Confirmation struct {
	// VerificationCode is the code that the app shows, required; blanks in it do not matter. For EMAIL it is the code in the mail's link.
	VerificationCode string `json:"verificationCode"`
	Method
}

// Check wants a code.
func (n *Confirmation) Check() error {
	switch {
	case strings.TrimSpace(n.VerificationCode) == "":
		return fault.Missing("verificationCode")
	case len(n.VerificationCode) > maxCode:
		return fault.Bad("verificationCode", "may have %d bytes", maxCode)
	}
	return n.check()
}

// Confirmed is the answer to a first code.
type Confirmed struct {
	// BackupCode stands in for the authenticator when it is to be removed, and is shown here alone; null for EMAIL.
	BackupCode *string `json:"backupCode"`
}

// ConfirmMFA finishes to set up the caller's authenticator app with its first code: it counts from then on, in place of an earlier one, and
// devices that stood in for the second factor do so no more. The code is used up by this; wrong ones count as failed second factors do.
// Whether sign-ins ask for it is for policies to say, and for the workspaces that want a second factor. For EMAIL the code shows that the mail
// address is the caller's, as the link does. synerise.yaml, POST /uauth/users/mfa/confirmation.
func (a Account) ConfirmMFA(ctx context.Context, c *op.Call, in Confirmation) (Confirmed, error) {
	u, err := a.proved(ctx, c)
	if err != nil {
		return Confirmed{}, err
	}
	if in.mail() {
		return Confirmed{}, a.opened(ctx, c, u, in.VerificationCode)
	}
	id, err := a.pending(ctx, c, u)
	if err != nil {
		return Confirmed{}, err
	}
	if err := a.Logins.Free(ctx, c, throttle.Second, u); err != nil {
		return Confirmed{}, err
	}
	err = a.Factors.Confirm(ctx, c, u.ID, id, in.VerificationCode)
	if err != nil && !errors.Is(err, oath.ErrCode) {
		return Confirmed{}, err
	}
	if err := a.count(ctx, c, u, err == nil, oath.ErrCode.At("verificationCode")); err != nil {
		return Confirmed{}, err
	}
	if err := a.Workspaces.ForgetDevices(ctx, c, u.ID); err != nil {
		return Confirmed{}, err
	}
	code, err := a.Factors.Backup(ctx, c, u.ID, id)
	return Confirmed{&code}, err
}

// opened takes the code of the mail that shows whose address it is. One that opens nothing is a guess, which is counted.
func (a Account) opened(ctx context.Context, c *op.Call, u user.User, code string) error {
	about(c, u)
	wrong := ErrMailCode.At("verificationCode")
	code = strings.TrimSpace(code)
	owner, err := a.Addresses.Look(ctx, c, code)
	if err == nil && owner.ID != u.ID {
		return wrong
	}
	if err == nil || errors.Is(err, address.ErrLink) {
		_, err = a.Addresses.Confirm(ctx, c, code)
	}
	if errors.Is(err, address.ErrLink) {
		return op.Refused(wrong)
	}
	return err
}

// pending finds the set-up that is under way.
func (a Account) pending(ctx context.Context, c *op.Call, u user.User) (string, error) {
	all, err := a.Factors.List(ctx, c, u.ID)
	for _, p := range all {
		if !p.Confirmed {
			enrolled(c, u, p)
			return p.ID, err
		}
	}
	if err == nil {
		err = ErrBegin
	}
	return "", err
}

// count takes a guess. A wrong one ends the operation with the fault, and what was counted is kept.
func (a Account) count(ctx context.Context, c *op.Call, u user.User, right bool, wrong *fault.Error) error {
	if err := a.Logins.Guessed(ctx, c, throttle.Second, u, right); err != nil || right {
		return err
	}
	return op.Refused(wrong)
}

// Removal removes a second factor.
type Removal struct {
	// BackupCode is the authenticator's backup code. It is not needed by a session that showed a second factor, nor of an authenticator that
	// has none.
	BackupCode string `json:"backupCode"`
	Method
}

// Check bounds the code.
func (r *Removal) Check() error {
	if len(r.BackupCode) > maxCode {
		return fault.Bad("backupCode", "may have %d bytes", maxCode)
	}
	if r.mail() {
		return ErrMail.At("mfaType")
	}
	return r.check()
}

// RemoveMFA removes the caller's authenticator. It is refused while a workspace of theirs wants a second factor, and wants what other
// changes of factors want, and the backup code from sessions that showed no second factor; wrong ones count as failed second factors do.
// The caller's other sessions end, and devices that stood in for the second factor are forgotten. The last way in of the last system
// administrator stays. synerise.yaml, DELETE /uauth/users/mfa.
func (a Account) RemoveMFA(ctx context.Context, c *op.Call, in Removal) (op.None, error) {
	u, err := a.proved(ctx, c)
	if err != nil {
		return op.None{}, err
	}
	if err := a.removable(ctx, c, u); err != nil {
		return op.None{}, err
	}
	if err := a.shown(ctx, c, u, in.BackupCode); err != nil {
		return op.None{}, err
	}
	err = a.Keep(ctx, c, u.ID, func() error { return a.Factors.Drop(ctx, c, u.ID) })
	if err != nil {
		return op.None{}, err
	}
	if err := a.Workspaces.ForgetDevices(ctx, c, u.ID); err != nil {
		return op.None{}, err
	}
	ended, err := a.Sessions.EndAll(ctx, c, u.ID, c.Caller.Session)
	c.Event.Set("SessionsEnded", ended)
	return op.None{}, err
}

// removable says whether there is an authenticator that no workspace of the caller's needs.
func (a Account) removable(ctx context.Context, c *op.Call, u user.User) error {
	all, err := a.Factors.List(ctx, c, u.ID)
	if err != nil {
		return err
	}
	for _, p := range all {
		if !p.Confirmed {
			continue
		}
		enrolled(c, u, p)
		required, err := a.Required(ctx, c, u.ID)
		if err == nil && required {
			err = ErrRequired
		}
		return err
	}
	return ErrNoFactor
}

// shown wants a second factor: of the session, or a backup code where there is one. A code that is sent is looked at in any case.
func (a Account) shown(ctx context.Context, c *op.Call, u user.User, code string) error {
	if strings.TrimSpace(code) == "" {
		has, err := a.Factors.HasBackup(ctx, c, u.ID)
		if err == nil && has && c.Caller.Level != session.High {
			err = ErrBackup.At("backupCode")
		}
		return err
	}
	if err := a.Logins.Free(ctx, c, throttle.Second, u); err != nil {
		return err
	}
	fits, err := a.Factors.FitsBackup(ctx, c, u.ID, code)
	if err != nil {
		return err
	}
	return a.count(ctx, c, u, fits, ErrBackup.At("backupCode"))
}
