package schema_test

import (
	"testing"

	"limen/internal/dbx/dbxtest"
	"limen/internal/schema"
)

// Whoever and whatever was there before there were numbers has one, the oldest the smallest of its kind.
func TestNumbersOfWhatWasThere(t *testing.T) {
	for _, e := range dbxtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			db := dbxtest.Bare(t, e)
			if _, _, err := upTo(t, "0057").Apply(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			dbxtest.Orgs(t, db, "T", "sales")
			for id, at := range map[string]string{"young": "20", "old": "10"} {
				_, err := db.SQL().Exec(`INSERT INTO role (tenant, id, name, name_key, description, kind, built_in, org, created, changed, version)
					VALUES ('T', '` + id + `', '` + id + `', '` + id + `', '', 'PrincipalList', FALSE, '', ` + at + `, 0, 1)`)
				if err != nil {
					t.Fatal(err)
				}
			}
			if _, _, err := schema.Apply(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			var orgs, right int
			err := db.SQL().QueryRow(`SELECT (SELECT count(*) FROM object_number WHERE kind = 'Organization' AND object = 'sales' AND tenant = 'T'),
				(SELECT count(*) FROM object_number o JOIN object_number y ON y.object = 'young' AND y.kind = 'Role' AND o.number < y.number
				WHERE o.kind = 'Role' AND o.object = 'old')`).Scan(&orgs, &right)
			if err != nil || orgs != 1 || right != 1 {
				t.Error(orgs, right, err)
			}
		})
	}
}
