package oauth

import (
	"context"
	"crypto/sha256"

	"limen/internal/call"
)

// What is remembered of tokens and clients is forgotten by topics of changes. Topic is the server's own: its items are tenant/id with the id
// of an authorization, person, application, session or client of which something ended or changed, or the mark of a token that was revoked.
// KeysTopic tells tenants whose signing keys have changed.
const (
	Topic     = "oauth"
	KeysTopic = "signing"
)

// told tells that what belongs to an id has changed.
func (s *Server) told(ctx context.Context, c *call.Call, id string) error {
	if s.Changes == nil {
		return nil
	}
	return s.Changes.Put(ctx, c, Topic, c.Tenant.ID+"/"+id)
}

// inside runs f in c.Tx, or in a snapshot of its own where there is none.
func inside(ctx context.Context, c *call.Call, f func() error) error {
	if c.Tx != nil {
		return f()
	}
	return c.Snapshot(ctx, f)
}

// looked is under what a token is remembered: never the token itself. The tenant's host is part of its issuer.
func looked(c *call.Call, token string) [32]byte {
	return sha256.Sum256([]byte(c.Tenant.ID + "\x00" + c.Tenant.Host + "\x00" + token))
}

// Remembers says whether a token of the call's tenant was good when it was looked at last, and nothing has changed since. It costs nothing.
func (s *Server) Remembers(c *call.Call, token string) bool {
	return s.looks.Knows(c, looked(c, token))
}
