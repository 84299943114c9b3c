package oauth

import (
	"context"
	"encoding/json"
	"errors"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
	wire "limen/internal/wire/oauth"
)

// ErrChanged says that a client was changed or deleted since it was read.
var ErrChanged = fault.New(fault.Conflict, Prefix+"client_changed", "The client was changed meanwhile. Please try again.")

// Known is a registered client as its application's administrators see it. Times are milliseconds since 1970.
type Known struct {
	ID       string
	Metadata wire.Metadata
	Itself   bool // it was registered by whoever it is, and manages itself
	Secret   bool // it has one
	Created  int64
	Changed  int64
}

type knownRow struct {
	clientRow
	Changed int64 `db:"changed"`
}

const knownColumns = `id, app, metadata, secret, token, created, changed, version`

var (
	listClients = dbx.Q[knownRow]("oauth.list_clients", `SELECT `+knownColumns+` FROM oauth_client WHERE tenant = ? AND app = ? ORDER BY id LIMIT 1000`)
	readClient  = dbx.Q[knownRow]("oauth.read_client", `SELECT `+knownColumns+` FROM oauth_client WHERE tenant = ? AND id = ?`)
)

func (r knownRow) known() (Known, error) {
	out := Known{ID: r.ID, Itself: len(r.Token) > 0, Secret: r.Secret != "", Created: r.Created, Changed: r.Changed}
	return out, json.Unmarshal([]byte(r.Metadata), &out.Metadata)
}

// Clients lists the registered clients of an application, by id. Whoever calls has seen to it that the caller administers the application;
// so it is with all of this file.
func (s *Server) Clients(ctx context.Context, c *call.Call, a App) ([]Known, error) {
	rows, err := listClients.All(ctx, c.Tx, c.Tenant.ID, a.ID)
	if err != nil {
		return nil, err
	}
	out := make([]Known, len(rows))
	for i, r := range rows {
		if out[i], err = r.known(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ClientOf reads one of them; ErrNoClient where there is none.
func (s *Server) ClientOf(ctx context.Context, c *call.Call, a App, id string) (Known, error) {
	r, err := readClient.One(ctx, c.Tx, c.Tenant.ID, id)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && r.App != a.ID {
		return Known{}, ErrNoClient
	}
	if err != nil {
		return Known{}, err
	}
	return r.known()
}

// PrepareClient drafts a client of an application, outside transactions: another one when id is empty, else the one of that id as it is to
// be from now on, with a new secret where one is wanted. It may ask an address that the metadata names.
func (s *Server) PrepareClient(ctx context.Context, c *call.Call, a App, id string, m wire.Metadata, renew bool) (Draft, error) {
	d := Draft{App: a, ID: id, Metadata: m, old: clientRow{Created: c.Now.UnixMilli()}}
	if id == "" {
		d.ID = c.NewID()
	} else if err := s.recall(ctx, c, &d); err != nil {
		return d, err
	}
	if renew {
		d.Secret = ""
	}
	if err := s.checkClient(ctx, a, &d.Metadata, true); err != nil {
		return d, err
	}
	return d, s.drawSecret(ctx, c, &d)
}

// recall puts what is stored of a client into its draft, but for the metadata.
func (s *Server) recall(ctx context.Context, c *call.Call, d *Draft) (err error) {
	d.old, err = s.readRegistered(ctx, c, d.ID)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && d.old.App != d.App.ID {
		return ErrNoClient
	}
	if err != nil {
		return err
	}
	d.Secret, err = s.openSecret(ctx, c, d.App, Registration{ID: d.ID, Kind: Registered, Secret: d.old.Secret})
	d.told = d.Secret
	return err
}

// NewSecret is the client's secret where it has another one now than before; it is told once.
func (d Draft) NewSecret() string {
	if d.Secret == d.told {
		return ""
	}
	return d.Secret
}

// Itself says whether the client manages itself.
func (d Draft) Itself() bool { return len(d.token()) > 0 }
