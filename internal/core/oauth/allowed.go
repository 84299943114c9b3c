package oauth

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// ErrNoAuthorization is for those who name an authorization that does not stand, or is of somebody else.
var ErrNoAuthorization = fault.New(fault.NotFound, "oauth.authorization_not_found", "There is no such authorization.")

var allowedTo = dbx.L[Authorization]("oauth.allowed", `SELECT `+authorizationColumns+` FROM oauth_authorization WHERE tenant = ?`)

// AllowedBy lists what somebody has allowed to clients and that stands, the newest first, older than the one named (empty: the first page).
func (s *Server) AllowedBy(ctx context.Context, c *call.Call, personID, after string, limit int) ([]Authorization, error) {
	where := []dbx.Clause{dbx.Eq("user_id", personID), dbx.Eq("ended", int64(0)), dbx.Gt("expires", c.Now.UnixMilli())}
	if after != "" {
		where = append(where, dbx.Lt("id", after))
	}
	return allowedTo.Rows(ctx, c.Tx, dbx.And(where...), []dbx.Order{{Column: "id", Desc: true}}, limit, c.Tenant.ID)
}

// Withdraw ends what somebody has allowed to the client of one of their authorizations, all of it, and forgets that they agreed.
func (s *Server) Withdraw(ctx context.Context, c *call.Call, personID, id string) (Authorization, error) {
	a, err := s.standing(ctx, c, id)
	if errors.Is(err, ErrGrant) || err == nil && a.User != personID {
		return Authorization{}, ErrNoAuthorization
	}
	if err != nil {
		return Authorization{}, err
	}
	return a, s.Disagree(ctx, c, personID, a.App, a.Client)
}
