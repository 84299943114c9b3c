package login

import (
	"context"
	"strings"

	"limen/internal/call"
	"limen/internal/core/risk"
	"limen/internal/core/user"
)

// rate rates a sign-in that begins; nil where nobody does. A name that does not exist costs as much: u is whose package stands in.
func (l *Logins) rate(ctx context.Context, c *call.Call, u user.User, in Begin) (*risk.Rating, error) {
	if l.Risks == nil {
		return nil, nil
	}
	out, err := l.Risks.Rate(ctx, c, risk.Subject{User: u.ID, Login: in.Login, Relayed: in.Radius != nil})
	return &out, err
}

// Risk is the level that a sign-in of a person would have now; empty where nobody rates it. It reads only.
func (l *Logins) Risk(ctx context.Context, c *call.Call, personID string) (risk.Level, error) {
	if l.Risks == nil || personID == "" {
		return "", nil
	}
	u, err := l.People.ByID(ctx, c, personID)
	if err != nil {
		return "", err
	}
	out, err := l.Risks.Rate(ctx, c, risk.Subject{User: u.ID, Login: u.Name})
	return out.Level, err
}

// rating puts into an event what was thought of the sign-in that it ends.
func rating(e *call.Event, r *risk.Rating) {
	if r == nil {
		return
	}
	e.Set("RiskLevel", string(r.Level))
	if len(r.Reasons) > 0 {
		e.Set("RiskScore", r.Score)
		all := make([]string, len(r.Reasons))
		for i, one := range r.Reasons {
			all[i] = one.Name + ": " + one.Why
		}
		e.Set("RiskReasons", strings.Join(all, "; "))
	}
	if len(r.Missing) > 0 {
		e.Set("RiskMissing", strings.Join(r.Missing, ","))
	}
}

// noteRisk keeps what was thought of a complete sign-in. What a RADIUS client asks from is no place of the person's.
func (t *turn) noteRisk(ctx context.Context) error {
	if t.s.Risk == nil || t.s.radius() != nil {
		return nil
	}
	return t.Risks.Note(ctx, t.c, t.person.ID, t.s.IP, *t.s.Risk)
}
