package mfa

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"limen/internal/core/login"
	"limen/internal/core/password"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// PasswordWish says what password is to be made.
type PasswordWish struct {
	// PasswordLength is the number of characters; 0 or absent: the policy's own.
	PasswordLength int `json:"passwordLength"`
	// UserUuid is the UUID of the user whose policy applies; the caller's when absent. Login names are not taken: this
	// operation is open to everybody who is signed in, and would tell which names exist.
	UserUuid string `json:"userUuid"`
}

// GeneratePassword makes a random password that meets the password policy and returns it as bare text. Nothing is stored.
//
// It fails with password.length when the policy does not allow the length. mfa.yaml n 37.
func (m MFA) GeneratePassword(ctx context.Context, c *op.Call, in PasswordWish) (string, error) {
	whose := c.User()
	if ref := strings.TrimSpace(in.UserUuid); ref != "" {
		id, err := uuid.Parse(ref)
		if err != nil {
			return "", user.ErrNotFound
		}
		p, err := m.People.ByID(ctx, c, id.String())
		if err != nil {
			return "", err
		}
		whose = p.ID
	}
	policy, err := m.Passwords.PolicyOf(ctx, c, whose)
	if err != nil {
		return "", err
	}
	return policy.Generate(c.Rand, in.PasswordLength)
}

// tried is a password that Prepare checked.
type tried struct {
	current password.Current
	verdict password.Verdict
}

// try checks a password outside transactions. While guesses are refused, nothing is hashed.
func (m MFA) try(ctx context.Context, c *op.Call, p user.User, plain string) (t tried, err error) {
	err = c.Snapshot(ctx, func() (err error) {
		if err = m.Logins.Free(ctx, c, throttle.Password, p); err == nil {
			t.current, err = m.Passwords.Find(ctx, c, p.ID)
		}
		return err
	})
	if err == nil {
		t.verdict, err = m.Passwords.Verify(ctx, t.current, plain)
	}
	return t, err
}

// proved counts what try found out, and fails unless it was the password that is still stored.
func (m MFA) proved(ctx context.Context, c *op.Call, p user.User, t tried) error {
	now, err := m.Passwords.Find(ctx, c, p.ID)
	if err != nil {
		return err
	}
	if now.Version != t.current.Version {
		return password.ErrChanged
	}
	if err := m.count(ctx, c, throttle.Password, p, t.verdict.OK, password.ErrWrong); err != nil {
		return err
	}
	return m.Passwords.Keep(ctx, c, p.ID, t.current, t.verdict)
}

// PasswordChange is a new password beside the one it replaces.
type PasswordChange struct {
	// OldPassword is the caller's password so far, required.
	OldPassword string `json:"oldPassword"`
	// NewPassword is required.
	NewPassword string `json:"newPassword"`
	oneself
}

// Check wants both.
func (p *PasswordChange) Check() error {
	if p.OldPassword == "" {
		return fault.Missing("oldPassword")
	}
	if p.NewPassword == "" {
		return fault.Missing("newPassword")
	}
	return nil
}

// replacement is a new password that was checked and hashed beside the proof of the old one.
type replacement struct {
	tried
	fresh password.New
	rule  error // that the new one breaks
}

// hashChange leaves the rule that a new password breaks for Run to tell, after the guess at the old one is counted:
// else the rule would say that the guess was right, and whoever sends many guesses at once would not be held back.
func (m MFA) hashChange(ctx context.Context, c *op.Call, in PasswordChange) (r replacement, err error) {
	if r.tried, err = m.try(ctx, c, in.found, in.OldPassword); err != nil || !r.verdict.OK {
		return r, err
	}
	names := password.Names{Login: in.found.Name, Display: in.found.Display, Mail: in.found.Mail}
	r.fresh, err = m.Passwords.Prepare(ctx, c, password.Change{User: in.found.ID, Names: names, Plain: in.NewPassword})
	if f := fault.Of(err); f != nil && f.Kind != fault.Internal {
		r.rule, err = f, nil
	}
	return r, err
}

// ChangeUserPassword changes the caller's own password, who proves the old one.
//
// A wrong old password counts as a failed sign-in does. The caller's other sessions end, and a mail tells of the change.
// mfa.yaml n 39.
func (m MFA) ChangeUserPassword(ctx context.Context, c *op.Call, in PasswordChange, r replacement) (op.None, error) {
	about(c, in.found)
	if err := m.Logins.Own(ctx, c, in.found.ID, login.OwnPassword); err != nil {
		return op.None{}, err
	}
	if err := m.proved(ctx, c, in.found, r.tried); err != nil {
		return op.None{}, err
	}
	if r.rule != nil {
		return op.None{}, r.rule
	}
	if err := m.Passwords.Put(ctx, c, in.found.ID, r.fresh, false); err != nil {
		return op.None{}, err
	}
	ended, err := m.Sessions.EndAll(ctx, c, in.found.ID, c.Caller.Session)
	if err != nil {
		return op.None{}, err
	}
	c.Event.Set("SessionsEnded", ended)
	return op.None{}, m.tell(ctx, c, in.found, login.PasswordChanged)
}

// PasswordCheck is a password to be checked.
type PasswordCheck struct {
	// Password is the caller's, required.
	Password string `json:"password"`
	oneself
}

// Check wants it.
func (p *PasswordCheck) Check() error {
	if p.Password == "" {
		return fault.Missing("password")
	}
	return nil
}

func (m MFA) hashCheck(ctx context.Context, c *op.Call, in PasswordCheck) (tried, error) {
	return m.try(ctx, c, in.found, in.Password)
}

// VerifyPassword checks the caller's password, for pages that ask for it again, and answers true.
//
// A wrong one counts as a failed sign-in does. mfa.yaml n 40.
func (m MFA) VerifyPassword(ctx context.Context, c *op.Call, in PasswordCheck, t tried) (bool, error) {
	about(c, in.found)
	if err := m.proved(ctx, c, in.found, t); err != nil {
		return false, err
	}
	return true, nil
}
