// Package radius is the mechanism RADIUS: a passcode that a RADIUS server elsewhere knows.
package radius

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/radius"
)

// Mechanism has servers elsewhere say whether a passcode is right.
type Mechanism struct {
	Setup *radius.Setup
	// Allowed says whether policies let a person answer so.
	Allowed func(ctx context.Context, c *call.Call, userID string) (bool, error)
}

// Name is RADIUS.
func (Mechanism) Name() string { return factor.Radius }

// Offer asks people whom policies let answer so, where a server knows them.
func (m Mechanism) Offer(ctx context.Context, c *call.Call, p factor.Person) (factor.Prompt, bool, error) {
	ok, err := m.Allowed(ctx, c, p.ID)
	if err != nil || !ok {
		return factor.Prompt{}, false, err
	}
	list, err := m.Setup.Usable(ctx, c, p.ID, p.Name, p.Mail)
	return factor.Prompt{AnswerType: factor.Text, Chosen: "Enter the passcode of your token.", Select: "Passcode"}, len(list) > 0, err
}

// Disguise has nothing to hide.
func (Mechanism) Disguise(p factor.Prompt, _ []byte) factor.Prompt { return p }

// Start refuses: a passcode is typed.
func (Mechanism) Start(context.Context, *call.Call, factor.Person, *factor.Challenge, string) error {
	return factor.ErrNoStart
}

// Check asks the servers. They are asked about names that nobody has, too.
func (m Mechanism) Check(ctx context.Context, c *call.Call, p factor.Person, ch factor.Challenge, a factor.Answer) (factor.Verdict, error) {
	if a.Text == "" {
		return factor.Verdict{}, nil
	}
	var list []radius.Server
	err := c.Snapshot(ctx, func() (err error) {
		ok, err := m.Allowed(ctx, c, p.ID)
		if err != nil || !ok {
			return err
		}
		list, err = m.Setup.Usable(ctx, c, p.ID, p.Name, p.Mail)
		return err
	})
	if err != nil {
		return factor.Verdict{}, err
	}
	out, err := m.Setup.Check(ctx, c, list, p.Name, p.Mail, a.Text, ch.Code)
	return factor.Verdict{Right: out.Right && p.ID != "", Again: out.Again, Token: out.Token}, err
}

// Commit accepts what a server said, once.
func (Mechanism) Commit(_ context.Context, _ *call.Call, p factor.Person, ch *factor.Challenge, v factor.Verdict) (bool, error) {
	if !v.Right || ch.Passed || p.ID == "" {
		ch.Tries++
		return false, nil
	}
	ch.Passed = true
	return true, nil
}
