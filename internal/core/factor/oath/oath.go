package oath

import (
	"context"
	"strings"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/crypt"
)

var algorithms = map[string]*otp.Algorithm{"SHA1": new(otp.AlgorithmSHA1), "SHA256": new(otp.AlgorithmSHA256), "SHA512": new(otp.AlgorithmSHA512)}

// How far a code may be off: a time step either way of the token's clock (RFC 6238 section 5.2), ten presses of a token ahead
// (RFC 4226 section 7.4).
const (
	drift = 1
	ahead = 10
)

// Code gives the code of a base32 secret at a time step or count.
func Code(secret, algorithm string, digits int, at int64) (string, error) {
	return hotp.GenerateCodeCustom(secret, uint64(at), hotp.ValidateOpts{Digits: otp.Digits(digits), Algorithm: *algorithms[algorithm]})
}

// now is the time step by our clock.
func (p Profile) now(c *call.Call) int64 { return c.Now.Unix() / p.Period }

// match finds the step at which the profile gives the code. Every step of the window is tried, so that the time does
// not tell which.
func (p Profiles) match(ctx context.Context, c *call.Call, of Profile, code string) (at int64, ok bool, err error) {
	code = strings.ReplaceAll(code, " ", "")
	secret, err := p.Ring.Open(ctx, c.Tenant.ID, factor.PurposeOATH, of.Secret, aad(of))
	if err != nil || len(code) != int(of.Digits) {
		return 0, false, err
	}
	from, to := of.LastStep+1, of.LastStep+ahead
	if of.Period > 0 {
		now := of.now(c) + of.Drift
		from, to = now-drift, now+drift
	}
	for i := from; i <= to; i++ {
		want, err := Code(string(secret), of.Algorithm, int(of.Digits), i)
		if err != nil {
			return 0, false, err
		}
		if crypt.SameText(want, code) && !ok {
			at, ok = i, true
		}
	}
	return at, ok && at > of.LastStep, nil
}

// Mechanism asks for a code of a confirmed profile.
type Mechanism struct{ Profiles Profiles }

type proof struct {
	id   string
	step int64
}

// Name is OATH.
func (Mechanism) Name() string { return factor.OATH }

// Offer asks people who have a confirmed profile.
func (m Mechanism) Offer(ctx context.Context, c *call.Call, p factor.Person) (factor.Prompt, bool, error) {
	list, err := m.Profiles.List(ctx, c, p.ID)
	if err != nil {
		return factor.Prompt{}, false, err
	}
	for _, one := range list {
		if one.Confirmed {
			return factor.Prompt{
				AnswerType: factor.StartTextOOB, Chosen: "Enter the code that your authenticator app shows.", Select: "OATH OTP",
				UI: "Enter the code that your authenticator app shows.",
			}, true, nil
		}
	}
	return factor.Prompt{}, false, nil
}

// Disguise has nothing to hide.
func (Mechanism) Disguise(p factor.Prompt, _ []byte) factor.Prompt { return p }

// Start sends nothing: the app has the code. Clients start every mechanism of this answer type.
func (Mechanism) Start(_ context.Context, c *call.Call, _ factor.Person, ch *factor.Challenge, _ string) error {
	ch.Sent = c.Now.UnixMilli()
	return nil
}

// Check compares the code with those of the person's profiles.
func (m Mechanism) Check(ctx context.Context, c *call.Call, p factor.Person, _ factor.Challenge, a factor.Answer) (factor.Verdict, error) {
	var list []Profile
	if err := c.Snapshot(ctx, func() (err error) {
		list, err = m.Profiles.List(ctx, c, p.ID)
		return err
	}); err != nil {
		return factor.Verdict{}, err
	}
	var v factor.Verdict
	for _, one := range list {
		if !one.Confirmed {
			continue
		}
		at, ok, err := m.Profiles.match(ctx, c, one, a.Text)
		if err != nil {
			return factor.Verdict{}, err
		}
		if ok && !v.Right {
			v = factor.Verdict{Right: true, Proof: proof{one.ID, at}}
		}
	}
	return v, nil
}

// Commit takes the code's step out of use; a second use is refused.
func (m Mechanism) Commit(ctx context.Context, c *call.Call, p factor.Person, ch *factor.Challenge, v factor.Verdict) (bool, error) {
	pr, ok := v.Proof.(proof)
	if !ok || !v.Right || ch.Passed {
		ch.Tries++
		return false, nil
	}
	n, err := step.Do(ctx, c.Tx, pr.step, true, c.Tenant.ID, p.ID, pr.id, pr.step)
	ch.Passed = err == nil && n == 1
	return ch.Passed, err
}
