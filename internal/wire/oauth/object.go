package oauth

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// ObjectType is the header's typ of request objects (RFC 9101 section 10.8). Older clients write JWT, or none.
const ObjectType = "oauth-authz-req+jwt"

// PushedPrefix begins the request_uri of a pushed request (RFC 9126 section 2.2).
const PushedPrefix = "urn:ietf:params:oauth:request_uri:"

// registeredClaims say of a request object for whom and until when it is, and are no parameters of the request.
var registeredClaims = []string{"iss", "aud", "exp", "nbf", "iat", "jti", "sub"}

// Object is a request object whose signature is right.
type Object struct {
	Asserted
	Params Params
}

// ReadObject checks the signature of a request object with one of the client's keys and reads what it asks for (RFC 9101
// section 4 and 6, OpenID Connect Core section 6). "none" is no algorithm, and encrypted objects are not taken.
func ReadObject(object string, algs []jose.SignatureAlgorithm, keys []jose.JSONWebKey) (Object, error) {
	if strings.Count(object, ".") == 4 {
		return Object{}, badObject("is encrypted, which is not supported")
	}
	a, err := Prove(object, algs, keys)
	if err != nil {
		return Object{}, badObject("is not signed by a key of the client with an algorithm that it may use")
	}
	if a.Type != "" && a.Type != ObjectType && a.Type != "jwt" {
		return Object{}, badObject("has a typ of something else")
	}
	p, err := objectParams(a.Content)
	return Object{a, p}, err
}

func badObject(why string) error { return bad(InvalidRequestObject, "the request object %s", why) }

// objectParams turns claims into parameters: numbers and what is JSON by itself become text.
func objectParams(content []byte) (Params, error) {
	var claims map[string]json.RawMessage
	if err := json.Unmarshal(content, &claims); err != nil {
		return nil, badObject("has no readable claims")
	}
	values := url.Values{}
	for name, raw := range claims {
		switch {
		case name == "request" || name == "request_uri":
			return nil, badObject("has another within")
		case slices.Contains(registeredClaims, name) || bytes.Equal(raw, []byte("null")):
			continue
		}
		text, err := objectValue(name, raw)
		if err != nil {
			return nil, err
		}
		values[name] = text
	}
	p, err := Read(values)
	if err != nil {
		return nil, badObject("has a parameter that cannot be read")
	}
	return p, nil
}

func objectValue(name string, raw json.RawMessage) ([]string, error) {
	var one any
	if err := json.Unmarshal(raw, &one); err != nil {
		return nil, badObject("has a parameter that cannot be read")
	}
	switch v := one.(type) {
	case string:
		return []string{v}, nil
	case []any:
		if many[name] {
			var list []string
			if json.Unmarshal(raw, &list) != nil {
				return nil, badObject("has a parameter that cannot be read")
			}
			return list, nil
		}
	}
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return nil, badObject("has a parameter that cannot be read")
	}
	return []string{b.String()}, nil
}

// For says whether the object is a request of a client to an issuer. What it does not say is not wrong, unless strict: then it must
// say for whom it is and from when until when, an hour at most (FAPI 2.0 Message Signing section 5.3.1).
func (o Object) For(client, issuer string, now time.Time, skew time.Duration, strict bool) error {
	named := o.Params.Get("client_id")
	switch {
	case named == "" && o.Issuer == "", named != "" && named != client, o.Issuer != "" && o.Issuer != client:
		return badObject("is not the client's that is named beside it")
	case o.Subject == client: // an assertion by which the client proves who it is, and no request (RFC 9101 section 10.8)
		return badObject("is an assertion of the client")
	case len(o.Audience) > 0 && !slices.Contains(o.Audience, issuer):
		return badObject("is for somebody else")
	case !o.Expires.IsZero() && !o.Expires.After(now.Add(-skew)):
		return badObject("has expired")
	case o.NotBefore.After(now.Add(skew)) || o.Issued.After(now.Add(skew)):
		return badObject("is not valid yet")
	case !strict:
		return nil
	case len(o.Audience) == 0 || o.Expires.IsZero() || o.NotBefore.IsZero() || o.Issuer == "":
		return badObject("lacks iss, aud, nbf or exp")
	case o.NotBefore.Before(now.Add(-time.Hour-skew)) || o.Expires.After(o.NotBefore.Add(time.Hour)):
		return badObject("is for longer than an hour")
	}
	return nil
}
