package oath

import (
	"context"
	"errors"
	"io"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// ErrVersion is for who speaks of a secret that was replaced.
var ErrVersion = fault.New(fault.Conflict, "oath.version", "The profile has another secret by now. Fetch it again.")

var (
	insertOwn = dbx.E("oath.insert_own", insertText+`ON CONFLICT (tenant, user_id) WHERE own DO NOTHING`)
	renew     = dbx.E("oath.renew", `UPDATE oath_profile SET secret = ?, secret_version = secret_version + 1, version = version + 1
		WHERE tenant = ? AND user_id = ? AND id = ? AND secret_version = ?`)
	shape = dbx.E("oath.shape", `UPDATE oath_profile SET digits = ?, period = ?, last_step = ?, version = version + 1
		WHERE tenant = ? AND user_id = ? AND id = ? AND version = ?`)
)

// Own gives a person's own profile; ErrNotFound when there is none.
func (p Profiles) Own(ctx context.Context, c *call.Call, userID string) (Profile, error) {
	list, err := ofUser.All(ctx, c.Tx, c.Tenant.ID, userID, true)
	if err != nil {
		return Profile{}, err
	}
	if len(list) == 0 {
		return Profile{}, ErrNotFound
	}
	return list[0], nil
}

// All is List with the own profile before the others.
func (p Profiles) All(ctx context.Context, c *call.Call, userID string) ([]Profile, error) {
	own, err := ofUser.All(ctx, c.Tx, c.Tenant.ID, userID, true)
	if err != nil {
		return nil, err
	}
	rest, err := p.List(ctx, c, userID)
	return append(own, rest...), err
}

// newSecret draws one, in base32.
func newSecret(c *call.Call) (string, error) {
	raw := make([]byte, 20) // RFC 4226 section 4, R6 recommends 160 bits
	_, err := io.ReadFull(c.Rand, raw)
	return encoding.EncodeToString(raw), err
}

// EnsureOwn gives a person their own profile if they have none: of a new secret, and else of the form of like, whose secret is not looked at.
// made says whether there was none. Nobody knows the secret until one of the person's authenticators is told (Secret).
func (p Profiles) EnsureOwn(ctx context.Context, c *call.Call, userID string, like Seed) (out Profile, made bool, err error) {
	if out, err = p.Own(ctx, c, userID); !errors.Is(err, ErrNotFound) {
		return out, false, err
	}
	if like.Secret, err = newSecret(c); err != nil {
		return out, false, err
	}
	if err = like.check(); err != nil {
		return out, false, err
	}
	out = like.profile()
	out.ID, out.User, out.Confirmed, out.Created, out.Version, out.Own, out.SecretVersion = c.NewID(), userID, true, c.Now.UnixMilli(), 1, true, 1
	n, err := p.write(ctx, c, insertOwn, &out, like.Secret)
	if err == nil && n == 0 { // another call was first
		out, err = p.Own(ctx, c, userID)
	}
	return out, n == 1, err
}

// RenewOwn gives a person's own profile a new secret: codes of the old one are of no use any more. ErrNotFound when there is none.
func (p Profiles) RenewOwn(ctx context.Context, c *call.Call, userID string) (Profile, error) {
	found, err := p.Own(ctx, c, userID)
	if err != nil {
		return found, err
	}
	secret, err := newSecret(c)
	if err != nil {
		return found, err
	}
	sealed, err := p.Ring.Seal(ctx, c.Tenant.ID, factor.PurposeOATH, []byte(secret), aad(found))
	if err != nil {
		return found, err
	}
	n, err := renew.Do(ctx, c.Tx, sealed, c.Tenant.ID, userID, found.ID, found.SecretVersion)
	if err == nil && n == 0 {
		err = ErrVersion
	}
	found.Secret = sealed
	found.SecretVersion++
	return found, err
}

// DropOwn removes a person's own profile, if there is one.
func (p Profiles) DropOwn(ctx context.Context, c *call.Call, userID string) error {
	_, err := drop.Do(ctx, c.Tx, c.Tenant.ID, userID, true)
	return err
}

// Secret opens the secret of a person's own profile, in base32. Only their authenticators are told.
func (p Profiles) Secret(ctx context.Context, c *call.Call, own Profile) (string, error) {
	if !own.Own {
		return "", ErrNotFound
	}
	secret, err := p.Ring.Open(ctx, c.Tenant.ID, factor.PurposeOATH, own.Secret, aad(own))
	return string(secret), err
}

// Shape is what an own profile's codes look like; 0 leaves what is.
type Shape struct {
	Digits  int64
	Period  int64 // seconds, of a profile by time
	Counter int64 // of the next code, of a profile by count; it only moves forward
	Version int64 // of the secret that it is about; 0: whichever
}

// Reshape changes the form of a person's own profile, and gives it as it was and as it is. Codes that were shown before are not taken
// after it. Faults: ErrNotFound, ErrVersion, ErrDigits, ErrPeriod, ErrTimed, ErrCounted, ErrBack, ErrCounter.
func (p Profiles) Reshape(ctx context.Context, c *call.Call, userID, id string, to Shape) (was, now Profile, err error) {
	if was, err = p.Own(ctx, c, userID); err != nil {
		return was, was, err
	}
	if was.ID != id {
		return was, was, ErrNotFound
	}
	now, err = was.reshaped(c, to)
	if err != nil || now == was {
		return was, now, err
	}
	n, err := shape.Do(ctx, c.Tx, now.Digits, now.Period, now.LastStep, c.Tenant.ID, userID, id, was.Version)
	if err == nil && n == 0 {
		err = ErrVersion
	}
	return was, now, err
}

// ErrCounted is for a period of what has none.
var ErrCounted = fault.New(fault.Invalid, "oath.counted", "The codes of this profile go by count, not by time.")

func (p Profile) reshaped(c *call.Call, to Shape) (Profile, error) {
	switch {
	case to.Version != 0 && to.Version != p.SecretVersion:
		return p, ErrVersion
	case to.Digits != 0 && (to.Digits < 6 || to.Digits > 8):
		return p, ErrDigits
	case to.Period != 0 && p.Period == 0:
		return p, ErrCounted
	case to.Period != 0 && (to.Period < 15 || to.Period > 300):
		return p, ErrPeriod
	case to.Counter != 0 && p.Period != 0:
		return p, ErrTimed
	case to.Counter < 0 || to.Counter > MaxCounter:
		return p, ErrCounter
	case to.Counter != 0 && to.Counter <= p.LastStep:
		return p, ErrBack
	}
	if to.Digits != 0 {
		p.Digits = to.Digits
	}
	if to.Period != 0 && to.Period != p.Period {
		p.Period = to.Period
		p.LastStep = p.now(c) + p.Drift + drift // steps of another length do not compare: codes of these days are over
	}
	if to.Counter != 0 {
		p.LastStep = to.Counter - 1
	}
	return p, nil
}

// CheckOwn compares a code with those of a person's own profile, for oath.Mechanism.Commit.
func (p Profiles) CheckOwn(ctx context.Context, c *call.Call, userID, code string) (factor.Verdict, error) {
	var found Profile
	err := c.Snapshot(ctx, func() (err error) {
		found, err = p.Own(ctx, c, userID)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return factor.Verdict{}, nil
	}
	if err != nil {
		return factor.Verdict{}, err
	}
	at, ok, err := p.match(ctx, c, found, code)
	if err != nil || !ok {
		return factor.Verdict{}, err
	}
	return factor.Verdict{Right: true, Proof: proof{found.ID, at}}, nil
}
