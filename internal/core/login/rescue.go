package login

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/user"
)

// rescue puts the password alone in the place of what is asked, for whom whoever owns the machine lets in so, and says whether
// it did. Admits does not count it: it is no way in that lasts.
func (l *Logins) rescue(ctx context.Context, c *call.Call, u user.User, p *Profile) (bool, error) {
	if l.Rescued == nil {
		return false, nil
	}
	ok, err := l.Rescued(ctx, c, u.ID)
	if ok && err == nil {
		p.ID, p.Revision, p.Questions, p.Challenges = "", 0, 0, [][]string{{factor.Password}}
		p.RequireSecond, p.RememberFor, p.PassFor, p.PersistLife, p.Refused, p.Confirm = false, 0, 0, 0, "", false
	}
	return ok, err
}
