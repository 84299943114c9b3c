package login

import (
	"context"
	"errors"
	"net/http"

	"limen/internal/core/address"
	"limen/internal/core/audit"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/web/login"
)

// addresses declares where people show that a mail address is theirs.
func (l Login) addresses() []op.Op {
	faults := []*fault.Error{address.ErrLink, address.ErrWait}
	return []op.Op{
		op.New(op.Spec{Method: http.MethodGet, Path: address.Path, Allow: op.Anonymous, Effect: op.Read, Rate: op.Guess, Faults: faults}, l.Address),
		op.New(op.Spec{
			Path: address.Path, Allow: op.Anonymous, Effect: op.Write, Audit: audit.UserMail, Rate: op.Guess, MaxBody: maxForm,
			Faults: append(faults, ErrElsewhere),
		}, l.Confirm),
	}
}

// Address shows whose mail address a link is about, and asks whether it is theirs. It changes nothing, since mail scanners open
// links. A link that is unknown, used or over shows the same page whoever it was for.
func (l Login) Address(ctx context.Context, c *op.Call, in Link) (login.Address, error) {
	u, err := l.Addresses.Look(ctx, c, in.Token)
	if err != nil {
		return login.Address{}, err
	}
	return login.Address{Account: u.Name, Mail: u.Mail, Culture: u.Culture, Token: in.Token}, nil
}

// Confirm notes that a mail address is the person's, and uses the link up; it signs nobody in. Wrong tokens are counted per
// network.
func (l Login) Confirm(ctx context.Context, c *op.Call, in Link) (login.Confirmed, error) {
	shown, err := l.Addresses.Confirm(ctx, c, in.Token)
	if errors.Is(err, address.ErrLink) { // counted
		return login.Confirmed{}, op.Refused(fault.Of(err))
	}
	return login.Confirmed{Mail: shown.Person.Mail, Culture: shown.Person.Culture, Landing: shown.Landing}, err
}
