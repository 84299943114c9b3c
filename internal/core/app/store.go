package app

import (
	"context"
	"encoding/json"
	"errors"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fold"
)

type row struct {
	ID          string `db:"id"`
	Name        string `db:"name"`
	Service     string `db:"service"`
	Template    string `db:"template"`
	Kind        string `db:"kind"`
	Type        string `db:"type"`
	State       string `db:"state"`
	Display     string `db:"display"`
	Description string `db:"description"`
	Category    string `db:"category"`
	Members     string `db:"members"`
	Profile     string `db:"profile"`
	Secret      string `db:"secret"`
	Password    string `db:"password"`
	Created     int64  `db:"created"`
	Changed     int64  `db:"changed"`
	Version     int64  `db:"version"`
}

const columns = `id, name, service, template, kind, type, state, display, description, category, members, profile, secret, password, created, changed, version`

var (
	byID      = dbx.Q[row]("app.by_id", `SELECT `+columns+` FROM app WHERE tenant = ? AND id = ?`)
	byName    = dbx.Q[row]("app.by_name", `SELECT `+columns+` FROM app WHERE tenant = ? AND name_key = ?`)
	byService = dbx.Q[row]("app.by_service", `SELECT `+columns+` FROM app WHERE tenant = ? AND service_key = ? AND service_key <> ''`)
	list      = dbx.L[row]("app.list", `SELECT `+columns+` FROM app WHERE tenant = ?`).By("name_key")
	lives     = dbx.Q[string]("app.lives", `SELECT profile FROM app WHERE tenant = ? AND profile <> ''`)
	count     = dbx.Q[int64]("app.count", `SELECT count(*) FROM app WHERE tenant = ?`)

	insert = dbx.E("app.insert", `INSERT INTO app (tenant, id, name, name_key, service, service_key, template, kind, type, state, display, description, category,
		members, profile, secret, password, created, changed, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)`)
	update = dbx.E("app.update", `UPDATE app SET name = ?, name_key = ?, service = ?, service_key = ?, state = ?, display = ?, description = ?, category = ?,
		members = ?, profile = ?, secret = ?, password = ?, changed = ?, version = version + 1 WHERE tenant = ? AND id = ? AND version = ?`)
	remove = dbx.E("app.delete", `DELETE FROM app WHERE tenant = ? AND id = ?`)
)

func (r row) app() (App, error) {
	out := App{
		ID: r.ID, Name: r.Name, Service: r.Service, Template: r.Template, Kind: r.Kind, Type: r.Type, State: r.State, Display: r.Display,
		Description: r.Description, Category: r.Category, Created: r.Created, Changed: r.Changed, Version: r.Version, secret: r.Secret, password: r.Password,
	}
	if err := json.Unmarshal([]byte(r.Members), &out.Members); err != nil {
		return App{}, err
	}
	if r.Profile != "" {
		out.Profile = &Profile{}
		return out, json.Unmarshal([]byte(r.Profile), out.Profile)
	}
	return out, nil
}

// texts are the JSON columns of an application.
func (it App) texts() (members, profile string, err error) {
	m, err := json.Marshal(it.Members)
	if err != nil || it.Profile == nil {
		return string(m), "", err
	}
	p, err := json.Marshal(it.Profile)
	return string(m), string(p), err
}

// free fails where another application has the name or the ServiceName.
func (it App) free(ctx context.Context, c *call.Call) error {
	r, err := byName.One(ctx, c.Tx, c.Tenant.ID, fold.Key(it.Name))
	if err == nil && r.ID != it.ID {
		return ErrNameTaken.At("Name")
	}
	if err != nil && !errors.Is(err, dbx.ErrNoRow) {
		return err
	}
	r, err = byService.One(ctx, c.Tx, c.Tenant.ID, fold.Key(it.Service))
	if err == nil && r.ID != it.ID {
		return ErrServiceTaken.At("ServiceName")
	}
	if errors.Is(err, dbx.ErrNoRow) {
		err = nil
	}
	return err
}

// put stores a new application.
func (a *Apps) put(ctx context.Context, c *call.Call, it App) error {
	members, profile, err := it.texts()
	if err != nil {
		return err
	}
	if err := it.free(ctx, c); err != nil {
		return err
	}
	_, err = insert.Do(ctx, c.Tx, c.Tenant.ID, it.ID, it.Name, fold.Key(it.Name), it.Service, fold.Key(it.Service), it.Template, it.Kind, it.Type, it.State,
		it.Display, it.Description, it.Category, members, profile, it.secret, it.password, it.Created, it.Changed)
	if err != nil {
		return taken(err)
	}
	if err := it.claim(ctx, c); err != nil {
		return err
	}
	return a.Put(ctx, c, topic, c.Tenant.ID)
}

// store stores a changed application.
func (a *Apps) store(ctx context.Context, c *call.Call, it App) error {
	members, profile, err := it.texts()
	if err != nil {
		return err
	}
	if err := it.free(ctx, c); err != nil {
		return err
	}
	n, err := update.Do(ctx, c.Tx, it.Name, fold.Key(it.Name), it.Service, fold.Key(it.Service), it.State, it.Display, it.Description, it.Category, members, profile,
		it.secret, it.password, c.Now.UnixMilli(), c.Tenant.ID, it.ID, it.Version)
	if err == nil && n == 0 {
		err = ErrStale
	}
	if err != nil {
		return taken(err)
	}
	if err := it.claim(ctx, c); err != nil {
		return err
	}
	return a.Put(ctx, c, topic, c.Tenant.ID)
}

// taken tells that somebody else took the name at the same moment.
func taken(err error) error {
	if errors.Is(err, dbx.ErrExists) {
		return ErrNameTaken.At("Name")
	}
	return err
}
