package login

import (
	"context"
	"errors"
	"slices"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/fault"
)

// ErrReplace is for those who showed the right password, which must be replaced before it lets in, where that cannot be asked for.
var ErrReplace = fault.New(fault.Denied, "login.replace", "Your password must be replaced before you can sign in. Ask for a password reset.")

// Stands says whether a device of a person stands in for the later challenges, which they passed there after a time.
type Stands func(ctx context.Context, c *call.Call, userID string, after time.Time) (bool, error)

// First signs in by a name and a password as far as they go: completely where nothing more is asked for, or where the device stands in
// for it (stands may be nil), and else with Summary StartNextChallenge and the package of what is. A code by mail is sent at once where
// nothing else answers. Authentication profiles say themselves whether a device stands in. Faults, to be committed: ErrFailed, ErrReplace, ErrTerms.
func (l *Logins) First(ctx context.Context, c *call.Call, d Directly, stands Stands) (Result, error) {
	s := *d.s // a transaction may run again
	s.Waived = d.waived
	s.Challenges = slices.Clone(s.Challenges)
	for i := range s.Challenges {
		s.Challenges[i] = slices.Clone(s.Challenges[i])
	}
	t, err := l.turn(ctx, c, &s)
	if err != nil {
		return Result{}, err
	}
	ch := s.named(factor.Password)
	asked := ch != nil
	if !asked { // the guess costs and counts all the same
		ch = &factor.Challenge{Name: factor.Password}
	}
	why, err := t.prove(ctx, ch, d.check.verdict)
	if err == nil && why == "" && !asked {
		why = whyMore
	}
	if err != nil {
		return Result{}, err
	}
	if why != "" {
		return t.fail(ctx, why)
	}
	if err := t.stood(ctx, stands); err != nil {
		return Result{}, err
	}
	out, err := t.passed(ctx, ch)
	if err != nil || out.Success != nil {
		return out, err
	}
	return t.further(ctx)
}

// named finds a mechanism of the challenge that is due.
func (s *state) named(name string) *factor.Challenge {
	if s.At >= len(s.Challenges) {
		return nil
	}
	for i := range s.Challenges[s.At] {
		if s.Challenges[s.At][i].Name == name {
			return &s.Challenges[s.At][i]
		}
	}
	return nil
}

// stood leaves the later challenges out where the device stands in for them.
func (t *turn) stood(ctx context.Context, stands Stands) error {
	if stands == nil || len(t.s.Challenges) < 2 || t.person.ID == "" {
		return nil
	}
	after := time.Time{}
	if t.profile.ID != "" {
		if t.profile.PassFor <= 0 {
			return nil
		}
		after = t.c.Now.Add(-t.profile.PassFor)
	}
	ok, err := stands(ctx, t.c, t.person.ID, after)
	if ok && err == nil {
		t.s.Challenges = t.s.Challenges[:1]
		t.c.Event.Set("DeviceStood", true)
	}
	return err
}

// further keeps the conversation for what is left to be answered.
func (t *turn) further(ctx context.Context) (Result, error) {
	if t.s.named(factor.Consent) != nil {
		return t.refuse(ctx, ErrTerms)
	}
	if t.s.named(factor.Reset) != nil {
		if out, err := t.fail(ctx, "password must be replaced"); !errors.Is(err, ErrFailed) {
			return out, err
		}
		return Fail(), ErrReplace
	}
	if err := t.create(ctx, t.c, t.s); err != nil {
		return Result{}, err
	}
	due := t.s.Challenges[t.s.At]
	if len(due) == 1 && due[0].Name == factor.Email {
		if out, err := t.start(ctx, Action{Mechanism: due[0].ID}, nil); err != nil {
			return out, err
		}
		if err := t.save(ctx, t.c, t.s); err != nil {
			return Result{}, err
		}
	}
	return Result{Summary: NextDone, Package: t.pack()}, nil
}
