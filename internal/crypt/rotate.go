package crypt

import (
	"context"
	"slices"
	"time"

	"limen/internal/fault"
)

// ErrTurning says that the next key is there already and does not sign yet.
var ErrTurning = fault.New(fault.Conflict, "token.key_pending", "The next key is published already, and signs soon.")

// Turn is how one key follows another.
type Turn struct {
	// Lead is how long the next key is published before it signs: longer than anybody keeps a key set.
	Lead time.Duration
	// Overlap is how long the present key stays published after it stopped signing: as long as what it signed lives.
	Overlap time.Duration
	// Urgent has the next key sign at once, and withdraws the present one at once, for a key that may be known to others: what it signed
	// ends with it. Lead and Overlap are nothing then.
	Urgent bool
}

// Rotate stores the next key of an algorithm, by the turn of the Signers' fields.
func (s *Signers) Rotate(ctx context.Context, tenant string, alg Alg, urgent bool) (SigningKey, error) {
	set := s.set(tenant)
	set.making.Lock()
	defer set.making.Unlock()
	rows, err := s.next(ctx, tenant, set, alg, Turn{s.lead(), s.overlap(), urgent})
	if err != nil {
		return SigningKey{}, err
	}
	_, err = s.save(ctx, tenant, set, rows...)
	return rows[0], err
}

// Next makes the next key of an algorithm, and gives it and those that end because of it, for the caller to store together; then Forget has
// this node see them. ErrTurning where the next one waits already.
func (s *Signers) Next(ctx context.Context, tenant string, alg Alg, t Turn) ([]SigningKey, error) {
	set := s.set(tenant)
	set.making.Lock()
	defer set.making.Unlock()
	return s.next(ctx, tenant, set, alg, t)
}

// next has the new key first; the caller holds making.
func (s *Signers) next(ctx context.Context, tenant string, set *keySet, alg Alg, t Turn) ([]SigningKey, error) {
	keys, err := s.load(ctx, tenant, set)
	if err != nil {
		return nil, err
	}
	now := s.Now().UnixMilli()
	if !t.Urgent && slices.ContainsFunc(keys, func(k *loadedKey) bool { return k.Alg == alg && k.From > now && k.Until == 0 }) {
		return nil, ErrTurning
	}
	next, err := s.make(ctx, tenant, alg)
	if err != nil {
		return nil, err
	}
	next.From = next.Created + t.Lead.Milliseconds()
	until := next.From + t.Overlap.Milliseconds()
	if t.Urgent || signing(keys, alg, s.Now()) == nil {
		next.From, until = next.Created, next.Created
	}
	changed := []SigningKey{next}
	for _, k := range keys {
		if k.Alg == alg && (k.Until == 0 || k.Until > until) {
			k := k.SigningKey
			k.Until = until
			changed = append(changed, k)
		}
	}
	return changed, nil
}

// Due are the algorithms whose newest key began to sign so long ago; all that the tenant has keys for where age is 0. A next key that
// waits already is the newest.
func (s *Signers) Due(ctx context.Context, tenant string, age time.Duration) (out []Alg, err error) {
	keys, err := s.keys(ctx, tenant, s.fresh())
	newest := map[Alg]int64{}
	for _, k := range keys {
		newest[k.Alg] = max(newest[k.Alg], k.From)
	}
	for alg, from := range newest {
		if age == 0 || from+age.Milliseconds() <= s.Now().UnixMilli() {
			out = append(out, alg)
		}
	}
	slices.Sort(out)
	return out, err
}
