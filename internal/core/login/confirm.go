package login

import (
	"context"
	"slices"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/throttle"
)

// confirming are the ways to confirm a device that is not known, where nothing else than one challenge is asked for.
var confirming = []string{factor.Email, factor.OATH, factor.SMS}

// confirm adds a challenge by which the person confirms the device, unless they pass two anyway, or one that confirms by itself.
func (l *Logins) confirm(ctx context.Context, c *call.Call, w subject, made [][]factor.Challenge) ([][]factor.Challenge, error) {
	if confirmed(made) {
		return made, nil
	}
	more, err := l.offers(ctx, c, w, [][]string{confirming}, 0)
	if err != nil || len(more[0]) == 0 {
		return made, err
	}
	return distinct(append(made, more...)), nil
}

// confirmed says whether challenges confirm a device.
func confirmed(made [][]factor.Challenge) bool {
	return len(made) > 1 || len(made) == 1 && !slices.ContainsFunc(made[0], func(ch factor.Challenge) bool { return !slices.Contains(confirming, ch.Name) })
}

// familiar says whether a client that keeps no cookies signed the person in before, by the same program in the same network: such programs are
// on an unknown device each time, and people are told of the first time alone. It notes that they did now. Nothing else rests on it.
func (t *turn) familiar(ctx context.Context) (bool, error) {
	if t.s.Named || t.c.Client.Device != "" {
		return false, nil
	}
	strange, err := t.Throttle.Remember(ctx, t.c, t.person.ID, throttle.PlaceHash(t.c.Client))
	return !strange, err
}
