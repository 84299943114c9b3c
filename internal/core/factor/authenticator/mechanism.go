package authenticator

import (
	"context"
	"strings"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/factor/oath"
	"limen/internal/crypt"
	"limen/internal/dbx"
)

// Mechanism asks a person's authenticators, or takes the code that one of them shows.
type Mechanism struct{ Devices Devices }

// Name is OTP.
func (Mechanism) Name() string { return factor.OTP }

// Offer asks people who have an authenticator.
func (m Mechanism) Offer(ctx context.Context, c *call.Call, p factor.Person) (factor.Prompt, bool, error) {
	list, err := m.Devices.List(ctx, c, p.ID)
	if err != nil || len(list) == 0 {
		return factor.Prompt{}, false, err
	}
	return factor.Prompt{
		AnswerType: factor.StartTextOOB, Chosen: "Approve the sign-in on your authenticator, or enter the code that it shows.", Select: "Mobile Authenticator",
		UI: "Approve the sign-in on your authenticator, or enter the code that it shows.",
	}, true, nil
}

// Disguise has nothing to hide.
func (Mechanism) Disguise(p factor.Prompt, _ []byte) factor.Prompt { return p }

// Start asks the authenticators, with a number that is drawn anew, unless the conversation wants none asked. Nobody's are asked
// with a number, too.
func (m Mechanism) Start(ctx context.Context, c *call.Call, p factor.Person, ch *factor.Challenge, _ string) (err error) {
	now := c.Now.UnixMilli()
	if ch.Sent != 0 && now-ch.Sent < factor.Again.Milliseconds() {
		return nil
	}
	ch.Sent, ch.Expires, ch.Number = now, 0, ""
	switch {
	case ch.Recovery || len(ch.From.Talk) == 0:
		return nil
	case p.ID == "":
		ch.Number = crypt.NewCode(c.Rand, digits)
	default:
		ch.Number, err = m.Devices.ask(ctx, c, p, ch)
	}
	if ch.Number != "" {
		ch.Expires = c.Now.Add(wait).UnixMilli()
	}
	return err
}

// proof is which device showed a code, of which step.
type proof struct {
	device string
	step   int64
}

// drift is by how many steps a code may be off either way (RFC 6238 section 5.2).
const drift = 1

// Check compares a code with those of the person's authenticators, and of the profile that these share (oath.Profiles.Own). All of them are
// looked at, so that the time does not tell which.
func (m Mechanism) Check(ctx context.Context, c *call.Call, p factor.Person, _ factor.Challenge, a factor.Answer) (factor.Verdict, error) {
	var list []Device
	var v factor.Verdict
	code := strings.NewReplacer(" ", "", "-", "").Replace(a.Text)
	err := c.Snapshot(ctx, func() (err error) {
		list, err = m.Devices.List(ctx, c, p.ID)
		return err
	})
	if err == nil && len(list) > 0 {
		v, err = m.Devices.profiles().CheckOwn(ctx, c, p.ID, code)
	}
	if err != nil {
		return factor.Verdict{}, err
	}
	if len(code) != Digits {
		return v, nil
	}
	now := c.Now.Unix() / Period
	for _, d := range list {
		secret, err := m.Devices.Ring.Open(ctx, c.Tenant.ID, factor.PurposeOATH, d.Secret, aad(d))
		if err != nil {
			return factor.Verdict{}, err
		}
		for step := now - drift; step <= now+drift; step++ {
			want, err := oath.Code(string(secret), Algorithm, Digits, step)
			if err != nil {
				return factor.Verdict{}, err
			}
			if crypt.SameText(want, code) && step > d.LastStep && !v.Right {
				v = factor.Verdict{Right: true, Proof: proof{d.ID, step}}
			}
		}
	}
	return v, nil
}

// spend takes a step of a device's codes out of use, with those before it.
var spend = dbx.E("authenticator.spend", `UPDATE authenticator SET last_step = ?, used = ?, version = version + 1
	WHERE tenant = ? AND user_id = ? AND id = ? AND last_step < ?`)

// Commit takes the code out of use; a second use is refused.
func (m Mechanism) Commit(ctx context.Context, c *call.Call, p factor.Person, ch *factor.Challenge, v factor.Verdict) (bool, error) {
	if _, ok := v.Proof.(proof); !ok {
		return oath.Mechanism{}.Commit(ctx, c, p, ch, v)
	}
	pr := v.Proof.(proof)
	if !v.Right || ch.Passed {
		ch.Tries++
		return false, nil
	}
	n, err := spend.Do(ctx, c.Tx, pr.step, c.Now.UnixMilli(), c.Tenant.ID, p.ID, pr.device, pr.step)
	ch.Passed = err == nil && n == 1
	return ch.Passed, err
}
