package mfa

import (
	"context"
	"errors"
	"strings"

	"limen/internal/core/factor/oath"
	"limen/internal/core/throttle"
	"limen/internal/fault"
	"limen/internal/op"
)

// owned is an input about the owner of a profile.
type owned struct{ person }

func (o *owned) ofProfile(ctx context.Context, c *op.Call, id string) error {
	userID, err := oath.Profiles{}.Owner(ctx, c, strings.TrimSpace(id))
	if err == nil {
		err = o.find(ctx, c, userID)
	}
	return err
}

// CounterChange says where the counter of a token stands.
type CounterChange struct {
	// Uuid is the id of the HOTP profile, required.
	Uuid string `json:"uuid" also:"ProfileUuid"`
	// Counter is the count of the next code, required; from that of the profile to 9007199254740992.
	Counter op.Opt[int64] `json:"counter"`
	owned
}

// Check wants both.
func (n *CounterChange) Check() error {
	if err := required("uuid", n.Uuid); err != nil {
		return err
	}
	if _, ok := n.Counter.Get(); !ok {
		return fault.Missing("counter")
	}
	return nil
}

// Resolve finds the owner.
func (n *CounterChange) Resolve(ctx context.Context, c *op.Call) error {
	return n.ofProfile(ctx, c, n.Uuid)
}

// UpdateProfileCounter sets the counter of a token whose codes are counted. It only moves forward: codes before it are of
// no use any more. mfa.yaml n 66.
func (m MFA) UpdateProfileCounter(ctx context.Context, c *op.Call, in CounterChange) (op.None, error) {
	id := strings.TrimSpace(in.Uuid)
	enrolled(c.Event, in.found, oath.Profile{ID: id})
	if err := m.guard(ctx, c, in.found.ID); err != nil {
		return op.None{}, err
	}
	next := in.Counter.Or(0)
	c.Event.Set("Counter", next)
	return op.None{}, m.Profiles.Count(ctx, c, in.found.ID, id, next)
}

// TwoCodes are consecutive codes of a token.
type TwoCodes struct {
	// FirstCode is a code of the token, required.
	FirstCode string `json:"firstCode"`
	// SecondCode is the one after it, required.
	SecondCode string `json:"secondCode"`
	// TokenId is the id of the profile, required.
	TokenId string `json:"tokenId" also:"Uuid,ProfileUuid"`
	owned
}

// Check wants all of them.
func (t *TwoCodes) Check() error {
	if err := required("firstCode", t.FirstCode); err != nil {
		return err
	}
	if err := required("secondCode", t.SecondCode); err != nil {
		return err
	}
	return required("tokenId", t.TokenId)
}

// Resolve finds the owner.
func (t *TwoCodes) Resolve(ctx context.Context, c *op.Call) error {
	return t.ofProfile(ctx, c, t.TokenId)
}

// ResynchronizeOathToken brings a token back in step with two consecutive codes. Of a token whose codes are counted, and that was
// pressed too often without signing in, they are looked for among the next hundred; the counter goes on behind them. Of one whose
// codes go by time they are looked for a hundred periods before and behind now; how far its clock is off is kept, and used from then on.
//
// Codes that were used before, or lie before one that was, are refused. Wrong codes count as failed second factors do. mfa.yaml n 62.
func (m MFA) ResynchronizeOathToken(ctx context.Context, c *op.Call, in TwoCodes) (op.None, error) {
	id := strings.TrimSpace(in.TokenId)
	enrolled(c.Event, in.found, oath.Profile{ID: id})
	if err := m.guard(ctx, c, in.found.ID); err != nil {
		return op.None{}, err
	}
	if err := m.Logins.Free(ctx, c, throttle.Second, in.found); err != nil {
		return op.None{}, err
	}
	now, err := m.Profiles.Resync(ctx, c, in.found.ID, id, in.FirstCode, in.SecondCode)
	if err != nil && !errors.Is(err, oath.ErrCode) {
		return op.None{}, err
	}
	if err == nil && now.Period > 0 {
		c.Event.Set("Drift", now.Drift)
	}
	return op.None{}, m.count(ctx, c, throttle.Second, in.found, err == nil, oath.ErrCode)
}
