// Package token makes what a signed-in client carries beside the session: the platform token, a JWT that names the
// session (Result.Token of AdvanceAuthentication), and the refresh token that gives a new pair (oauth.yaml,
// RefreshPlatformToken). Both live no longer than the session: who ends it ends them.
package token

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Faults of tokens.
var (
	ErrInvalid = fault.New(fault.Unauthenticated, "token.invalid", "The token is not valid.")
	ErrExpired = fault.New(fault.Unauthenticated, "token.expired", "The token has expired.")
	// ErrReused says that a refresh token came a second time: a copy of it is about, so its session must be ended.
	ErrReused = fault.New(fault.Unauthenticated, "token.reused", "The refresh token was used before. The session has been ended.")
)

// Type is the header's typ of platform tokens: no other token that is signed with the same keys passes for one
// (RFC 8725 section 3.11).
const Type = "platform+jwt"

// Claims are those of a platform token. The names are the contract's; times are seconds since 1970.
type Claims struct {
	Issuer     string `json:"iss"`
	Subject    string `json:"sub"`         // UUID of the person
	UniqueName string `json:"unique_name"` // login name
	Tenant     string `json:"tenant_id"`
	Subdomain  string `json:"subdomain"`       // first label of the tenant's host
	Domain     string `json:"platform_domain"` // the rest of it
	Session    string `json:"sid"`
	ID         string `json:"jti"`
	IssuedAt   int64  `json:"iat"`
	NotBefore  int64  `json:"nbf"`
	Expires    int64  `json:"exp"`
}

// Tokens makes and checks tokens. Its fields are set before use.
type Tokens struct {
	Signers *crypt.Signers
	Alg     crypt.Alg     // RS256 when empty
	Life    time.Duration // of a platform token; 15 minutes when 0
	// Known says whether there is a tenant of this id: only then is its key set looked up.
	Known func(ctx context.Context, tenant string) bool
}

func (t Tokens) alg() crypt.Alg {
	if t.Alg == "" {
		return crypt.RS256
	}
	return t.Alg
}

func (t Tokens) life() time.Duration {
	if t.Life <= 0 {
		return 15 * time.Minute
	}
	return t.Life
}

// Ensure makes the tenant's first signing key where there is none. It must run before the transaction
// behind which is signed.
func (t Tokens) Ensure(ctx context.Context, tenant string) error {
	return t.Signers.Ensure(ctx, tenant, t.alg())
}

// Holder is whom a token is for.
type Holder struct {
	User    string // UUID
	Name    string // login name
	Session string
	Expires int64 // end of the session, ms since 1970 UTC: no token outlives it
}

// Unsigned is a platform token that is yet to be signed. That is done behind the transaction which made its session: nobody
// waits for a signature with the store's lock in hand.
type Unsigned func(ctx context.Context) (jwt string, err error)

// Platform makes a platform token and says for how many seconds it is good.
func (t Tokens) Platform(c *call.Call, h Holder) (sign Unsigned, seconds int) {
	now := c.Now.Unix()
	end := c.Now.Add(t.life()).Unix()
	if h.Expires > 0 {
		end = min(end, h.Expires/1000)
	}
	sub, domain := Split(c.Tenant.Host)
	tenant, claims := c.Tenant.ID, Claims{
		Issuer: "https://" + c.Tenant.Host, Subject: h.User, UniqueName: h.Name, Tenant: c.Tenant.ID, Subdomain: sub, Domain: domain,
		Session: h.Session, ID: c.NewID(), IssuedAt: now, NotBefore: now, Expires: end,
	}
	return func(ctx context.Context) (string, error) { return t.Signers.Sign(ctx, tenant, t.alg(), Type, claims) }, int(end - now)
}

// Split cuts a tenant's host name into its first label and the rest; the rest is the whole where there is one label only.
func Split(host string) (subdomain, domain string) {
	subdomain, domain, ok := strings.Cut(host, ".")
	if !ok {
		return subdomain, host
	}
	return subdomain, domain
}

// maxJWT bounds what is parsed for a caller.
const maxJWT = 8 << 10

// Looks says whether a credential has the form of a JWT rather than that of a session token.
func Looks(token string) bool { return strings.Count(token, ".") == 2 }

// Verify checks a platform token of any tenant. It says nothing of the session, whose end the
// caller looks up by Claims.Session.
func (t Tokens) Verify(ctx context.Context, token string, now time.Time) (Claims, error) {
	claims, err := t.signed(ctx, token)
	if err != nil {
		return Claims{}, err
	}
	switch ms := now.Unix(); {
	case claims.Session == "" || claims.Subject == "":
		return Claims{}, ErrInvalid.Because(errors.New("it names no session"))
	case ms >= claims.Expires:
		return Claims{}, ErrExpired
	case ms < claims.NotBefore-int64(skew.Seconds()):
		return Claims{}, ErrInvalid.Because(errors.New("it is not valid yet"))
	}
	return claims, nil
}

// skew is by how much the clocks of nodes may differ.
const skew = 30 * time.Second

// signed checks all of a platform token but its times: an expired one still names the session it was made for.
func (t Tokens) signed(ctx context.Context, token string) (Claims, error) {
	if len(token) > maxJWT || !Looks(token) {
		return Claims{}, ErrInvalid
	}
	// The tenant picks the keys, so it is read before the signature is checked and again after it.
	var named Claims
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil || json.Unmarshal(payload, &named) != nil || !t.Known(ctx, named.Tenant) {
		return Claims{}, ErrInvalid.Because(errors.New("it names no tenant of ours"))
	}
	signed, err := t.Signers.Verify(ctx, named.Tenant, token, t.alg())
	if err != nil {
		return Claims{}, err
	}
	var claims Claims
	if signed.Type != Type || signed.Claims(&claims) != nil || claims.Tenant != named.Tenant {
		return Claims{}, ErrInvalid.Because(errors.New("it is another kind of token"))
	}
	return claims, nil
}

type refreshRow struct {
	Tenant  string `db:"tenant"`
	Session string `db:"session"`
	User    string `db:"user_id"`
	Expires int64  `db:"expires"`
	Used    int64  `db:"used"`
}

var (
	insertRow = dbx.E("token.insert", `INSERT INTO refresh_token (hash, tenant, session, user_id, created, expires, used) VALUES (?, ?, ?, ?, ?, ?, 0)`)
	findRow   = dbx.Q[refreshRow]("token.find", `SELECT tenant, session, user_id, expires, used FROM refresh_token WHERE tenant = ? AND hash = ? FOR UPDATE`)
	useRow    = dbx.E("token.use", `UPDATE refresh_token SET used = ? WHERE tenant = ? AND hash = ? AND used = 0`)
	sweepRow  = dbx.S("token.sweep", "refresh_token", "hash", "expires < ?")
)

// Refresh makes a refresh token for the call's tenant; expires is the session's end in ms since 1970 UTC.
func (t Tokens) Refresh(ctx context.Context, c *call.Call, h Holder) (plain string, err error) {
	plain, hash := crypt.NewToken(c.Rand)
	err = insertRow.Later(ctx, c.Tx, hash, c.Tenant.ID, h.Session, h.User, c.Now.UnixMilli(), h.Expires)
	return plain, err
}

// Use takes a refresh token out of use and says whose it was. ErrReused when it was used before: the holder is given
// all the same, whose session the caller ends in the same transaction. ErrInvalid when it is unknown or expired.
func (t Tokens) Use(ctx context.Context, c *call.Call, plain string) (Holder, error) {
	if plain == "" || len(plain) > 512 {
		return Holder{}, ErrInvalid
	}
	hash, now := crypt.TokenHash(plain), c.Now.UnixMilli()
	row, err := findRow.One(ctx, c.Tx, c.Tenant.ID, hash)
	if errors.Is(err, dbx.ErrNoRow) {
		return Holder{}, ErrInvalid
	}
	if err != nil {
		return Holder{}, err
	}
	h := Holder{User: row.User, Session: row.Session, Expires: row.Expires}
	if row.Used != 0 {
		return h, ErrReused
	}
	if now >= row.Expires {
		return Holder{}, ErrInvalid
	}
	n, err := useRow.Do(ctx, c.Tx, now, c.Tenant.ID, hash)
	if err == nil && n == 0 {
		return h, ErrReused
	}
	return h, err
}

// Old gives the claims of a platform token whose time may be over, for the exchange that replaces it.
func (t Tokens) Old(ctx context.Context, token string) (Claims, error) { return t.signed(ctx, token) }

// Sweep removes refresh tokens of all tenants that expired before a time.
func (t Tokens) Sweep(ctx context.Context, db *dbx.DB, before time.Time) error {
	return sweepRow.Run(ctx, db, before.UnixMilli())
}
