package invite

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/core/password"
	"limen/internal/core/user"
	"limen/internal/crypt"
	"limen/internal/fault"
)

// Choice is a first password that was checked and hashed.
type Choice struct {
	user  string // whose invitation it was when the password was checked; empty: the token opened nothing
	fresh password.New
	rule  *fault.Error // what is wrong with the password
}

// Prepare checks and hashes the password that an invited person chose, typed twice; outside transactions. What is wrong
// with token or password is told by Accept. It fails with ErrWait while the network is refused: then nothing is hashed.
func (i *Invites) Prepare(ctx context.Context, c *call.Call, token, plain, again string) (Choice, error) {
	var u user.User
	err := c.Snapshot(ctx, func() (err error) {
		u, err = i.Look(ctx, c, token)
		return err
	})
	if errors.Is(err, ErrLink) {
		return Choice{}, nil
	}
	if err != nil {
		return Choice{}, err
	}
	if !crypt.SameText(plain, again) {
		return Choice{user: u.ID, rule: ErrDiffer}, nil
	}
	fresh, err := i.Passwords.Prepare(ctx, c, password.Change{
		User: u.ID, Names: password.Names{Login: u.Name, Display: u.Display, Mail: u.Mail}, Plain: plain, Reset: true,
	})
	if f := fault.Of(err); f != nil && f.Kind == fault.Invalid {
		return Choice{user: u.ID, rule: f}, nil
	}
	return Choice{user: u.ID, fresh: fresh}, err
}

// Accept stores the password, uses the invitation up and ends what sessions the person has. It gives the person also
// where the password is at fault: then the invitation may be tried again. A token that opens nothing counts as a guess of
// the caller's network, so its fault must not undo the transaction. It signs nobody in.
//
// Faults: ErrLink; ErrWait; ErrDiffer and those of the password policy; password.ErrChanged.
func (i *Invites) Accept(ctx context.Context, c *call.Call, token string, ch Choice) (user.User, error) {
	u, err := i.person(ctx, c, lockRow, token)
	if err == nil && u.ID != ch.user {
		err = ErrLink
	}
	if err != nil && !errors.Is(err, ErrLink) {
		return user.User{}, err
	}
	if failed := i.Links.Used(ctx, c, err == nil, ErrWait); failed != nil {
		return user.User{}, failed
	}
	switch {
	case err != nil:
		return user.User{}, err
	case ch.rule != nil:
		return u, ch.rule
	}
	return u, i.settle(ctx, c, token, u.ID, ch.fresh)
}

func (i *Invites) settle(ctx context.Context, c *call.Call, token, userID string, fresh password.New) error {
	n, err := useRow.Do(ctx, c.Tx, c.Now.UnixMilli(), c.Tenant.ID, crypt.TokenHash(token))
	if err == nil && n == 0 {
		err = ErrLink
	}
	if err != nil {
		return err
	}
	if err := i.Passwords.Put(ctx, c, userID, fresh, false); err != nil {
		return err
	}
	_, err = i.Sessions.EndAll(ctx, c, userID, "")
	return err
}
