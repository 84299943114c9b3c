package provision

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/user"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Faults of provisioning tokens.
var (
	ErrNoToken = fault.New(fault.NotFound, "provisioning.token_not_found", "There is no such provisioning token.")
	ErrToken   = fault.New(fault.Unauthenticated, "provisioning.token", "The provisioning token is not valid, or has expired.")
	ErrTokens  = fault.New(fault.Conflict, "provisioning.token_many", "The service user has as many provisioning tokens as it may have.")
	ErrService = fault.New(fault.Invalid, "provisioning.service", "A provisioning token is for a service user.")
)

// Realms are what tokens are for: none is good anywhere else.
const (
	RealmSCIM      = "scim"      // to provision over SCIM
	RealmWorkspace = "workspace" // an API key of a workspace (core/workspace)
)

// TokenPrefix begins every provisioning token, so that it is recognized where it should not be; KeyPrefix every API key.
const (
	TokenPrefix = "limen-scim-"
	KeyPrefix   = "limen-key-"
)

var prefixes = map[string]string{RealmSCIM: TokenPrefix, RealmWorkspace: KeyPrefix}

// Limits of provisioning tokens.
const (
	MaxLife    = 2 * 365 * 24 * time.Hour
	MaxOverlap = 30 * 24 * time.Hour
	maxTokens  = 20 // of one service user
	maxLabel   = 200
)

// Token is a provisioning token as administrators see it. Times are milliseconds since 1970 UTC.
type Token struct {
	ID      string `db:"id"`
	User    string `db:"user_id"`
	Name    string `db:"name"`
	Created int64  `db:"created"`
	Rotated int64  `db:"rotated"` // 0: never
	Expires int64  `db:"expires"`
	Realm   string `db:"realm"` // what it is for
}

const tokenColumns = `id, user_id, name, created, rotated, expires, realm`

var (
	addToken  = dbx.E("provision.addToken", `INSERT INTO provisioning_token (tenant, creator, `+tokenColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	addSecret = dbx.E("provision.addSecret", `INSERT INTO provisioning_secret (tenant, hash, token, expires) VALUES (?, ?, ?, ?)`)
	lockToken = dbx.Q[Token]("provision.lockToken", `SELECT `+tokenColumns+` FROM provisioning_token WHERE tenant = ? AND id = ? FOR UPDATE`)
	tokensOf  = dbx.Q[Token]("provision.tokensOf", `SELECT `+tokenColumns+` FROM provisioning_token WHERE tenant = ? AND user_id = ? ORDER BY id LIMIT 100`)
	findToken = dbx.Q[Token]("provision.findToken", `SELECT `+tokenColumns+` FROM provisioning_token WHERE tenant = ? AND id = ?`)
	whose     = dbx.Q[string]("provision.whose", `SELECT t.user_id FROM provisioning_secret s JOIN provisioning_token t ON t.tenant = s.tenant AND t.id = s.token WHERE s.tenant = ? AND s.hash = ? AND s.expires > ? AND t.expires > ? AND t.realm = 'scim'`)
	keyed     = dbx.Q[Token]("provision.keyed", `SELECT t.id, t.user_id, t.name, t.created, t.rotated, CASE WHEN s.expires < t.expires THEN s.expires ELSE t.expires END AS expires,
		t.realm FROM provisioning_secret s JOIN provisioning_token t ON t.tenant = s.tenant AND t.id = s.token
		WHERE s.tenant = ? AND s.hash = ? AND s.expires > ? AND t.expires > ? AND t.realm = 'workspace'`)
	ageSecrets  = dbx.E("provision.ageSecrets", `UPDATE provisioning_secret SET expires = ? WHERE tenant = ? AND token = ? AND expires > ?`)
	rotateToken = dbx.E("provision.rotateToken", `UPDATE provisioning_token SET rotated = ?, expires = ? WHERE tenant = ? AND id = ?`)
	dropToken   = dbx.E("provision.dropToken", `DELETE FROM provisioning_token WHERE tenant = ? AND id = ?`)
	dropTokens  = dbx.E("provision.dropTokens", `DELETE FROM provisioning_token WHERE tenant = ? AND user_id = ?`)
	sweepTokens = dbx.S("provision.sweepTokens", "provisioning_token", "tenant, id", "expires < ?")
)

// MakeToken makes a token by which a client acts as a service user; it is told once. The caller must hold what the service user
// holds. Faults: ErrService, ErrTokens, ErrSystem, user.ErrStronger.
func (d *Directory) MakeToken(ctx context.Context, c *call.Call, u user.User, realm, name string, life time.Duration) (Token, string, error) {
	t := Token{ID: c.NewID(), User: u.ID, Name: strings.TrimSpace(name), Created: c.Now.UnixMilli(), Expires: c.Now.Add(life).UnixMilli(), Realm: realm}
	tokenNoted(c, t)
	if err := checkToken(t.Name, life); err != nil {
		return t, "", err
	}
	if !u.Service {
		return t, "", ErrService
	}
	if err := d.Roles.Guard(ctx, c, u.ID, ErrSystem, user.ErrStronger); err != nil {
		return t, "", err
	}
	all, err := tokensOf.All(ctx, c.Tx, c.Tenant.ID, u.ID)
	if err == nil && len(all) >= maxTokens {
		err = ErrTokens
	}
	if err != nil {
		return t, "", err
	}
	if _, err := addToken.Do(ctx, c.Tx, c.Tenant.ID, c.User(), t.ID, t.User, t.Name, t.Created, t.Rotated, t.Expires, t.Realm); err != nil {
		return t, "", err
	}
	plain, err := secret(ctx, c, t)
	return t, plain, err
}

func checkToken(name string, life time.Duration) error {
	switch {
	case name == "":
		return fault.Blank("Name")
	case len(name) > maxLabel || !utf8.ValidString(name):
		return fault.Bad("Name", "may have %d bytes", maxLabel)
	case life <= 0 || life > MaxLife:
		return fault.Bad("Days", "must be 1 to %d", int(MaxLife.Hours()/24))
	}
	return nil
}

// secret draws a secret of a token.
func secret(ctx context.Context, c *call.Call, t Token) (string, error) {
	plain, hash := crypt.NewToken(c.Rand)
	_, err := addSecret.Do(ctx, c.Tx, c.Tenant.ID, hash, t.ID, t.Expires)
	return prefixes[t.Realm] + plain, err
}

func tokenNoted(c *call.Call, t Token) {
	if e := c.Event; e != nil {
		e.Target, e.Kind, e.Name, e.User = t.ID, "ProvisioningToken", t.Name, t.User
		e.Set("Expires", t.Expires)
		e.Set("For", t.Realm)
	}
}

// FindToken finds a token by its id. Fault: ErrNoToken.
func FindToken(ctx context.Context, c *call.Call, id string) (Token, error) {
	t, err := findToken.One(ctx, c.Tx, c.Tenant.ID, id)
	if errors.Is(err, dbx.ErrNoRow) {
		err = ErrNoToken
	}
	return t, err
}

// Tokens lists the tokens of a service user, the oldest first.
func (d *Directory) Tokens(ctx context.Context, c *call.Call, userID string) ([]Token, error) {
	return tokensOf.All(ctx, c.Tx, c.Tenant.ID, userID)
}

// RotateToken gives a token another secret and a life from now on; what it was before is good for overlap still. Faults: ErrNoToken, and
// those of MakeToken.
func (d *Directory) RotateToken(ctx context.Context, c *call.Call, id string, life, overlap time.Duration) (Token, string, error) {
	t, err := lockToken.One(ctx, c.Tx, c.Tenant.ID, id)
	if errors.Is(err, dbx.ErrNoRow) {
		return t, "", ErrNoToken
	}
	if err != nil {
		return t, "", err
	}
	if err := checkToken(t.Name, life); err != nil {
		return t, "", err
	}
	if overlap < 0 || overlap > MaxOverlap {
		return t, "", fault.Bad("OverlapDays", "must be 0 to %d", int(MaxOverlap.Hours()/24))
	}
	if err := d.Roles.Guard(ctx, c, t.User, ErrSystem, user.ErrStronger); err != nil {
		return t, "", err
	}
	ends := c.Now.Add(overlap).UnixMilli()
	t.Rotated, t.Expires = c.Now.UnixMilli(), c.Now.Add(life).UnixMilli()
	tokenNoted(c, t)
	c.Event.Set("OldUntil", ends)
	if _, err := ageSecrets.Do(ctx, c.Tx, ends, c.Tenant.ID, id, ends); err != nil {
		return t, "", err
	}
	if _, err := rotateToken.Do(ctx, c.Tx, t.Rotated, t.Expires, c.Tenant.ID, id); err != nil {
		return t, "", err
	}
	plain, err := secret(ctx, c, t)
	return t, plain, err
}

// RevokeToken ends a token at once. The caller must hold what the service user holds. Faults: ErrNoToken, ErrSystem, user.ErrStronger.
func (d *Directory) RevokeToken(ctx context.Context, c *call.Call, id string) error {
	t, err := FindToken(ctx, c, id)
	if err != nil {
		return err
	}
	tokenNoted(c, t)
	if err := d.Roles.Guard(ctx, c, t.User, ErrSystem, user.ErrStronger); err != nil {
		return err
	}
	_, err = dropToken.Do(ctx, c.Tx, c.Tenant.ID, id) // its secrets go with it
	return err
}

// Holder is the service user whose token it is. Fault: ErrToken.
func Holder(ctx context.Context, c *call.Call, token string) (userID string, err error) {
	plain, ok := strings.CutPrefix(token, TokenPrefix)
	if !ok || len(plain) > 100 {
		return "", ErrToken
	}
	now := c.Now.UnixMilli()
	userID, err = whose.One(ctx, c.Tx, c.Tenant.ID, crypt.TokenHash(plain), now, now)
	if errors.Is(err, dbx.ErrNoRow) {
		err = ErrToken
	}
	return userID, err
}

// FindKey finds the API key that a text is. Fault: ErrToken.
func FindKey(ctx context.Context, c *call.Call, text string) (Token, []byte, error) {
	plain, ok := strings.CutPrefix(text, KeyPrefix)
	if !ok || len(plain) > 100 {
		return Token{}, nil, ErrToken
	}
	hash := crypt.TokenHash(plain)
	t, err := KeyOf(ctx, c, hash)
	return t, hash, err
}

// KeyOf finds an API key that is still good by the hash of its secret. Fault: ErrToken.
func KeyOf(ctx context.Context, c *call.Call, hash []byte) (Token, error) {
	now := c.Now.UnixMilli()
	t, err := keyed.One(ctx, c.Tx, c.Tenant.ID, hash, now, now)
	if errors.Is(err, dbx.ErrNoRow) {
		err = ErrToken
	}
	return t, err
}

// DropTokens ends the tokens of a service user who is being deleted.
func DropTokens(ctx context.Context, c *call.Call, userID string) error {
	_, err := dropTokens.Do(ctx, c.Tx, c.Tenant.ID, userID) // their secrets go with them
	return err
}

// SweepTokens forgets tokens of all tenants that expired before a time.
func SweepTokens(ctx context.Context, db *dbx.DB, before time.Time) error {
	return sweepTokens.Run(ctx, db, before.UnixMilli())
}
