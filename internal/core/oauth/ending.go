package oauth

import (
	"context"

	"limen/internal/call"
	"limen/internal/dbx"
)

// Reason is why an authorization ended, or why its client is told that somebody left.
type Reason string

// The reasons, as receipts show them.
const (
	Revoked     Reason = "revoked"     // by the client, by the person, or for them by an administrator
	Replayed    Reason = "replayed"    // something that is good once came twice
	SignedOut   Reason = "signed out"  // of the session, at the person's wish or for lack of room
	Everywhere  Reason = "everywhere"  // all of the person's sessions ended: signed out everywhere, disabled, deleted, password reset
	AccessLost  Reason = "access lost" // the person may not use the application any more
	AppWithdrew Reason = "application" // the application was deleted, or narrowed whom it serves
)

// What ends is noted as gone, so that TellClients finds those who want to hear of it.
var (
	endAuthorization = dbx.E("oauth.end_authorization", `UPDATE oauth_authorization SET ended = ?, gone = ?, reason = ? WHERE tenant = ? AND id = ? AND ended = 0`)
	endOfUser        = dbx.E("oauth.end_of_user", `UPDATE oauth_authorization SET ended = ?, gone = ?, reason = ? WHERE tenant = ? AND user_id = ? AND ended = 0`)
	endOfApp         = dbx.E("oauth.end_of_app", `UPDATE oauth_authorization SET ended = ?, gone = ?, reason = ? WHERE tenant = ? AND app = ? AND ended = 0`)
	endOfClient      = dbx.E("oauth.end_of_client",
		`UPDATE oauth_authorization SET ended = ?, gone = ?, reason = ? WHERE tenant = ? AND user_id = ? AND app = ? AND client = ? AND ended = 0`)
	endOfUserApp = dbx.E("oauth.end_of_user_app",
		`UPDATE oauth_authorization SET ended = ?, gone = ?, reason = ? WHERE tenant = ? AND user_id = ? AND app = ? AND ended = 0`)
	endInSession = dbx.E("oauth.end_in_session",
		`UPDATE oauth_authorization SET ended = ?, gone = ?, reason = ? WHERE tenant = ? AND session = ? AND session <> '' AND app = ? AND ended = 0`)
	endOfSession = dbx.E("oauth.end_of_session",
		`UPDATE oauth_authorization SET ended = ?, gone = ?, reason = ? WHERE tenant = ? AND session = ? AND session <> '' AND held = 1 AND ended = 0`)
	leftOfSession = dbx.E("oauth.left_of_session",
		`UPDATE oauth_authorization SET gone = ?, reason = ? WHERE tenant = ? AND session = ? AND session <> '' AND ended = 0 AND gone = 0`)
)

// ending runs one of these, of which id is the first condition.
func (s *Server) ending(ctx context.Context, c *call.Call, e dbx.Exec, why Reason, id string, where ...any) error {
	now := c.Now.UnixMilli()
	n, err := e.Do(ctx, c.Tx, append([]any{now, now, string(why), c.Tenant.ID, id}, where...)...)
	if err != nil || n == 0 {
		return err
	}
	return s.told(ctx, c, id)
}

// End ends an authorization with all that came of it.
func (s *Server) End(ctx context.Context, c *call.Call, id string, why Reason) error {
	return s.ending(ctx, c, endAuthorization, why, id)
}

// EndOfPerson ends everything that somebody has allowed.
func (s *Server) EndOfPerson(ctx context.Context, c *call.Call, personID string) error {
	return s.ending(ctx, c, endOfUser, Everywhere, personID)
}

// EndOfApp ends everything that was allowed to an application.
func (s *Server) EndOfApp(ctx context.Context, c *call.Call, appID string) error {
	return s.ending(ctx, c, endOfApp, AppWithdrew, appID)
}

// EndOfSession ends what was allowed in a session that was signed out of, but for what people let clients do while they are away: the
// scope offline_access (OpenID Connect Core section 11). Applications that do not speak OpenID Connect have no such scope; what they
// were allowed stays.
func (s *Server) EndOfSession(ctx context.Context, c *call.Call, session string) error {
	if err := s.ending(ctx, c, endOfSession, SignedOut, session); err != nil {
		return err
	}
	_, err := leftOfSession.Do(ctx, c.Tx, c.Now.UnixMilli(), string(SignedOut), c.Tenant.ID, session)
	return err
}

// Leave ends a session, and what an application was allowed in it.
func (s *Server) Leave(ctx context.Context, c *call.Call, a App, session string) error {
	if err := s.ending(ctx, c, endInSession, SignedOut, session, a.ID); err != nil {
		return err
	}
	return s.Sessions.End(ctx, c, session)
}
