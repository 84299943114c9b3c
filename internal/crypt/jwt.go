package crypt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	// maxToken bounds a token in bytes: more does not fit a request's header anyway.
	maxToken = 16 << 10
	// maxForeign bounds how many keys of a foreign set are tried for a token without a key id.
	maxForeign = 16
)

// Signed is a token whose signature fits. Nothing else is checked: who made it, for whom, and until when it is valid
// are the caller's to decide.
type Signed struct {
	Alg     Alg
	Type    string // the header's typ, for example "at+jwt"; callers that expect one compare it (RFC 8725, 3.11)
	KeyID   string
	Payload []byte
}

// Claims reads the payload as JSON into v.
func (t Signed) Claims(v any) error {
	if err := json.Unmarshal(t.Payload, v); err != nil {
		return ErrToken.Because(err)
	}
	return nil
}

// Sign makes a compact JWS (RFC 7515) of the claims as JSON with the tenant's present key. typ is the header's type:
// "JWT", "at+jwt", "logout+jwt".
func (s *Signers) Sign(ctx context.Context, tenant string, alg Alg, typ string, claims any) (string, error) {
	k, err := s.current(ctx, tenant, alg)
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", ErrToken.Because(err)
	}
	return compact(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: k.private, KeyID: k.ID, Algorithm: string(alg)}}, typ, payload)
}

// SignShared is Sign with a secret that the receiver has, by HS256. Nobody verifies it but the receiver.
func SignShared(secret, typ string, claims any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", ErrToken.Because(err)
	}
	return compact(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(secret)}, typ, payload)
}

// Shared is a token that says it is signed with a secret of its receiver's, of which nothing is proved yet.
type Shared struct{ jws *jose.JSONWebSignature }

// ReadShared reads a compact JWS whose algorithm is HS256.
func ReadShared(token string) (Shared, error) {
	if len(token) > maxToken {
		return Shared{}, ErrToken.Because(errors.New("it is too long"))
	}
	jws, err := jose.ParseSignedCompact(token, []Alg{jose.HS256})
	if err != nil {
		return Shared{}, ErrToken.Because(err)
	}
	return Shared{jws}, nil
}

// Claimed is what the token says, unproved: enough to find out whose secret should fit.
func (s Shared) Claimed() Signed { return signed(s.jws, s.jws.UnsafePayloadWithoutVerification()) }

// Unproved is what a token says that nobody has verified yet: enough to find out whose it should be.
func Unproved(token string, accepted ...Alg) (Signed, error) {
	jws, err := parseToken(token, accepted)
	if err != nil {
		return Signed{}, err
	}
	return signed(jws, jws.UnsafePayloadWithoutVerification()), nil
}

// Verify checks the token against a secret.
func (s Shared) Verify(secret string) (Signed, error) {
	payload, err := s.jws.Verify([]byte(secret))
	if err != nil || secret == "" {
		return Signed{}, ErrToken.Because(errors.New("its signature is not the secret's"))
	}
	return signed(s.jws, payload), nil
}

func compact(key jose.SigningKey, typ string, payload []byte) (string, error) {
	signer, err := jose.NewSigner(key, (&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		return "", ErrAlgorithm.Because(err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return "", ErrNoSigningKey.Because(err)
	}
	return jws.CompactSerialize()
}

// Verify checks a token of ours against the tenant's published keys. The caller names the algorithms it accepts; the
// token's header chooses among them only. A key id made by another node is looked for in the store, at most once a
// second.
func (s *Signers) Verify(ctx context.Context, tenant, token string, accepted ...Alg) (Signed, error) {
	jws, err := parseToken(token, accepted)
	if err != nil {
		return Signed{}, err
	}
	id := jws.Signatures[0].Protected.KeyID
	for _, age := range []time.Duration{s.fresh(), min(s.fresh(), rereadAfter)} {
		keys, err := s.keys(ctx, tenant, age)
		if err != nil {
			return Signed{}, err
		}
		for _, k := range keys {
			if k.ID == id && !k.ended(s.Now()) {
				return check(jws, &k.public)
			}
		}
	}
	return Signed{}, ErrToken.Because(errors.New("no published key has its key id"))
}

// VerifyWith checks a token of somebody else against their key set. Keys that name another algorithm or use are not
// tried, nor are symmetric keys. A token without a key id is tried against all the others.
func VerifyWith(keys jose.JSONWebKeySet, token string, accepted ...Alg) (Signed, error) {
	jws, err := parseToken(token, accepted)
	if err != nil {
		return Signed{}, err
	}
	h, tried := jws.Signatures[0].Protected, 0
	for i := range keys.Keys {
		k := &keys.Keys[i]
		if h.KeyID != "" && k.KeyID != h.KeyID || k.Use != "" && k.Use != "sig" || k.Algorithm != "" && k.Algorithm != h.Algorithm {
			continue
		}
		if tried++; tried > maxForeign {
			break
		}
		if signed, err := check(jws, k); err == nil {
			return signed, nil
		}
	}
	return Signed{}, ErrToken.Because(fmt.Errorf("its signature fits none of %d keys", tried))
}

// parseToken reads a compact JWS with one of the accepted algorithms. None of them is symmetric: a public key taken
// for a shared secret is the oldest forgery of all.
func parseToken(token string, accepted []Alg) (*jose.JSONWebSignature, error) {
	if len(accepted) == 0 || slices.ContainsFunc(accepted, func(a Alg) bool { return !asymmetric[a] }) {
		return nil, ErrAlgorithm.Because(fmt.Errorf("%v cannot be accepted", accepted))
	}
	if len(token) > maxToken {
		return nil, ErrToken.Because(errors.New("it is too long"))
	}
	jws, err := jose.ParseSignedCompact(token, accepted)
	if err != nil {
		return nil, ErrToken.Because(err)
	}
	if len(jws.Signatures) != 1 {
		return nil, ErrToken.Because(errors.New("it has not exactly one signature"))
	}
	return jws, nil
}

var asymmetric = map[Alg]bool{
	jose.RS256: true, jose.RS384: true, jose.RS512: true, jose.PS256: true, jose.PS384: true, jose.PS512: true,
	jose.ES256: true, jose.ES384: true, jose.ES512: true, jose.EdDSA: true,
}

func check(jws *jose.JSONWebSignature, key *jose.JSONWebKey) (Signed, error) {
	h := jws.Signatures[0].Protected
	if key.Algorithm != "" && key.Algorithm != h.Algorithm {
		return Signed{}, ErrToken.Because(errors.New("its algorithm is not its key's"))
	}
	if !key.IsPublic() {
		return Signed{}, ErrToken.Because(errors.New("its key is not a public one"))
	}
	payload, err := jws.Verify(key)
	if err != nil {
		return Signed{}, ErrToken.Because(err)
	}
	return signed(jws, payload), nil
}

func signed(jws *jose.JSONWebSignature, payload []byte) Signed {
	h := jws.Signatures[0].Protected
	typ, _ := h.ExtraHeaders[jose.HeaderType].(string)
	return Signed{Alg: Alg(h.Algorithm), Type: typ, KeyID: h.KeyID, Payload: payload}
}
