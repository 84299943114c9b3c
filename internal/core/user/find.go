package user

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/google/uuid"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fold"
)

func found(u User, err error) (User, error) {
	if errors.Is(err, dbx.ErrNoRow) {
		return User{}, ErrNotFound
	}
	return u, err
}

// ByID finds a user by UUID; ErrNotFound when there is none.
func (d *Directory) ByID(ctx context.Context, c *call.Call, id string) (User, error) {
	return found(byID.One(ctx, c.Tx, c.Tenant.ID, id))
}

// ByName finds a user by login name, whatever its case; ErrNotFound when there is none.
func (d *Directory) ByName(ctx context.Context, c *call.Call, name string) (User, error) {
	if len(name) > 4*(maxLocal+maxMail) {
		return User{}, ErrNotFound
	}
	return found(byName.One(ctx, c.Tx, c.Tenant.ID, fold.Key(name)))
}

// Behind finds the first user whose name has a key (fold.Key) behind the given one; ErrNotFound when there is none.
func (d *Directory) Behind(ctx context.Context, c *call.Call, key string) (User, error) {
	return found(behind.One(ctx, c.Tx, c.Tenant.ID, key))
}

// ByIDOrName is Find.
func (d *Directory) ByIDOrName(ctx context.Context, c *call.Call, s string) (User, error) {
	return Find(ctx, c, s)
}

// Find finds a user by UUID or else by login name, as almost every ID of the contract may be either. It needs nothing but
// the transaction, so that inputs can resolve whom they name.
func Find(ctx context.Context, c *call.Call, s string) (User, error) {
	s = strings.TrimSpace(s)
	var d *Directory
	if len(s) == 36 {
		if id, err := uuid.Parse(s); err == nil {
			return d.ByID(ctx, c, id.String())
		}
	}
	return d.ByName(ctx, c, s)
}

// ByMail finds up to limit users with a mail address, whatever its case, by name.
func (d *Directory) ByMail(ctx context.Context, c *call.Call, mail string, limit int) ([]User, error) {
	if mail == "" || len(mail) > 4*maxMail {
		return nil, nil
	}
	return byMail.All(ctx, c.Tx, c.Tenant.ID, fold.Key(mail), int64(limit))
}

// Names are the login names of people.
func Names(us []User) []string {
	var out []string
	for _, u := range us {
		out = append(out, u.Name)
	}
	slices.Sort(out)
	return out
}
