package oauth

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/json"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"limen/internal/call"
	"limen/internal/fault"
	wire "limen/internal/wire/oauth"
)

// ErrNoKey says that a client wants what it gets encrypted, and shows no key for it.
var ErrNoKey = fault.New(fault.Invalid, Prefix+string(wire.InvalidClient), "the client has no key of the kind that it wants its answers encrypted to")

// minRSA is the least length of an RSA key that is encrypted to, in bits.
const minRSA = 2048

// cover is how a client wants something encrypted; Alg is empty where it does not.
type cover struct{ alg, enc string }

func (r Registration) cover(use Use) cover {
	switch use {
	case ForID:
		return cover{r.IDTokenKeyAlg, r.IDTokenEnc}
	case ForInfo:
		return cover{r.UserInfoKeyAlg, r.UserInfoEnc}
	case ForAnswer:
		return cover{r.AnswerKeyAlg, r.AnswerEnc}
	case ForAccess, ForLogout, ForIntrospection: // logout tokens are sent to the client itself, over TLS
	}
	return cover{}
}

// encrypt makes a JWE of a payload for a client that wants it so (OpenID Connect Core section 10.2); else it gives the payload back. content is
// the cty of what is inside, JWT where that is signed. It must run outside of transactions.
func (s *Server) encrypt(ctx context.Context, c *call.Call, r Registration, use Use, payload, content string) (string, error) {
	how := r.cover(use)
	if how.alg == "" {
		return payload, nil
	}
	key, err := s.keyFor(ctx, c, r, how)
	if err != nil {
		return "", err
	}
	enc := jose.ContentEncryption(how.enc)
	if enc == "" {
		enc = jose.A128CBC_HS256
	}
	options := &jose.EncrypterOptions{}
	if content != "" {
		options = options.WithContentType(jose.ContentType(content))
	}
	e, err := jose.NewEncrypter(enc, jose.Recipient{Algorithm: jose.KeyAlgorithm(how.alg), Key: key.Key, KeyID: key.KeyID}, options)
	if err != nil {
		return "", ErrNoKey.Because(err)
	}
	out, err := e.Encrypt([]byte(payload))
	if err != nil {
		return "", ErrNoKey.Because(err)
	}
	return out.CompactSerialize()
}

// keyFor finds the first key of a client's that fits.
func (s *Server) keyFor(ctx context.Context, c *call.Call, r Registration, how cover) (out jose.JSONWebKey, err error) {
	err = s.withKeys(ctx, c, r, func(keys []jose.JSONWebKey) error {
		for _, k := range keys {
			if k.Use != "sig" && (k.Algorithm == "" || k.Algorithm == how.alg) && how.fits(k) {
				out = k
				return nil
			}
		}
		return ErrNoKey
	})
	if err != nil {
		return out, ErrNoKey.Because(err)
	}
	return out, nil
}

func (h cover) fits(k jose.JSONWebKey) bool {
	switch key := k.Key.(type) {
	case *rsa.PublicKey:
		return strings.HasPrefix(h.alg, "RSA") && key.N.BitLen() >= minRSA
	case *ecdsa.PublicKey:
		return strings.HasPrefix(h.alg, "ECDH")
	}
	return false
}

// coverable refuses a client whose ID tokens cannot be encrypted as it wants, before anything is spent on it. It must run outside of
// transactions.
func (s *Server) coverable(ctx context.Context, c *call.Call, r Registration) error {
	how := r.cover(ForID)
	if how.alg == "" {
		return nil
	}
	_, err := s.keyFor(ctx, c, r, how)
	return err
}

// SignInfo makes a JWT of what UserInfo gave, signed, encrypted or both; empty where the client wants plain JSON (OpenID Connect Core section
// 5.3.2). It must run outside of transactions.
func (s *Server) SignInfo(ctx context.Context, c *call.Call, i Info) (string, error) {
	i.Claims["iss"] = i.app.Issuer(c.Tenant.Host)
	switch {
	case i.client.UserInfoAlg != "":
		return s.sign(ctx, c, i.app, i.client, ForInfo, IDType, i.Claims)
	case i.client.UserInfoKeyAlg != "":
		payload, err := json.Marshal(i.Claims)
		if err != nil {
			return "", err
		}
		return s.encrypt(ctx, c, i.client, ForInfo, string(payload), "")
	}
	delete(i.Claims, "iss")
	return "", nil
}
