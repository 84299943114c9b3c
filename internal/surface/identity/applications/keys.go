package applications

import (
	"context"
	"time"

	"limen/internal/core/audit"
	"limen/internal/crypt"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// signingKeys declares the replacement of the keys that tokens are signed with.
func (a Applications) signingKeys() []op.Op {
	return []op.Op{op.Prepared(op.Spec{
		Path: "/OAuth2/RotateKeys", Allow: op.System, Effect: op.Write, Audit: audit.OAuthKeys, Faults: []*fault.Error{crypt.ErrTurning},
	}, a.nextKeys, a.RotateKeys)}
}

// Rotation asks for new keys.
type Rotation struct {
	// Urgent withdraws the present keys at once, for when somebody may know them: every token that they signed ends.
	Urgent bool `json:"Urgent"`
}

// SigningKey is a key that tokens are signed with.
type SigningKey struct {
	// ID is the key's kid, and Algorithm its alg.
	ID        string `json:"ID"`
	Algorithm string `json:"Algorithm"`
	// From is when it begins to sign.
	From rpc.Time `json:"From"`
	// Until is when it is withdrawn; absent where it stays until another takes over.
	Until *rpc.Time `json:"Until,omitempty"`
}

// Rotated are the keys that were made, and those that end.
type Rotated struct {
	Keys []SigningKey `json:"Keys"`
}

func (a Applications) nextKeys(ctx context.Context, c *op.Call, in Rotation) ([]crypt.SigningKey, error) {
	return a.OAuth.NextKeys(ctx, c, in.Urgent)
}

// RotateKeys makes the next key of every algorithm that the tenant's tokens are signed with. The new keys are published at once and sign ten
// minutes later, when everybody has read them; the present ones stay published for 48 hours then, or for as long as the longest token of
// any application lives. Where one is waiting to sign already, only Urgent makes another. For system administrators; beyond the contract.
func (a Applications) RotateKeys(ctx context.Context, c *op.Call, in Rotation, keys []crypt.SigningKey) (Rotated, error) {
	if err := a.OAuth.PutKeys(ctx, c, keys, in.Urgent); err != nil {
		return Rotated{}, err
	}
	out := Rotated{Keys: []SigningKey{}}
	for _, k := range keys {
		one := SigningKey{ID: k.ID, Algorithm: string(k.Alg), From: rpc.Time(time.UnixMilli(k.From))}
		if k.Until > 0 {
			until := rpc.Time(time.UnixMilli(k.Until))
			one.Until = &until
		}
		out.Keys = append(out.Keys, one)
	}
	return out, nil
}
