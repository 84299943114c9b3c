package passkey

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
)

// Purpose is that of the key which challenges for nobody in particular are signed with.
const Purpose = "passkey"

// A challenge for nobody in particular is not stored, since everybody who looks at a sign-in page gets one. It is a random number, the time when it was
// drawn in milliseconds since 1970, and a keyed hash of both by which we know it again.
const (
	drawn = 8          // bytes of the number
	dated = drawn + 8  // and of the time
	known = dated + 16 // and of the hash
)

// Anybody draws a challenge for whoever has a passkey of this host: the browser offers those that it finds, and the one that signs says whose it is. It
// is good for five minutes; outside transactions.
func (k Keys) Anybody(ctx context.Context, c *call.Call) (Assertion, error) {
	raw := make([]byte, drawn, known)
	if _, err := io.ReadFull(c.Rand, raw); err != nil {
		return Assertion{}, err
	}
	raw = binary.BigEndian.AppendUint64(raw, uint64(c.Now.UnixMilli()))
	sum, err := k.sum(ctx, c, raw)
	return Assertion{
		Challenge: base64.RawURLEncoding.EncodeToString(append(raw, sum...)), Timeout: wait.Milliseconds(), RPID: here(c).RP,
		AllowCredentials: []Descriptor{}, UserVerification: selections[Passkey].UserVerification,
	}, err
}

// sum is the hash in a challenge. When the tenant's key is rotated, the challenges that are under way are drawn anew.
func (k Keys) sum(ctx context.Context, c *call.Call, raw []byte) ([]byte, error) {
	if err := k.Ring.Ensure(ctx, c.Tenant.ID, Purpose); err != nil {
		return nil, err
	}
	key, err := k.Ring.MAC(ctx, c.Tenant.ID, Purpose, []byte("anybody"))
	if err != nil {
		return nil, err
	}
	h := hmac.New(sha256.New, []byte(key))
	h.Write(raw)
	return h.Sum(nil)[:known-dated], nil
}

// drawnAt is when a challenge of Anybody was drawn; false where it is none, or too old.
func (k Keys) drawnAt(ctx context.Context, c *call.Call, challenge string) (at time.Time, ok bool, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(challenge)
	if err != nil || len(raw) != known {
		return at, false, nil //nolint:nilerr // what cannot be read is no challenge of ours
	}
	sum, err := k.sum(ctx, c, raw[:dated])
	if err != nil || !hmac.Equal(sum, raw[dated:]) {
		return at, false, err
	}
	at = time.UnixMilli(int64(binary.BigEndian.Uint64(raw[drawn:dated])))
	return at, c.Now.Before(at.Add(wait)), nil
}

// Found is a passkey that signed without anybody having been named.
type Found struct {
	User      string // id of whose it is
	Mechanism string // that it answers
	Challenge string // that it signed
	Drawn     time.Time
	Verdict   factor.Verdict
}

// Put has a challenge of its mechanism stand as if it had been begun with what was signed.
func (f Found) Put(c *call.Call, ch *factor.Challenge) {
	ch.Code, ch.Origin, ch.Sent, ch.Expires = f.Challenge, here(c).Origin, f.Drawn.UnixMilli(), f.Drawn.Add(wait).UnixMilli()
}

// Discover reads what a browser answered to Anybody's challenge, and verifies it (section 7.2); outside transactions. The zero Found is none of somebody's.
// For a key that nobody has, another one is tried, so that it takes as long.
func (k Keys) Discover(ctx context.Context, c *call.Call, raw string) (Found, error) {
	if raw == "" || len(raw) > maxAnswer {
		return Found{}, nil
	}
	answer, ok := read(raw)
	if !ok {
		return Found{}, nil
	}
	out := Found{Challenge: answer.Response.CollectedClientData.Challenge}
	at, ok, err := k.drawnAt(ctx, c, out.Challenge)
	if err != nil || !ok {
		return Found{}, err
	}
	var key Key
	err = c.Snapshot(ctx, func() (err error) {
		key, err = k.Find(ctx, c, base64.RawURLEncoding.EncodeToString(answer.RawID))
		return err
	})
	if errors.Is(err, ErrNotFound) {
		verified(here(c), out.Challenge, selections[Passkey].UserVerification, Key{User: string(answer.Response.UserHandle), Public: nobodys}, answer)
		return Found{}, nil
	}
	// A security key does not say whose it is. What was signed again is no sign of a copy: it is not looked at.
	if err != nil || string(answer.Response.UserHandle) != key.User || key.Kind == SecurityKey || key.Used >= at.UnixMilli() {
		return Found{}, err
	}
	out.User, out.Mechanism, out.Drawn = key.User, asked[key.Kind].name, at
	ch := factor.Challenge{Name: out.Mechanism}
	out.Put(c, &ch)
	out.Verdict, err = Mechanism{k, key.Kind}.Check(ctx, c, factor.Person{ID: key.User}, ch, factor.Answer{Text: raw})
	if pr, ok := out.Verdict.Proof.(proof); ok {
		pr.drawn = at.UnixMilli()
		out.Verdict.Proof = pr
		return out, err
	}
	return Found{}, err
}
