package login

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"slices"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/factor/phone"
	"limen/internal/core/user"
	"limen/internal/crypt"
)

// RingPath is where the telephone service asks what to do with a call (authentication.yaml n 18).
const RingPath = "/Security/VoiceResponse"

// ringing makes the address that a call is asked about; without the call's own code, which the mechanism adds.
func ringing(host, plain string) string {
	return "https://" + host + RingPath + "?id=" + url.QueryEscape(plain)
}

// Ring is a call that waits for keys.
type Ring struct {
	Person factor.Person
	Round  int // how many answers were wrong

	challenge factor.Challenge
}

// Rung says what a call is about, and changes nothing. ErrLink when it is about nothing any more.
func (l *Logins) Rung(ctx context.Context, c *call.Call, plain string) (Ring, error) {
	s, ch, err := l.linked(ctx, c, plain, factor.Phone)
	if err != nil {
		return Ring{}, err
	}
	people, err := l.people(ctx, c, s)
	if err != nil {
		return Ring{}, err
	}
	return Ring{Person: l.answering(s, [2]user.User{people[0], people[1]}, ch.Name), Round: ch.Tries, challenge: *ch}, nil
}

// Keys are what was keyed in.
type Keys struct {
	Call  string // names the conversation
	Code  string // of the call
	Round int    // to which they are the answer: that of what was read out before
	Keys  string
}

// Keyed looks at keys, outside transactions.
func (l *Logins) Keyed(ctx context.Context, c *call.Call, r Ring, k Keys) (factor.Verdict, error) {
	if err := l.Ensure(ctx, c.Tenant.ID); err != nil {
		return factor.Verdict{}, err
	}
	return l.mechanism(factor.Phone).Check(ctx, c, r.Person, r.challenge, phone.Answer(k.Code, k.Keys))
}

// whyHungUp is for somebody who says on the telephone that it is not they who sign in.
const whyHungUp = "refused on the telephone"

// Rang is what became of keys.
type Rang int

// The outcomes.
const (
	Over   Rang = iota // the call is about nothing any more, or was refused
	Asked              // they were wrong, or answer what was asked before: ask again
	Passed             // they were right
)

// Answered takes keys that were looked at. Right ones move the conversation on, and the client that waits learns it at its next Poll;
// wrong ones count as failed second factors of the account, whichever conversation they are in. ErrFailed, with Over, is to be committed.
func (l *Logins) Answered(ctx context.Context, c *call.Call, k Keys, v factor.Verdict) (Rang, error) {
	s, ch, err := l.linked(ctx, c, k.Call, factor.Phone)
	if errors.Is(err, ErrLink) {
		return Over, nil
	}
	if err != nil {
		return Over, err
	}
	if k.Round != ch.Tries { // the service repeats itself, or somebody repeats what it said
		return Asked, nil
	}
	t, err := l.turn(ctx, c, s)
	if err != nil {
		return Over, err
	}
	t.deferred = true
	if c.Event != nil {
		c.Event.Set("ClientAddress", s.IP)
	}
	switch why, err := t.rung(ctx, ch, k, v); {
	case err != nil:
		return Over, err
	case why == whyWrong && ch.Tries < phone.Tries:
		return Asked, t.save(ctx, c, s)
	case why != "":
		_, err := t.fail(ctx, why)
		return Over, err
	}
	if n, err := useLink.Do(ctx, c.Tx, c.Now.UnixMilli(), c.Tenant.ID, crypt.TokenHash(k.Call)); err != nil || n == 0 {
		return Over, err
	}
	out, err := t.passed(ctx, ch)
	if err == nil && out.Success == nil && out.Summary != Noncommittal {
		err = t.save(ctx, c, s)
	}
	return Passed, err
}

// rung counts keys on behalf of the client that waits: it is its network and its device that guess, not the telephone service's.
func (t *turn) rung(ctx context.Context, ch *factor.Challenge, k Keys, v factor.Verdict) (why string, err error) {
	if t.outdated() {
		return whyReplaced, nil
	}
	if k.Keys == phone.Refuse {
		return whyHungUp, nil
	}
	client := t.c.Client
	defer func() { t.c.Client = client }()
	t.c.Client.Device = t.s.Device
	t.c.Client.IP, _ = netip.ParseAddr(t.s.IP)
	return t.prove(ctx, ch, v)
}

// withoutCalls leaves calls out: of a recovery, which anybody can begin, a key pressed by mistake would hand the account over.
func withoutCalls(rounds [][]factor.Challenge) [][]factor.Challenge {
	for i := range rounds {
		rounds[i] = slices.DeleteFunc(rounds[i], func(ch factor.Challenge) bool { return ch.Name == factor.Phone })
	}
	return rounds
}
