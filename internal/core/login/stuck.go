package login

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/user"
)

// Stuck says whether a person cannot pass what a sign-in would ask of them now, from the network of the call and on no device
// that is known: a factor is required of which they have enrolled none, or a password of somebody who has none. Whether the
// account may be used at all is another question (user.User.Barred). It reads only.
func (l *Logins) Stuck(ctx context.Context, c *call.Call, u user.User) (bool, error) {
	plain := *c
	plain.Client = call.Client{IP: c.Client.IP, Host: c.Client.Host, Secure: c.Client.Secure}
	s, _, _, err := l.begin(ctx, &plain, Begin{Login: u.Name})
	if err != nil || s.Refused != "" {
		return err == nil, err
	}
	for _, one := range s.Challenges {
		if len(one) != 1 || one[0].Name != factor.Password {
			continue
		}
		if cur, err := l.Passwords.Find(ctx, c, u.ID); err != nil || cur.Hash == "" {
			return err == nil, err
		}
	}
	return false, nil
}
