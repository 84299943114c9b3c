package app

import (
	"context"
	"strconv"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/message"
)

// mayUseCodes says whether somebody may sign in by recovery codes: as their policies say, and where these do not, everybody who has no
// administrative rights; whose account is one for an emergency always may. A paper in a drawer must not become the way to rights over others because nobody thought of it.
func (a *App) mayUseCodes(ctx context.Context, c *call.Call, userID string) (bool, error) {
	if is, err := a.BreakGlass.Is(ctx, c, userID); err != nil || is {
		return is, err
	}
	may, given, err := a.Policies.RecoveryCodes(ctx, c, userID)
	if err != nil || given || userID == "" {
		return may, err
	}
	return a.powerless(ctx, c, userID)
}

// codeUsed notes that somebody's recovery code was used, and tells them.
func (a *App) codeUsed(ctx context.Context, c *call.Call, p factor.Person, left int) error {
	e := c.Record(audit.RecoveryCodeUse)
	e.Target, e.Kind, e.Name, e.User, e.Login = p.ID, "User", p.Name, p.ID, p.Name
	e.Set("Left", left)
	if p.Mail == "" {
		return nil
	}
	data := message.Data{At: c.Now, IP: c.Client.IP.Unmap().String(), Total: strconv.Itoa(left)}
	return a.Post.Mail(ctx, c, "code_used/"+c.NewID(), readerOf(p), message.CodeUsed, data, c.Now.Add(keepNotice))
}
