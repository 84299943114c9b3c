package detail

import (
	"context"
	"slices"

	"limen/internal/call"
	"limen/internal/dbx"
)

type external struct {
	Object string `db:"object"`
	Client string `db:"client"`
	Kind   string `db:"kind"`
	Value  string `db:"value"`
}

var (
	externals = dbx.L[external]("detail.externals", `SELECT object, client, kind, value FROM external_id WHERE tenant = ?`)
	know      = dbx.E("detail.know", `INSERT INTO external_id (tenant, client, kind, object, value) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (tenant, kind, object, client) DO UPDATE SET value = excluded.value`)
	forget  = dbx.E("detail.forget", `DELETE FROM external_id WHERE tenant = ? AND kind = ? AND object = ? AND client = ?`)
	unknown = dbx.E("detail.unknown", `DELETE FROM external_id WHERE tenant = ? AND kind = ? AND object = ?`)
)

// Known gives the ids by which the caller, a client that provisions, knows objects of a kind: User or Group.
func Known(ctx context.Context, c *call.Call, kind string, objects ...string) (map[string]string, error) {
	out := map[string]string{}
	for part := range slices.Chunk(objects, chunk) {
		where := dbx.And(dbx.Eq("kind", kind), dbx.In("object", part...), dbx.Eq("client", c.User()))
		rows, err := externals.Rows(ctx, c.Tx, where, nil, len(part), c.Tenant.ID)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			out[r.Object] = r.Value
		}
	}
	return out, nil
}

// Know sets by which id the caller knows an object; an empty one is none. Fault: ErrLong.
func Know(ctx context.Context, c *call.Call, kind, object, was, value string) (changed bool, err error) {
	switch {
	case value == was:
		return false, nil
	case len(value) > MaxText:
		return false, ErrLong.At("externalId").Say("externalId may have %d bytes.", MaxText)
	case value == "":
		_, err = forget.Do(ctx, c.Tx, c.Tenant.ID, kind, object, c.User())
	default:
		_, err = know.Do(ctx, c.Tx, c.Tenant.ID, c.User(), kind, object, value)
	}
	if c.Event != nil {
		call.Changed(c.Event, "externalId", was, value)
	}
	return true, err
}

// Unknown forgets all ids of an object that is being deleted.
func Unknown(ctx context.Context, c *call.Call, kind, object string) error {
	_, err := unknown.Do(ctx, c.Tx, c.Tenant.ID, kind, object)
	return err
}

// KnownAs holds, of a column of ids, for the objects of a kind that the caller knows by an id that meets the condition, whose
// column is Value.
func KnownAs(c *call.Call, column, kind string, where dbx.Clause) dbx.Clause {
	return dbx.InList(column, externals, "object", dbx.And(dbx.Eq("client", c.User()), dbx.Eq("kind", kind), where), c.Tenant.ID)
}

// Value is the column of KnownAs.
const Value = "value"
