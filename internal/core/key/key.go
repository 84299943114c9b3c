// Package key stores the keys that crypt uses: those that seal tenants' secrets, wrapped by the master key, and those
// that sign tokens, sealed. Its methods fit the function fields of crypt.Ring and crypt.Signers; each runs in a
// transaction of its own, since keys are made outside those of requests.
package key

import (
	"context"

	"limen/internal/crypt"
	"limen/internal/dbx"
)

// Keys is the store of keys of all tenants.
type Keys struct{ DB *dbx.DB }

type sealRow struct {
	Tenant  string `db:"tenant"`
	Purpose string `db:"purpose"`
	Version int64  `db:"version"`
	Wrapped []byte `db:"wrapped"`
	Created int64  `db:"created"`
}

type signRow struct {
	ID      string `db:"id"`
	Alg     string `db:"alg"`
	Sealed  string `db:"sealed"`
	Created int64  `db:"created"`
	Starts  int64  `db:"starts"`
	Gone    int64  `db:"gone"`
}

var (
	allSeals  = dbx.Q[sealRow]("key.seals", `SELECT tenant, purpose, version, wrapped, created FROM seal_key ORDER BY tenant, purpose, version`)
	someSeals = dbx.Q[sealRow]("key.someSeals", `SELECT tenant, purpose, version, wrapped, created FROM seal_key ORDER BY tenant, purpose, version LIMIT ?`)
	ofTenant  = dbx.Q[sealRow]("key.ofTenant", `SELECT tenant, purpose, version, wrapped, created FROM seal_key WHERE tenant = ? ORDER BY purpose, version`)
	equipped  = dbx.Q[string]("key.equipped", `SELECT tenant FROM seal_key WHERE purpose IN (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) GROUP BY tenant
		HAVING count(DISTINCT purpose) = ?`)
	signers = dbx.Q[string]("key.signers", `SELECT DISTINCT tenant FROM signing_key WHERE alg = ?`)
	addSeal = dbx.E("key.add_seal", `INSERT INTO seal_key (tenant, purpose, version, wrapped, created) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (tenant, purpose, version) DO NOTHING`)
	wrapSeal = dbx.E("key.wrap_seal", `UPDATE seal_key SET wrapped = ? WHERE tenant = ? AND purpose = ? AND version = ?`)
	signs    = dbx.Q[signRow]("key.signs", `SELECT id, alg, sealed, created, starts, gone FROM signing_key WHERE tenant = ?`)
	setSign  = dbx.E("key.set_sign", `INSERT INTO signing_key (tenant, id, alg, sealed, created, starts, ends, gone) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, id) DO UPDATE SET ends = excluded.ends, gone = excluded.gone`)
)

// Seals gives every sealing key; for crypt.Ring.Load.
func (k Keys) Seals(ctx context.Context) ([]crypt.Sealed, error) { return k.read(ctx, allSeals) }

// Of gives the sealing keys of a tenant; for crypt.Ring.Of.
func (k Keys) Of(ctx context.Context, tenant string) ([]crypt.Sealed, error) {
	return k.read(ctx, ofTenant, tenant)
}

// Some gives some sealing keys, if there are any: all are wrapped by one master key.
func (k Keys) Some(ctx context.Context) ([]crypt.Sealed, error) { return k.read(ctx, someSeals, 20) }

func (k Keys) read(ctx context.Context, q dbx.Query[sealRow], args ...any) (out []crypt.Sealed, err error) {
	err = k.DB.Read(ctx, func(tx *dbx.Tx) error {
		rows, err := q.All(ctx, tx, args...)
		out = make([]crypt.Sealed, len(rows))
		for i, r := range rows {
			out[i] = crypt.Sealed{Tenant: r.Tenant, Purpose: r.Purpose, Version: int(r.Version), Wrapped: r.Wrapped, Created: r.Created}
		}
		return err
	})
	return out, err
}

// maxPurposes is how many purposes Equipped takes.
const maxPurposes = 16

// Equipped are the tenants that have a sealing key for each of up to sixteen purposes, and a key that signs by an algorithm.
func (k Keys) Equipped(ctx context.Context, alg crypt.Alg, purposes ...string) (map[string]bool, error) {
	args := make([]any, 0, maxPurposes+1)
	for i := range maxPurposes {
		args = append(args, purposes[min(i, len(purposes)-1)])
	}
	out, sign := map[string]bool{}, map[string]bool{}
	err := k.DB.Read(ctx, func(tx *dbx.Tx) error {
		if err := signers.Each(ctx, tx, func(id string) error { sign[id] = true; return nil }, alg); err != nil {
			return err
		}
		return equipped.Each(ctx, tx, func(id string) error { out[id] = sign[id]; return nil }, append(args, len(purposes))...)
	})
	return out, err
}

// AddSeal stores a new sealing key; crypt.ErrKeyTaken when that version exists. For crypt.Ring.Store.
func (k Keys) AddSeal(ctx context.Context, s crypt.Sealed) error {
	return k.DB.Write(ctx, func(tx *dbx.Tx) error {
		n, err := addSeal.Do(ctx, tx, s.Tenant, s.Purpose, s.Version, s.Wrapped, s.Created)
		if err == nil && n == 0 {
			return crypt.ErrKeyTaken
		}
		return err
	})
}

// Rewrap replaces the wrapping of every key at once, with what crypt.Ring.Rewrap gave.
func (k Keys) Rewrap(ctx context.Context, keys []crypt.Sealed) error {
	return k.DB.Write(ctx, func(tx *dbx.Tx) error {
		for _, s := range keys {
			n, err := wrapSeal.Do(ctx, tx, s.Wrapped, s.Tenant, s.Purpose, s.Version)
			if err != nil {
				return err
			}
			if n == 0 {
				return crypt.ErrSlot
			}
		}
		return nil
	})
}

// Signs gives a tenant's signing keys; for crypt.Signers.Load.
func (k Keys) Signs(ctx context.Context, tenant string) (out []crypt.SigningKey, err error) {
	err = k.DB.Read(ctx, func(tx *dbx.Tx) error {
		rows, err := signs.All(ctx, tx, tenant)
		out = make([]crypt.SigningKey, len(rows))
		for i, r := range rows {
			out[i] = crypt.SigningKey{
				Tenant: tenant, ID: r.ID, Alg: crypt.Alg(r.Alg), Sealed: r.Sealed, Created: r.Created, From: r.Starts, Until: r.Gone,
			}
		}
		return err
	})
	return out, err
}

// SetSigns adds signing keys or sets the end of existing ones, together; for crypt.Signers.Store.
func (k Keys) SetSigns(ctx context.Context, keys ...crypt.SigningKey) error {
	return k.DB.Write(ctx, func(tx *dbx.Tx) error { return PutSigns(ctx, tx, keys...) })
}

// PutSigns is SetSigns in a transaction of the caller's.
func PutSigns(ctx context.Context, tx *dbx.Tx, keys ...crypt.SigningKey) error {
	next := map[crypt.Alg]int64{} // when the newest of them begins, the others sign no more
	for _, s := range keys {
		next[s.Alg] = max(next[s.Alg], s.From)
	}
	for _, s := range keys {
		ends := int64(0)
		if s.Until != 0 {
			ends = next[s.Alg]
		}
		if _, err := setSign.Do(ctx, tx, s.Tenant, s.ID, string(s.Alg), s.Sealed, s.Created, s.From, ends, s.Until); err != nil {
			return err
		}
	}
	return nil
}
