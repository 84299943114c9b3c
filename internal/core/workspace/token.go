package workspace

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/crypt"
	"limen/internal/fault"
)

// Faults of tokens.
var (
	ErrToken   = fault.New(fault.Unauthenticated, "token.workspace", "The token is not valid, or has expired.")
	ErrAnother = fault.New(fault.Denied, "token.kind", "The token is good for something else.")
)

// Types of tokens, as the header's typ: none passes for another one, or for one of another dialect (RFC 8725 section 3.11).
const (
	TypeUser = "workspace+jwt"        // of a session
	TypeStep = "workspace-step+jwt"   // between the first and the second factor
	TypeKey  = "workspace-apikey+jwt" // of an API key
)

// Audience is what the tokens are for: nobody else takes them.
const Audience = "workspaces"

// Claims are those of a token. Times are seconds since 1970.
type Claims struct {
	Issuer    string `json:"iss"`
	Audience  string `json:"aud"`
	Subject   string `json:"sub,omitempty"` // UUID
	Tenant    string `json:"tenant_id"`
	Session   string `json:"sid,omitempty"`  // of TypeUser
	Step      string `json:"step,omitempty"` // of TypeStep: id of the conversation
	Key       string `json:"key,omitempty"`  // of TypeKey: id of the API key
	Workspace string `json:"businessProfileGuid,omitempty"`
	Number    int64  `json:"businessProfileId,omitempty"`
	// Wanted and Guid keep what the first step asked for until the second.
	Wanted      int64    `json:"wantedId,omitempty"`
	Guid        string   `json:"wantedGuid,omitempty"`
	Authorities []string `json:"authorities,omitempty"` // for the client to show; nothing rests on it
	ID          string   `json:"jti"`
	IssuedAt    int64    `json:"iat"`
	Expires     int64    `json:"exp"`
}

// Tokens makes and checks the tokens. Its fields are set before use.
type Tokens struct {
	Signers *crypt.Signers
	Alg     crypt.Alg
	// Life is how long a token of the call's tenant for a workspace is good; one for no workspace where that is empty.
	Life func(ctx context.Context, c *call.Call, workspace string) (time.Duration, error)
	// Known says whether there is a tenant of this id: only then is its key set looked up.
	Known func(ctx context.Context, tenant string) bool
}

// stepLife is how long people have for the second factor; the conversation itself ends no later.
const stepLife = 15 * time.Minute

// Ensure makes the tenant's first signing key where there is none. It must run before the transaction behind which is signed.
func (t Tokens) Ensure(ctx context.Context, tenant string) error {
	return t.Signers.Ensure(ctx, tenant, t.Alg)
}

// Unsigned is a token that is yet to be signed, behind the transaction.
type Unsigned struct {
	tokens Tokens
	typ    string
	claims Claims
}

// Claims are those that will be signed.
func (u Unsigned) Claims() Claims { return u.claims }

// Sign signs it.
func (u Unsigned) Sign(ctx context.Context) (string, error) {
	return u.tokens.Signers.Sign(ctx, u.claims.Tenant, u.tokens.Alg, u.typ, u.claims)
}

// Make prepares a token. One of a session, or of an API key, is not good beyond ends, ms since 1970 UTC; 0: that has no end.
func (t Tokens) Make(ctx context.Context, c *call.Call, typ string, claims Claims, ends int64) (Unsigned, error) {
	life := stepLife
	if typ != TypeStep {
		var err error
		if life, err = t.Life(ctx, c, claims.Workspace); err != nil {
			return Unsigned{}, err
		}
	}
	claims.Issuer, claims.Audience, claims.Tenant, claims.ID = "https://"+c.Tenant.Host, Audience, c.Tenant.ID, c.NewID()
	claims.IssuedAt, claims.Expires = c.Now.Unix(), c.Now.Add(life).Unix()
	if ends != 0 {
		claims.Expires = min(claims.Expires, ends/1000)
	}
	return Unsigned{t, typ, claims}, nil
}

// Looks says whether a credential has the form of one of these tokens, whatever its signature.
func Looks(token string) bool {
	head, _, ok := strings.Cut(token, ".")
	if !ok || len(head) > 1024 {
		return false
	}
	raw, err := base64.RawURLEncoding.DecodeString(head)
	var h struct {
		Type string `json:"typ"`
	}
	return err == nil && json.Unmarshal(raw, &h) == nil && (h.Type == TypeUser || h.Type == TypeStep || h.Type == TypeKey)
}

// maxJWT bounds what is parsed for a caller.
const maxJWT = 8 << 10

// Verify checks a token of any tenant, and gives its type. It says nothing of the session or the key, whose end the caller looks up.
// Fault: ErrToken.
func (t Tokens) Verify(ctx context.Context, token string, now time.Time) (Claims, string, error) {
	parts := strings.Split(token, ".")
	if len(token) > maxJWT || len(parts) != 3 {
		return Claims{}, "", ErrToken
	}
	// The tenant picks the keys, so it is read before the signature is checked and again after it.
	var named, claims Claims
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &named) != nil || !t.Known(ctx, named.Tenant) {
		return Claims{}, "", ErrToken.Because(errors.New("it names no tenant of ours"))
	}
	signed, err := t.Signers.Verify(ctx, named.Tenant, token, t.Alg)
	if err != nil {
		return Claims{}, "", ErrToken.Because(err)
	}
	typ := signed.Type
	if typ != TypeUser && typ != TypeStep && typ != TypeKey || signed.Claims(&claims) != nil || claims.Tenant != named.Tenant || claims.Audience != Audience {
		return Claims{}, "", ErrToken.Because(errors.New("it is another kind of token"))
	}
	if now.Unix() >= claims.Expires {
		return Claims{}, "", ErrToken.Because(errors.New("its time is over"))
	}
	return claims, typ, nil
}
