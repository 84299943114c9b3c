package oauth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"

	"limen/internal/call"
	"limen/internal/dbx"
)

// pairwise is the subject_type of clients that know people by identifiers of their own (OpenID Connect Core section 8.1).
const pairwise = "pairwise"

const pairwiseContext = "pairwise"

var (
	findPairwise = dbx.Q[string]("oauth.find_pairwise", `SELECT sealed FROM oauth_pairwise WHERE tenant = ?`)
	addPairwise  = dbx.E("oauth.add_pairwise", `INSERT INTO oauth_pairwise (tenant, sealed, created) VALUES (?, ?, ?) ON CONFLICT (tenant) DO NOTHING`)
	personOf     = dbx.Q[string]("oauth.person_of_session",
		`SELECT user_id FROM oauth_authorization WHERE tenant = ? AND session = ? AND session <> '' AND client = ? ORDER BY created DESC LIMIT 1`)
)

// Pairwise says whether a client knows people by identifiers of its own. It is not told login names then, which are everywhere the same.
func (r Registration) Pairwise() bool { return r.Subjects == pairwise }

// Subject is by which identifier a client knows a person, inside a transaction or outside: the UUID, or one that only clients of the same sector have for them.
// That is HMAC-SHA256 of sector and UUID with a secret of the tenant's, in base64url: nobody without the secret finds out whose it is, or
// that two are of the same person. ErrToken where the tenant has no secret yet and nothing can be written.
func (s *Server) Subject(ctx context.Context, c *call.Call, r Registration, personID string) (string, error) {
	if !r.Pairwise() || personID == "" {
		return personID, nil
	}
	secret, err := s.pairwiseSecret(ctx, c)
	if err != nil {
		return "", err
	}
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(r.Sector(r.ID) + "\x00" + personID))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)), nil
}

// pairwiseSecret reads the tenant's secret, or makes it. It is not remembered: a transaction that made it may come to nothing.
func (s *Server) pairwiseSecret(ctx context.Context, c *call.Call) ([]byte, error) {
	var sealed string
	err := inside(ctx, c, func() (err error) { sealed, err = findPairwise.One(ctx, c.Tx, c.Tenant.ID); return err })
	if errors.Is(err, dbx.ErrNoRow) {
		if c.Tx == nil || !c.Tx.Writable() {
			return nil, ErrToken
		}
		secret := make([]byte, sha256.Size)
		if _, err = io.ReadFull(c.Rand, secret); err != nil {
			return nil, err
		}
		if sealed, err = s.Ring.Seal(ctx, c.Tenant.ID, secretPurpose, secret, pairwiseContext); err != nil {
			return nil, err
		}
		if _, err = addPairwise.Do(ctx, c.Tx, c.Tenant.ID, sealed, c.Now.UnixMilli()); err != nil {
			return nil, err
		}
		sealed, err = findPairwise.One(ctx, c.Tx, c.Tenant.ID) // another node may have been faster
	}
	if err != nil {
		return nil, err
	}
	return s.Ring.Open(ctx, c.Tenant.ID, secretPurpose, sealed, pairwiseContext)
}

// known finds the person whom an ID token means. Of an identifier that is the client's own it is who is signed in, or who got a token for the
// client in the same session; where that cannot be told, the identifier itself, which is nobody's UUID.
func (s *Server) known(ctx context.Context, c *call.Call, a App, k hint) (id string, err error) {
	r, err := s.client(ctx, c, a, k.Audience[0])
	if err != nil || !r.Pairwise() {
		return k.Subject, err
	}
	id = k.Subject
	err = c.Snapshot(ctx, func() error {
		candidates := []string{}
		if c.Caller != nil {
			candidates = append(candidates, c.Caller.User)
		}
		of, err := personOf.One(ctx, c.Tx, c.Tenant.ID, k.Session, r.ID)
		if err == nil {
			candidates = append(candidates, of)
		} else if !errors.Is(err, dbx.ErrNoRow) {
			return err
		}
		for _, person := range candidates {
			sub, err := s.Subject(ctx, c, r, person)
			if errors.Is(err, ErrToken) {
				return nil
			}
			if err != nil {
				return err
			}
			if sub == k.Subject {
				id = person
			}
		}
		return nil
	})
	return id, err
}
