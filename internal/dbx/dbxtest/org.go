package dbxtest

import (
	"fmt"
	"testing"

	"limen/internal/dbx"
)

// Orgs puts organizations with these ids at the top of a tenant, for tests of packages beneath the one that makes them.
func Orgs(t testing.TB, db *dbx.DB, tenant string, ids ...string) {
	t.Helper()
	for _, id := range ids {
		_, err := db.SQL().ExecContext(t.Context(), fmt.Sprintf(`INSERT INTO org (tenant, id, parent, name, description, path, path_key, trail, created, changed)
			VALUES ('%s', '%s', '', '%[2]s', '', '/%[2]s', '/%[2]s', '%[2]s/', 0, 0)`, tenant, id))
		if err != nil {
			t.Fatal(err)
		}
	}
}
