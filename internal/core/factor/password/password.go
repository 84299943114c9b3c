// Package password is the mechanism UP: the password.
package password

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/password"
)

// Mechanism asks for the password. Everybody is asked, so that it does not tell who has one.
type Mechanism struct {
	Passwords password.Passwords
	// Elsewhere looks at a password that is not the one in seen: an old system may know it to be right, and then it is stored now; userID is empty
	// for somebody who does not exist. Nil: there is no other place.
	Elsewhere func(ctx context.Context, c *call.Call, userID string, seen password.Current, plain string) (password.Current, bool, error)
	// Leaked says whether a password is known to have leaked. Nil: nobody looks.
	Leaked func(plain string) (bool, error)
	// Repeated says whether it may be remembered for a while that a password was right which a device sends again and again. Nil: it may not.
	Repeated func(ctx context.Context, c *call.Call) (bool, error)
}

type proof struct {
	current password.Current
	verdict password.Verdict
}

// Name is UP.
func (Mechanism) Name() string { return factor.Password }

// Offer is the same for everybody.
func (Mechanism) Offer(context.Context, *call.Call, factor.Person) (factor.Prompt, bool, error) {
	return factor.Prompt{AnswerType: factor.Text, Chosen: "Enter Password", Select: "Password"}, true, nil
}

// Disguise has nothing to hide.
func (Mechanism) Disguise(p factor.Prompt, _ []byte) factor.Prompt { return p }

// Start refuses: a password is typed.
func (Mechanism) Start(context.Context, *call.Call, factor.Person, *factor.Challenge, string) error {
	return factor.ErrNoStart
}

// Check hashes, and asks elsewhere for what is wrong here.
func (m Mechanism) Check(ctx context.Context, c *call.Call, p factor.Person, _ factor.Challenge, a factor.Answer) (factor.Verdict, error) {
	var cur password.Current
	if err := c.Snapshot(ctx, func() (err error) {
		cur, err = m.Passwords.Find(ctx, c, p.ID)
		return err
	}); err != nil {
		return factor.Verdict{}, err
	}
	v, err := m.verify(ctx, c, p.ID, cur, a)
	if err == nil && !v.OK && m.Elsewhere != nil {
		now, moved, err := m.Elsewhere(ctx, c, p.ID, cur, a.Text)
		if err != nil || !moved {
			return factor.Verdict{}, err
		}
		cur, v = now, password.Verdict{OK: true}
	}
	out := factor.Verdict{Right: v.OK, Proof: proof{cur, v}}
	if err == nil && v.OK && m.Leaked != nil { // of wrong ones nobody learns whether they are anybody's
		found, err := m.Leaked(a.Text)
		out.Leaked = &factor.Leak{Found: found, Unread: err != nil}
	}
	return out, err
}

func (m Mechanism) verify(ctx context.Context, c *call.Call, userID string, cur password.Current, a factor.Answer) (password.Verdict, error) {
	if !a.Repeated || m.Repeated == nil {
		return m.Passwords.Verify(ctx, cur, a.Text)
	}
	may, err := m.Repeated(ctx, c)
	switch {
	case err != nil:
		return password.Verdict{}, err
	case !may:
		return m.Passwords.Verify(ctx, cur, a.Text)
	}
	return m.Passwords.VerifyRepeated(ctx, c, userID, cur, a.Text)
}

// Commit refuses when the password was changed since, and stores the new hash of one that was imported.
func (m Mechanism) Commit(ctx context.Context, c *call.Call, p factor.Person, ch *factor.Challenge, v factor.Verdict) (bool, error) {
	pr, ok := v.Proof.(proof)
	if !ok || !v.Right || ch.Passed || p.ID == "" {
		ch.Tries++
		return false, nil
	}
	now, err := m.Passwords.Find(ctx, c, p.ID)
	if err != nil || now.Version != pr.current.Version {
		return false, err
	}
	ch.Passed = true
	return true, m.Passwords.Keep(ctx, c, p.ID, pr.current, pr.verdict)
}
