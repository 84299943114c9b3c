package profile

import (
	"context"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/dbx"
)

// set is a tenant's profiles by their names. It is never changed.
type set []Profile

// Start watches for changes.
func (p *Profiles) Start() {
	p.cache = change.Cache[set]{DB: p.DB, Log: p.Changes, Read: read}
	p.cache.Start(Topic)
}

// Get finds a profile by its UUID, whatever its case; ErrNotFound. It costs no query while nothing changes. The profile is
// shared: read only. A transaction that stores the id takes Hold instead.
func (p *Profiles) Get(ctx context.Context, c *call.Call, id string) (Profile, error) {
	if !Is(id) {
		return Profile{}, ErrNotFound
	}
	all, err := p.all(ctx, c)
	if err != nil {
		return Profile{}, err
	}
	id = strings.ToLower(id)
	if i := slices.IndexFunc(all, func(one Profile) bool { return one.ID == id }); i >= 0 {
		return all[i], nil
	}
	return Profile{}, ErrNotFound
}

// List gives every profile of the tenant by its name. They are shared: read only.
func (p *Profiles) List(ctx context.Context, c *call.Call) ([]Profile, error) {
	all, err := p.all(ctx, c)
	return slices.Clone([]Profile(all)), err
}

func (p *Profiles) all(ctx context.Context, c *call.Call) (set, error) { return p.cache.Get(ctx, c) }

func read(ctx context.Context, tx *dbx.Tx, tenant string) (set, error) {
	rows, err := listRows.All(ctx, tx, tenant)
	out := make(set, len(rows))
	for i, r := range rows {
		out[i] = r.profile()
	}
	return out, err
}
