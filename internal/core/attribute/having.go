package attribute

import (
	"context"
	"slices"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fold"
)

type held struct {
	User  string `db:"user_id"`
	Name  string `db:"name"`
	Type  string `db:"type"`
	Value string `db:"value"`
	Head  string `db:"head"`
}

var (
	holders = dbx.L[held]("attribute.holders", `SELECT v.user_id AS user_id, c.name AS name, c.type AS type, v.value AS value,
		substr(v.value, 1, 200) AS head FROM user_attribute v JOIN attribute_column c ON c.tenant = v.tenant AND c.id = v.column_id
		WHERE v.tenant = ? AND c.name_key = ?`)
	ofMany = dbx.L[held]("attribute.ofMany", `SELECT v.user_id AS user_id, c.name AS name, c.type AS type, v.value AS value, '' AS head
		FROM user_attribute v JOIN attribute_column c ON c.tenant = v.tenant AND c.id = v.column_id WHERE v.tenant = ?`)
)

// head is as much of a value as the index has.
const head = 200

// Any holds, of a column of people's UUIDs, for those who have a value of the attribute.
func Any(c *call.Call, column string, col Column) dbx.Clause {
	return dbx.InList(column, holders, "user_id", dbx.Clause{}, c.Tenant.ID, fold.Key(col.Name))
}

// Equal holds for those whose value of the attribute is v, case included; ok says whether it can be a value.
func Equal(c *call.Call, column string, col Column, v any) (where dbx.Clause, ok bool) {
	stored, ok, why := col.Type.parse(v)
	if !ok {
		return dbx.Or(), why == ""
	}
	in := dbx.And(dbx.Eq("head", begin(stored)), dbx.Eq("value", stored))
	return dbx.InList(column, holders, "user_id", in, c.Tenant.ID, fold.Key(col.Name)), true
}

// Starting holds for those whose value of the attribute, a text, begins with s, case included.
func Starting(c *call.Call, column string, col Column, s string) dbx.Clause {
	in := dbx.And(dbx.Prefix("head", begin(s)), dbx.Prefix("value", s))
	return dbx.InList(column, holders, "user_id", in, c.Tenant.ID, fold.Key(col.Name))
}

func begin(s string) string {
	if utf8.RuneCountInString(s) <= head {
		return s
	}
	return string([]rune(s)[:head])
}

// Of gives what people have, by their UUIDs.
func Of(ctx context.Context, c *call.Call, users ...string) (map[string][]Value, error) {
	out := map[string][]Value{}
	for part := range slices.Chunk(users, 500) {
		rows, err := ofMany.Rows(ctx, c.Tx, dbx.In("user_id", part...), nil, len(part)*MaxColumns, c.Tenant.ID)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			out[r.User] = append(out[r.User], Value{r.Name, Type(r.Type).read(r.Value)})
		}
	}
	return out, nil
}
