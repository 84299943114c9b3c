package oauth

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Asserted are the claims of a client assertion (RFC 7523 section 3) or a request object (RFC 9101 section 4) that bound its
// use. Times are zero where a claim is absent.
type Asserted struct {
	Issuer, Subject, ID        string
	Audience                   []string
	Issued, NotBefore, Expires time.Time
	Type                       string // typ of its header, in lower case
	KeyID                      string
	Algorithm                  jose.SignatureAlgorithm
	Content                    []byte // all claims, JSON
}

// Unproven reads who a signed token says it is from, to find the keys it is checked with. Nothing of it may be believed.
func Unproven(token string, algs []jose.SignatureAlgorithm) (Asserted, error) {
	signed, err := parse(token, algs)
	if err != nil {
		return Asserted{}, err
	}
	return asserted(signed, signed.UnsafePayloadWithoutVerification())
}

// Prove checks the signature of a token with one of the keys and gives its claims. A key that names another algorithm, use
// or id than the token's is passed over.
func Prove(token string, algs []jose.SignatureAlgorithm, keys []jose.JSONWebKey) (Asserted, error) {
	signed, err := parse(token, algs)
	if err != nil {
		return Asserted{}, err
	}
	head := signed.Signatures[0].Protected
	for _, k := range keys {
		if k.KeyID != "" && head.KeyID != "" && k.KeyID != head.KeyID || k.Algorithm != "" && k.Algorithm != head.Algorithm || k.Use != "" && k.Use != "sig" {
			continue
		}
		if content, err := signed.Verify(k); err == nil {
			return asserted(signed, content)
		}
	}
	return Asserted{}, bad(InvalidClient, "the signature is by no key of the client")
}

func parse(token string, algs []jose.SignatureAlgorithm) (*jose.JSONWebSignature, error) {
	if len(token) > maxJWT {
		return nil, bad(InvalidRequest, "the token is longer than %d bytes", maxJWT)
	}
	signed, err := jose.ParseSignedCompact(token, algs)
	if err != nil {
		return nil, bad(InvalidClient, "the token cannot be read, or its alg is not allowed")
	}
	return signed, nil
}

func asserted(signed *jose.JSONWebSignature, content []byte) (Asserted, error) {
	var c struct {
		Issuer   string          `json:"iss"`
		Subject  string          `json:"sub"`
		ID       string          `json:"jti"`
		Audience json.RawMessage `json:"aud"`
		Issued   float64         `json:"iat"`
		Before   float64         `json:"nbf"`
		Expires  float64         `json:"exp"`
	}
	if err := json.Unmarshal(content, &c); err != nil {
		return Asserted{}, bad(InvalidClient, "the token has no readable claims")
	}
	head := signed.Signatures[0].Protected
	typ, _ := head.ExtraHeaders[jose.HeaderType].(string)
	out := Asserted{
		Issuer: c.Issuer, Subject: c.Subject, ID: c.ID, Issued: at(c.Issued), NotBefore: at(c.Before), Expires: at(c.Expires),
		Type: strings.ToLower(typ), KeyID: head.KeyID, Algorithm: jose.SignatureAlgorithm(head.Algorithm), Content: content,
	}
	if len(c.Audience) > 0 {
		var one string
		if json.Unmarshal(c.Audience, &one) == nil {
			out.Audience = []string{one}
		} else if json.Unmarshal(c.Audience, &out.Audience) != nil {
			return Asserted{}, bad(InvalidClient, "the token has no readable aud")
		}
	}
	return out, nil
}

func at(seconds float64) time.Time {
	if seconds <= 0 || seconds > 1<<40 {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0)
}

// Live says whether the token may be used now, for one of the audiences: it must end, and not later than longest from now.
func (a Asserted) Live(now time.Time, longest, skew time.Duration, audiences ...string) error {
	switch {
	case a.Expires.IsZero() || !a.Expires.After(now.Add(-skew)):
		return bad(InvalidClient, "the token has expired, or has no exp")
	case a.Expires.After(now.Add(longest + skew)):
		return bad(InvalidClient, "the token lives too long")
	case a.NotBefore.After(now.Add(skew)) || a.Issued.After(now.Add(skew)):
		return bad(InvalidClient, "the token is not valid yet")
	case !slices.ContainsFunc(a.Audience, func(s string) bool { return slices.Contains(audiences, s) }):
		return bad(InvalidClient, "the token is for somebody else")
	}
	return nil
}
