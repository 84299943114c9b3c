package pvwa

import (
	"context"
	"net/http"

	"limen/internal/core/audit"
	"limen/internal/core/right"
	"limen/internal/core/sshkey"
	"limen/internal/core/user"
	"limen/internal/core/vault"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/pvwa"
	ssh "limen/internal/wire/sshkey"
)

const maxKey = 16 << 10 // bytes of a body

func (p PVWA) keys() []op.Op {
	const path = older + "/Users/{userName}/AuthenticationMethods/SSHKeyAuthentication/AuthorizedKeys"
	guard := []*fault.Error{vault.ErrUser, vault.ErrSystem, user.ErrStronger, user.ErrStale}
	add := writes(http.MethodPost, path, resets, audit.SSHKeyCreate, []*fault.Error{vault.ErrValue, sshkey.ErrKey, sshkey.ErrHas, sshkey.ErrMany}, guard)
	add.MaxBody = maxKey
	return []op.Op{
		op.New(reads(path, op.Any(view, op.Has(right.PasswordReset)), vault.ErrUser), p.ListAuthorizedKeys),
		op.New(add, p.AddAuthorizedKey),
		op.New(writes(http.MethodDelete, path+"/{keyId}", resets, audit.SSHKeyDelete, []*fault.Error{sshkey.ErrNone}, guard), p.DeleteAuthorizedKey),
	}
}

// AuthorizedKey is a public SSH key of a user.
type AuthorizedKey struct {
	// ID is the SHA-256 of the key, in hexadecimal.
	ID string `json:"KeyID"`
	// Key is the key as a line of authorized_keys, without options and comment.
	Key string `json:"PublicSSHKey"`
	// ExpirationTime is when the key ends, in seconds since 1970 UTC; null: it does not.
	ExpirationTime *int64 `json:"ExpirationTime"`
	// Enabled is false while the user may not sign in: disabled, locked, suspended by an administrator, or expired. Then nobody must be
	// let in by the key.
	Enabled bool `json:"Enabled"`
}

// AuthorizedKeys are a user's public SSH keys.
type AuthorizedKeys struct {
	// Keys are the keys that have not ended, oldest first.
	Keys []AuthorizedKey `json:"GetUserAuthorizedKeysResult"`
}

// AddedKey is a key that was added.
type AddedKey struct {
	// Key is the key.
	Key AuthorizedKey `json:"AddUserAuthorizedKeyResult"`
}

// Status is that of something new.
func (AddedKey) Status() int { return http.StatusCreated }

func authorized(c *op.Call, u user.User, k sshkey.Key) AuthorizedKey {
	out := AuthorizedKey{ID: k.ID, Key: k.Text(), Enabled: !u.Barred(c.Now)}
	if k.Expires != 0 {
		out.ExpirationTime = new(k.Expires / 1000)
	}
	return out
}

// ListAuthorizedKeys lists a user's public SSH keys, for SSH servers that ask for them and for administrators. Nothing here lets anybody
// in by them. Callers may ask for themselves. pvwa.yaml, GET
// /PasswordVault/WebServices/PIMServices.svc/Users/{userName}/AuthenticationMethods/SSHKeyAuthentication/AuthorizedKeys.
func (p PVWA) ListAuthorizedKeys(ctx context.Context, c *op.Call, in OlderRef) (AuthorizedKeys, error) {
	all, err := sshkey.Of(ctx, c, in.found.ID)
	out := AuthorizedKeys{[]AuthorizedKey{}}
	for _, k := range all {
		out.Keys = append(out.Keys, authorized(c, in.found, k))
	}
	return out, err
}

// NewKey is a public SSH key for a user.
type NewKey struct {
	OlderRef
	// PublicSSHKey is the key as a line of authorized_keys, without options and comment, required: Ed25519, ECDSA, RSA of 2048 to 8192
	// bits, or Ed25519 and ECDSA of a security key.
	PublicSSHKey string `json:"PublicSSHKey"`
	key          ssh.Public
}

func (n *NewKey) take(r *op.Request) error {
	if err := wire.Read(r.Body, n); err != nil {
		return err
	}
	return n.OlderRef.take(r)
}

// Check reads the key.
func (n *NewKey) Check() (err error) {
	if n.PublicSSHKey == "" {
		return vault.ErrValue.At("PublicSSHKey").Say("PublicSSHKey is required.")
	}
	n.key, err = sshkey.Parse("PublicSSHKey", n.PublicSSHKey)
	return err
}

// AddAuthorizedKey adds a public SSH key to a user's, for SSH servers that ask for them. A user has up to 100. pvwa.yaml, POST
// /PasswordVault/WebServices/PIMServices.svc/Users/{userName}/AuthenticationMethods/SSHKeyAuthentication/AuthorizedKeys.
func (p PVWA) AddAuthorizedKey(ctx context.Context, c *op.Call, in NewKey) (AddedKey, error) {
	noted(c, in.found)
	k, err := p.Vault.AddKey(ctx, c, in.found, in.key)
	return AddedKey{authorized(c, in.found, k)}, err
}

// KeyRef names a user's SSH key.
type KeyRef struct {
	OlderRef
	// KeyID is the key's KeyID, in the path.
	KeyID string `json:"keyId"`
}

func (k *KeyRef) take(r *op.Request) error {
	k.KeyID = r.Path["keyId"]
	return k.OlderRef.take(r)
}

// DeleteAuthorizedKey removes a user's SSH key. pvwa.yaml, DELETE
// /PasswordVault/WebServices/PIMServices.svc/Users/{userName}/AuthenticationMethods/SSHKeyAuthentication/AuthorizedKeys/{keyId}.
func (p PVWA) DeleteAuthorizedKey(ctx context.Context, c *op.Call, in KeyRef) (op.None, error) {
	noted(c, in.found)
	return op.None{}, p.Vault.RemoveKey(ctx, c, in.found, in.KeyID)
}
