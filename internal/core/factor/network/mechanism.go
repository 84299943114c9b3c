package network

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/wire/mschap"
)

// Mechanism looks at exchanges of MS-CHAP.
type Mechanism struct{ Passwords Passwords }

// Agreed is what an exchange that was right gives: the proof for the peer that this side has the hash as well, and keys (RFC 3079).
type Agreed struct {
	Proof         string
	Receive, Send []byte

	sealed string
}

// Name is NETWORK.
func (Mechanism) Name() string { return factor.Network }

// Offer asks who has a password that is good. No profile names the mechanism: devices speak it by themselves.
func (m Mechanism) Offer(ctx context.Context, c *call.Call, p factor.Person) (factor.Prompt, bool, error) {
	s, err := m.Passwords.Of(ctx, c, p.ID)
	return factor.Prompt{AnswerType: factor.Text, Chosen: "Enter your network password.", Select: "Network password"}, err == nil && s.Good(c.Now), err
}

// Disguise has nothing to hide.
func (Mechanism) Disguise(p factor.Prompt, _ []byte) factor.Prompt { return p }

// Start refuses: nothing is sent.
func (Mechanism) Start(context.Context, *call.Call, factor.Person, *factor.Challenge, string) error {
	return factor.ErrNoStart
}

// Check computes the response. For who has no password it is computed as well, of a hash that is nobody's.
func (m Mechanism) Check(ctx context.Context, c *call.Call, p factor.Person, _ factor.Challenge, a factor.Answer) (factor.Verdict, error) {
	var s State
	var sealed string
	if err := c.Snapshot(ctx, func() (err error) {
		s, sealed, err = m.Passwords.find(ctx, c, p.ID)
		return err
	}); err != nil {
		return factor.Verdict{}, err
	}
	var h mschap.Hash
	known := sealed != "" && p.ID != ""
	if known {
		raw, err := m.Passwords.Ring.Open(ctx, c.Tenant.ID, factor.PurposeNetwork, sealed, p.ID)
		if err != nil {
			return factor.Verdict{}, err
		}
		copy(h[:], raw)
	}
	if right := a.Exchange.Right(h); !right || !known || !s.Good(c.Now) {
		return factor.Verdict{}, nil
	}
	out := Agreed{Proof: a.Exchange.Proof(h), sealed: sealed}
	out.Receive, out.Send = a.Exchange.Keys(h)
	return factor.Verdict{Right: true, Proof: out}, nil
}

// Commit refuses a password that was replaced or removed meanwhile.
func (m Mechanism) Commit(ctx context.Context, c *call.Call, p factor.Person, ch *factor.Challenge, v factor.Verdict) (bool, error) {
	agreed, ok := v.Proof.(Agreed)
	if !ok || !v.Right || ch.Passed || p.ID == "" {
		ch.Tries++
		return false, nil
	}
	s, sealed, err := m.Passwords.find(ctx, c, p.ID)
	if err != nil || !s.Good(c.Now) || sealed != agreed.sealed {
		return false, err
	}
	ch.Passed = true
	return true, nil
}
