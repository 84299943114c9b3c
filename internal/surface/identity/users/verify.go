package users

import (
	"context"

	"limen/internal/core/user"
	"limen/internal/op"
)

// unproved says what becomes of the question whose mail address it is: an administrator asks it by VerifyEmail, and whom it was
// asked for does not get rid of it by giving another address.
func unproved(c *op.Call, in UserChange, ch *user.Change) {
	asked := in.VerifyEmail.Or(false)
	if asked || in.found.MailUnproved && !administers(c, in.found) {
		ch.MailUnproved = new(true)
	}
}

// askAddress sends the link by which somebody shows that the mail address is theirs, where that is open and something of it is
// new.
func (u Users) askAddress(ctx context.Context, c *op.Call, in UserChange, now user.User) error {
	if !now.MailUnproved || !in.VerifyEmail.Or(false) && now.Mail == in.found.Mail {
		return nil
	}
	return u.Addresses.Ask(ctx, c, now)
}
