package oath

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// MaxSerial bounds what is printed on a token, in bytes.
const MaxSerial = 100

// Imported is a profile from a file, in a list of many people's.
type Imported struct {
	ID        string `db:"id"`
	User      string `db:"user_id"`
	Login     string `db:"login"` // name of its owner
	LoginKey  string `db:"login_key"`
	Org       string `db:"org"` // of its owner
	Serial    string `db:"serial"`
	SerialKey string `db:"serial_key"`
	Name      string `db:"name"`
	Issuer    string `db:"issuer"`
	Algorithm string `db:"algorithm"`
	Digits    int64  `db:"digits"`
	Period    int64  `db:"period"`
	LastStep  int64  `db:"last_step"`
	Imported  int64  `db:"imported"` // ms since 1970 UTC
}

var (
	bySerial = dbx.Q[string]("oath.by_serial", `SELECT user_id FROM oath_profile WHERE tenant = ? AND serial_key = ? AND serial_key <> ''`)
	imported = dbx.L[Imported]("oath.imported", `SELECT p.id, p.user_id, u.name AS login, u.name_key AS login_key, u.org AS org, p.serial, p.serial_key,
		p.name, p.issuer, p.algorithm, p.digits, p.period, p.last_step, p.imported
		FROM oath_profile p JOIN users u ON u.tenant = p.tenant AND u.id = p.user_id WHERE p.tenant = ? AND p.imported > 0`)
)

// Holder says who has the token with a serial number; empty: nobody.
func (Profiles) Holder(ctx context.Context, c *call.Call, serial string) (userID string, err error) {
	userID, err = bySerial.One(ctx, c.Tx, c.Tenant.ID, fold.Key(serial))
	if errors.Is(err, dbx.ErrNoRow) {
		err = nil
	}
	return userID, err
}

// ErrTaken ends a transaction: what it has dropped must not stay dropped.
var ErrTaken = fault.New(fault.Conflict, "oath.taken", "Somebody else has just been given a token with the same identifier.")

// Import is Set for a token of a file. Faults: those of Set; ErrSerial when somebody else has the token, who keeps it; ErrTaken.
func (p Profiles) Import(ctx context.Context, c *call.Call, userID string, s Seed) (Profile, error) {
	if err := s.check(); err != nil {
		return Profile{}, err
	}
	has, err := p.Holder(ctx, c, s.Serial)
	if err == nil && has != "" && has != userID {
		err = ErrSerial
	}
	if err != nil {
		return Profile{}, err
	}
	if err := p.Drop(ctx, c, userID); err != nil {
		return Profile{}, err
	}
	made := s.profile()
	now := c.Now.UnixMilli()
	made.ID, made.User, made.Confirmed, made.Created, made.Imported, made.Version = c.NewID(), userID, true, now, now, 1
	if err := p.insert(ctx, c, &made, s.Secret); errors.Is(err, ErrSerial) { // since it was looked up: what was dropped must come back
		return Profile{}, ErrTaken
	} else if err != nil {
		return Profile{}, err
	}
	return made, nil
}

// Sorts are columns of Imported that a list may be sorted by.
const (
	ByLogin  = "login_key"
	BySerial = "serial_key"
)

// Page asks for profiles that came from files.
type Page struct {
	Sort   string // ByLogin, BySerial; otherwise the order in which they came
	Desc   bool
	Number int // from 1
	Size   int // rows of a page, at most MaxPage
}

// MaxPage is how many profiles a page has at most.
const MaxPage = 1000

// Imported gives a page of the profiles from files of those people whom the grant allows, and how many there are in all.
func (Profiles) Imported(ctx context.Context, c *call.Call, g grant.Grant, p Page) ([]Imported, int64, error) {
	if g.Nothing() {
		return nil, 0, nil
	}
	where := user.AllowedBy(c, g, "org", "user_id")
	total, err := imported.Count(ctx, c.Tx, where, c.Tenant.ID)
	before := int64(max(p.Number, 1)-1) * int64(p.Size)
	if err != nil || before >= total || p.Size <= 0 || p.Size > MaxPage {
		return nil, total, err
	}
	order := []dbx.Order{{Column: "id", Desc: p.Desc}}
	if p.Sort == ByLogin || p.Sort == BySerial {
		order = []dbx.Order{{Column: p.Sort, Desc: p.Desc}, {Column: "id", Desc: p.Desc}}
	}
	if before > 0 {
		last, err := imported.At(ctx, c.Tx, where, order, before-1, c.Tenant.ID)
		if err != nil {
			return nil, total, err
		}
		where = dbx.And(where, dbx.After(order, last.values(order)...))
	}
	rows, err := imported.Rows(ctx, c.Tx, where, order, p.Size, c.Tenant.ID)
	return rows, total, err
}

// values are those of the columns of an order.
func (i *Imported) values(order []dbx.Order) (out []any) {
	for _, o := range order {
		out = append(out, map[string]any{"id": i.ID, ByLogin: i.LoginKey, BySerial: i.SerialKey}[o.Column])
	}
	return out
}
