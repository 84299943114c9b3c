package oath

import (
	"context"
	"errors"
	"strings"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Faults of counters.
var (
	ErrTimed = fault.New(fault.Invalid, "oath.timed", "The codes of this profile go by time, not by count.")
	ErrBack  = fault.New(fault.Invalid, "oath.back", "The counter only moves forward.")
)

const (
	maxCounter = 1 << 53 // far beyond what anybody presses, and exact in every client
	search     = 100     // presses ahead, or steps either way, that Resync looks at: RFC 4226 section 7.4 wants a limit
)

// counted finds a profile whose codes are counted.
func (p Profiles) counted(ctx context.Context, c *call.Call, userID, id string) (Profile, error) {
	found, err := byID.One(ctx, c.Tx, c.Tenant.ID, userID, id)
	switch {
	case errors.Is(err, dbx.ErrNoRow):
		return found, ErrNotFound
	case err == nil && found.Period > 0:
		return found, ErrTimed
	}
	return found, err
}

// Count says which count the next code of a profile has at least. ErrBack when codes of it were taken already.
func (p Profiles) Count(ctx context.Context, c *call.Call, userID, id string, next int64) error {
	if next < 0 || next > maxCounter {
		return ErrCounter
	}
	found, err := p.counted(ctx, c, userID, id)
	if err != nil || found.LastStep == next-1 {
		return err
	}
	n, err := step.Do(ctx, c.Tx, next-1, found.Confirmed, c.Tenant.ID, userID, id, next-1)
	if err == nil && n == 0 {
		return ErrBack
	}
	return err
}

// Resync finds two consecutive codes of a token that went out of step, and goes on behind them: of a token that was pressed
// too often among its next hundred codes (RFC 4226 section 7.4), of one by time among those of a hundred steps either way, from
// which it is known how far its clock is off (RFC 6238 section 6). ErrCode when they are not there, or were used before.
func (p Profiles) Resync(ctx context.Context, c *call.Call, userID, id, first, second string) (Profile, error) {
	found, err := byID.One(ctx, c.Tx, c.Tenant.ID, userID, id)
	if errors.Is(err, dbx.ErrNoRow) {
		err = ErrNotFound
	}
	if err == nil && !found.Confirmed {
		err = ErrNotFound
	}
	if err != nil {
		return found, err
	}
	at, ok, err := p.pair(ctx, c, found, strings.ReplaceAll(first, " ", ""), strings.ReplaceAll(second, " ", ""))
	if err != nil {
		return found, err
	}
	if !ok {
		return found, ErrCode
	}
	if found.Period > 0 {
		found.Drift = at - found.now(c)
	}
	found.LastStep = at
	n, err := align.Do(ctx, c.Tx, at, found.Drift, c.Tenant.ID, userID, id, at)
	if err == nil && n == 0 {
		err = ErrCode
	}
	return found, err
}

// window is where Resync looks, both ends included.
func (p Profile) window(c *call.Call) (from, to int64) {
	if p.Period == 0 {
		return p.LastStep + 1, p.LastStep + search
	}
	now := p.now(c)
	return max(p.LastStep+1, now-search), now + search
}

// pair finds the step of the second of two codes. The whole window is searched, so that the time does not tell where.
func (p Profiles) pair(ctx context.Context, c *call.Call, of Profile, first, second string) (at int64, ok bool, err error) {
	secret, err := p.Ring.Open(ctx, c.Tenant.ID, factor.PurposeOATH, of.Secret, aad(of))
	if err != nil {
		return 0, false, err
	}
	before := false // whether the code before this one is the first
	for i, to := of.window(c); i <= to; i++ {
		code, err := Code(string(secret), of.Algorithm, int(of.Digits), i)
		if err != nil {
			return 0, false, err
		}
		if crypt.SameText(code, second) && before && !ok {
			at, ok = i, true
		}
		before = crypt.SameText(code, first)
	}
	return at, ok, nil
}
