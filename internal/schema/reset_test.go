package schema_test

import (
	"testing"

	"limen/internal/dbx/dbxtest"
	"limen/internal/schema"
)

// A code that was mailed before codes could stand beside each other is still good.
func TestResetCodesOfBefore(t *testing.T) {
	for _, e := range dbxtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			db := dbxtest.Bare(t, e)
			if _, _, err := upTo(t, "0087").Apply(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			hash := map[string]string{"sqlite": "x'0102'", "postgres": `'\x0102'`}[e.String()]
			_, err := db.SQL().Exec(`INSERT INTO password_reset (tenant, user_id, hash, mail_key, expires) VALUES ('T', 'anna', ` + hash + `, 'anna@x', 7)`)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := schema.Apply(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			var codes, left int
			err = db.SQL().QueryRow(`SELECT (SELECT count(*) FROM password_reset_code WHERE tenant = 'T' AND user_id = 'anna' AND mail_key = 'anna@x' AND expires = 7
				AND hash = `+hash+`), (SELECT count(*) FROM password_reset)`).Scan(&codes, &left)
			if err != nil || codes != 1 || left != 0 {
				t.Error(codes, left, err)
			}
		})
	}
}
