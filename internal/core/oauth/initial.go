package oauth

import (
	"context"
	"errors"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Faults of initial access tokens.
var (
	ErrNoInitial = fault.New(fault.NotFound, Prefix+"initial_not_found", "The application has no such initial access token.")
	ErrInitials  = fault.New(fault.Conflict, Prefix+"initial_many", "The application has as many initial access tokens as it may have.")
)

// maxInitials bounds the initial access tokens of an application that are good.
const maxInitials = 1000

// Initial is an initial access token as its application's administrators see it. Times are milliseconds since 1970.
type Initial struct {
	ID      string `db:"id"`
	App     string `db:"app"`
	Name    string `db:"name"`
	Uses    int64  `db:"uses"` // that are left
	Created int64  `db:"created"`
	Expires int64  `db:"expires"`
}

const initialColumns = `id, app, name, uses, created, expires`

var (
	insertInitial = dbx.E("oauth.insert_initial", `INSERT INTO oauth_initial (tenant, hash, `+initialColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`)
	findInitial   = dbx.Q[Initial]("oauth.find_initial", `SELECT `+initialColumns+` FROM oauth_initial WHERE tenant = ? AND hash = ?`)
	listInitial   = dbx.Q[Initial]("oauth.list_initial", `SELECT `+initialColumns+` FROM oauth_initial WHERE tenant = ? AND app = ? ORDER BY id LIMIT 1000`)
	useInitial    = dbx.E("oauth.use_initial", `UPDATE oauth_initial SET uses = uses - 1 WHERE tenant = ? AND app = ? AND hash = ? AND uses > 0 AND expires > ?`)
	// Those that are used up or too old need not be kept.
	spentInitial  = dbx.E("oauth.spent_initial", `DELETE FROM oauth_initial WHERE tenant = ? AND app = ? AND (uses < 1 OR expires <= ?)`)
	countInitials = dbx.Q[int64]("oauth.count_initials", `SELECT COUNT(*) FROM oauth_initial WHERE tenant = ? AND app = ?`)
	dropInitial   = dbx.E("oauth.drop_initial", `DELETE FROM oauth_initial WHERE tenant = ? AND app = ? AND id = ?`)
	dropInitials  = dbx.E("oauth.drop_initials", `DELETE FROM oauth_initial WHERE tenant = ? AND app = ?`)
)

// initial checks an initial access token, without using it.
func (s *Server) initial(ctx context.Context, c *call.Call, a App, hash []byte) error {
	row, err := findInitial.One(ctx, c.Tx, c.Tenant.ID, hash)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && (row.App != a.ID || row.Uses < 1 || row.Expires <= c.Now.UnixMilli()) {
		return ErrToken
	}
	return err
}

// registrar is the application that a client wants to be registered with: at the tenant's issuer the one whose initial access token it shows.
func (s *Server) registrar(ctx context.Context, c *call.Call, service, token string) (a App, err error) {
	if service != "" {
		return s.App(ctx, c, service)
	}
	var row Initial
	err = c.Snapshot(ctx, func() (err error) {
		row, err = findInitial.One(ctx, c.Tx, c.Tenant.ID, crypt.TokenHash(token))
		return err
	})
	if errors.Is(err, dbx.ErrNoRow) {
		err = ErrToken
	}
	if err != nil {
		return App{}, err
	}
	a, err = s.App(ctx, c, row.App)
	a.Wide = true
	return a, err
}

// MakeInitial makes an initial access token for an application; it is told once. Whoever calls has seen to it that the caller
// administers the application.
func (s *Server) MakeInitial(ctx context.Context, c *call.Call, a App, name string, uses int64, life time.Duration) (Initial, string, error) {
	plain, hash := crypt.NewToken(c.Rand)
	it := Initial{ID: c.NewID(), App: a.ID, Name: name, Uses: uses, Created: c.Now.UnixMilli(), Expires: c.Now.Add(life).UnixMilli()}
	if e := c.Event; e != nil {
		e.Type, e.Kind, e.Target, e.Name = audit.OAuthInitialCreate, "Application", a.ID, a.Name
		e.Set("Initial", it.ID)
		e.Set("InitialName", name)
		e.Set("Uses", uses)
		e.Set("Seconds", int64(life/time.Second))
	}
	if _, err := spentInitial.Do(ctx, c.Tx, c.Tenant.ID, a.ID, c.Now.UnixMilli()); err != nil {
		return it, "", err
	}
	n, err := countInitials.One(ctx, c.Tx, c.Tenant.ID, a.ID)
	if err == nil && n >= maxInitials {
		err = ErrInitials
	}
	if err != nil {
		return it, "", err
	}
	_, err = insertInitial.Do(ctx, c.Tx, c.Tenant.ID, hash, it.ID, it.App, it.Name, it.Uses, it.Created, it.Expires)
	return it, plain, err
}

// Initials lists the initial access tokens of an application, the oldest first.
func (s *Server) Initials(ctx context.Context, c *call.Call, a App) ([]Initial, error) {
	return listInitial.All(ctx, c.Tx, c.Tenant.ID, a.ID)
}

// DropInitial takes an initial access token out of use; ErrNoInitial where there is none.
func (s *Server) DropInitial(ctx context.Context, c *call.Call, a App, id string) error {
	if e := c.Event; e != nil {
		e.Type, e.Kind, e.Target, e.Name = audit.OAuthInitialDelete, "Application", a.ID, a.Name
		e.Set("Initial", id)
	}
	n, err := dropInitial.Do(ctx, c.Tx, c.Tenant.ID, a.ID, id)
	if err == nil && n == 0 {
		err = ErrNoInitial
	}
	return err
}
