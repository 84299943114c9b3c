// Package phone is the mechanism PF: the person's telephone rings, and they press a key, or key in their PIN where they have one.
//
// The keys come back from the telephone service, which was told a code of the call's own that nobody else knows: without it no answer
// is right, so that nobody answers a call from the page that has it made.
package phone

import (
	"context"
	"strings"

	"limen/internal/call"
	"limen/internal/core/factor"
)

// The keys that people without a PIN press.
const (
	Approve = "1"
	Refuse  = "9" // also of those with a PIN, which is longer
)

// Mechanism has people called.
type Mechanism struct {
	Codes factor.Codes
	Pins  Pins
	// Ready says whether the tenant can have people called. It runs in a transaction.
	Ready func(ctx context.Context, c *call.Call) (bool, error)
	// Ring puts the call into the outbox, in c.Tx.
	Ring func(ctx context.Context, c *call.Call, to factor.Person, what factor.Sending) error
}

// Name is PF.
func (Mechanism) Name() string { return factor.Phone }

// Offer shows the last four digits of the number.
func (m Mechanism) Offer(ctx context.Context, c *call.Call, p factor.Person) (factor.Prompt, bool, error) {
	last, ok := factor.Last(p.Mobile)
	if !ok {
		return factor.Prompt{}, false, nil
	}
	ready, err := m.Ready(ctx, c)
	if err != nil || !ready {
		return factor.Prompt{}, false, err
	}
	return prompt(last), true, nil
}

func prompt(digits string) factor.Prompt {
	return factor.Prompt{
		AnswerType: factor.StartOOB, Chosen: "We call the number that ends in " + digits + ". Answer the call to continue.",
		Select: "Phone call to the number that ends in " + digits, Digits: digits,
	}
}

// Disguise draws other digits.
func (Mechanism) Disguise(_ factor.Prompt, seed []byte) factor.Prompt {
	return prompt(factor.DigitsOf(seed))
}

// codeLength is that of a call's own code, in digits: nobody types it.
const codeLength = 18

// codes are the tenant's limits with long codes.
func (m Mechanism) codes() factor.Codes {
	out := m.Codes
	out.Limits = func(ctx context.Context, c *call.Call) (l factor.CodeLimits, err error) {
		if m.Codes.Limits != nil {
			l, err = m.Codes.Limits(ctx, c)
		}
		l.Length = codeLength
		return l, err
	}
	return out
}

// Tries is how many wrong answers end a call, and the sign-in with it.
const Tries = 3

// Start has the person called. link is how the telephone service finds the conversation.
func (m Mechanism) Start(ctx context.Context, c *call.Call, p factor.Person, ch *factor.Challenge, link string) error {
	code, life, err := m.codes().Draw(ctx, c, p, ch)
	if err != nil || code == "" || p.ID == "" {
		return err
	}
	return m.Ring(ctx, c, p, factor.Sending{Code: code, Link: link, Life: life, Recovery: ch.Recovery})
}

// Answer is what the keys of a call with a code answer.
func Answer(code, keys string) factor.Answer { return factor.Answer{Text: code + "/" + keys} }

// Check compares the call's code, and then the keys: with the PIN of whoever has one.
func (m Mechanism) Check(ctx context.Context, c *call.Call, p factor.Person, ch factor.Challenge, a factor.Answer) (factor.Verdict, error) {
	code, keys, _ := strings.Cut(a.Text, "/")
	if ok, err := m.codes().Fits(ctx, c, p, ch, code); !ok || err != nil {
		return factor.Verdict{}, err
	}
	var hash string
	if err := c.Snapshot(ctx, func() (err error) { hash, err = m.Pins.Of(ctx, c, p.ID); return err }); err != nil {
		return factor.Verdict{}, err
	}
	if hash == "" {
		return factor.Verdict{Right: keys == Approve, Proof: proof{}}, nil
	}
	if len(keys) > maxPIN+maxPIN {
		return factor.Verdict{}, nil
	}
	ok, _, err := m.Pins.Hasher.Verify(ctx, hash, keys)
	return factor.Verdict{Right: ok, Proof: proof{hash}}, err
}

// proof is what a verdict rests on.
type proof struct{ pin string }

// Commit takes the call's code out of use. A PIN that was set since the keys were looked at was not asked for.
func (m Mechanism) Commit(ctx context.Context, c *call.Call, p factor.Person, ch *factor.Challenge, v factor.Verdict) (bool, error) {
	pr, ok := v.Proof.(proof)
	if ok && v.Right {
		hash, err := m.Pins.Of(ctx, c, p.ID)
		if err != nil {
			return false, err
		}
		ok = hash == pr.pin
	}
	return m.codes().Accept(ctx, c, ch, v.Right && ok)
}
