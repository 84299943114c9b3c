package pvwa

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"limen/internal/core/audit"
	"limen/internal/core/session"
	"limen/internal/core/sshkey"
	"limen/internal/core/user"
	"limen/internal/core/vault"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/pvwa"
)

// errLogOn is for callers who come with a token of no session: a short-lived key stands for a logon.
var errLogOn = fault.New(fault.Denied, "pvwa.log_on", "Short-lived SSH keys are for those who have logged on. Log on first.")

// maxPhrase is the longest passphrase of a private key, in bytes.
const maxPhrase = 256

func (p PVWA) cache() []op.Op {
	const own, others = base + "/Users/Secret/SSHKeys/Cache", base + "/Users/{userId}/Secret/SSHKeys/Cache"
	guard := []*fault.Error{vault.ErrUser, vault.ErrSystem, user.ErrStronger, user.ErrStale}
	lends := func(path string, rule op.Rule, faults ...*fault.Error) op.Spec {
		sp := writes(http.MethodPost, path, rule, audit.SSHKeyLend, []*fault.Error{vault.ErrValue, sshkey.ErrOff, sshkey.ErrBarred, session.ErrStale}, guard, faults)
		sp.Rate, sp.MaxBody = op.Costly, maxLogon
		return sp
	}
	ends := func(path string, rule op.Rule, faults ...*fault.Error) op.Spec {
		return writes(http.MethodDelete, path, rule, audit.SSHKeyDelete, faults)
	}
	return []op.Op{
		op.Prepared(lends(own, op.Authenticated, errLogOn), p.makeOwnKey, p.LendOwnKey),
		op.New(ends(own, op.Authenticated), p.RecallOwnKey),
		op.Prepared(lends(others, resets), p.makeKey, p.LendKey),
		op.New(ends(others, resets, vault.ErrUser), p.RecallKey),
		op.New(ends(base+"/Users/Secret/SSHKeys/ClearCache", resets), p.ClearKeys),
	}
}

// KeyWish is how a private key is wanted.
type KeyWish struct {
	// Formats are PPK (PuTTY's, version 3), PEM and OpenSSH, as a list or one text with commas; all when absent.
	Formats wire.Words `json:"formats"`
	// KeyPassword is a passphrase without which the private key is of no use, at most 256 bytes; absent: there is none.
	KeyPassword string `json:"keyPassword"`
}

func (k *KeyWish) take(r *op.Request) error { return wire.Read(r.Body, k) }

// Check reads the formats.
func (k *KeyWish) Check() (err error) {
	if len(k.KeyPassword) > maxPhrase || !utf8.ValidString(k.KeyPassword) || strings.ContainsAny(k.KeyPassword, "\x00\r\n") {
		return vault.ErrValue.At("keyPassword").Say("keyPassword can have %d bytes, in one line.", maxPhrase)
	}
	if k.Formats, err = vault.Words("formats", k.Formats, sshkey.Formats); len(k.Formats) == 0 {
		k.Formats = sshkey.Formats
	}
	return err
}

// PrivateKey is a private key in a format.
type PrivateKey struct {
	// Format is PPK, PEM or OpenSSH.
	Format string `json:"format"`
	// Algorithm is RSA.
	Algorithm string `json:"keyAlg"`
	// Key is the text of the key's file.
	Key string `json:"privateKey"`
}

// LentKey is a key that was made, and is told once.
type LentKey struct {
	// Count is the number of formats.
	Count int `json:"count"`
	// CreationTime is when the key was made, in seconds since 1970 UTC.
	CreationTime int64 `json:"creationTime"`
	// ExpirationTime is when it ends, in seconds since 1970 UTC.
	ExpirationTime int64 `json:"expirationTime"`
	// PublicKey is the public half as a line of authorized_keys.
	PublicKey string `json:"publicKey"`
	// Value is the private half in each format.
	Value []PrivateKey `json:"value"`
}

func lent(k sshkey.Key, m sshkey.Made) LentKey {
	out := LentKey{Count: len(m.Files), CreationTime: k.Created / 1000, ExpirationTime: k.Expires / 1000, PublicKey: k.Text(), Value: []PrivateKey{}}
	for _, f := range m.Files {
		out.Value = append(out.Value, PrivateKey{f.Format, f.Kind, f.Text})
	}
	return out
}

func (p PVWA) makeOwnKey(ctx context.Context, c *op.Call, in KeyWish) (sshkey.Made, error) {
	if c.Caller.Session == "" {
		return sshkey.Made{}, errLogOn
	}
	return p.Vault.Keys.Make(ctx, c, c.Caller.Name, in.KeyPassword, in.Formats...)
}

// LendOwnKey makes the caller a short-lived SSH key in place of the one before: the private half is told once and not kept; the public half
// is among the user's authorized keys until it ends, as the setting SshKey.LifeHours says, or the user may not sign in any more. pvwa.yaml,
// POST /PasswordVault/API/Users/Secret/SSHKeys/Cache.
func (p PVWA) LendOwnKey(ctx context.Context, c *op.Call, _ KeyWish, m sshkey.Made) (LentKey, error) {
	u, err := user.Find(ctx, c, c.User())
	if err != nil {
		return LentKey{}, err
	}
	noted(c, u)
	k, err := p.Vault.LendKey(ctx, c, u.ID, m)
	return lent(k, m), err
}

// RecallOwnKey ends the caller's short-lived SSH key, if there is one. pvwa.yaml, DELETE /PasswordVault/API/Users/Secret/SSHKeys/Cache.
func (p PVWA) RecallOwnKey(ctx context.Context, c *op.Call, _ op.None) (op.None, error) {
	return op.None{}, sshkey.Recall(ctx, c, c.User())
}

// KeyOwner is whose short-lived SSH key a call is about.
type KeyOwner struct {
	// User is the user's number or name, in the path.
	User string `json:"userId"`
	about
}

func (k *KeyOwner) take(r *op.Request) error {
	k.User = strings.TrimSpace(r.Path["userId"])
	return nil
}

// Resolve finds the user.
func (k *KeyOwner) Resolve(ctx context.Context, c *op.Call) (err error) {
	if n, bad := wire.ParseInt("userId", k.User); bad == nil {
		if k.found, err = vault.Find(ctx, c, n); !errors.Is(err, vault.ErrUser) {
			return err
		}
	}
	k.found, err = vault.Named(ctx, c, k.User)
	return err
}

// KeyFor is how a private key is wanted for a user.
type KeyFor struct {
	KeyOwner
	KeyWish
}

func (k *KeyFor) take(r *op.Request) error {
	if err := k.KeyWish.take(r); err != nil {
		return err
	}
	return k.KeyOwner.take(r)
}

func (p PVWA) makeKey(ctx context.Context, c *op.Call, in KeyFor) (sshkey.Made, error) {
	if err := p.Vault.MayLend(ctx, c, in.found); err != nil {
		return sshkey.Made{}, err
	}
	return p.Vault.Keys.Make(ctx, c, in.found.Name, in.KeyPassword, in.Formats...)
}

// LendKey is LendOwnKey for another user, who must not hold more than the caller. pvwa.yaml, POST
// /PasswordVault/API/Users/{userId}/Secret/SSHKeys/Cache.
func (p PVWA) LendKey(ctx context.Context, c *op.Call, in KeyFor, m sshkey.Made) (LentKey, error) {
	noted(c, in.found)
	k, err := p.Vault.LendKey(ctx, c, in.found.ID, m)
	return lent(k, m), err
}

// RecallKey ends another user's short-lived SSH key, if there is one. pvwa.yaml, DELETE
// /PasswordVault/API/Users/{userId}/Secret/SSHKeys/Cache.
func (p PVWA) RecallKey(ctx context.Context, c *op.Call, in KeyOwner) (op.None, error) {
	noted(c, in.found)
	return op.None{}, p.Vault.RecallKey(ctx, c, in.found.ID)
}

// ClearKeys ends the short-lived SSH keys of all whom the caller administers. pvwa.yaml, DELETE
// /PasswordVault/API/Users/Secret/SSHKeys/ClearCache.
func (p PVWA) ClearKeys(ctx context.Context, c *op.Call, _ op.None) (op.None, error) {
	n, err := sshkey.RecallAll(ctx, c, c.Grant)
	c.Event.Set("Keys", n)
	return op.None{}, err
}
