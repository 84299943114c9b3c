package schema_test

import (
	"testing"

	"limen/internal/dbx/dbxtest"
	"limen/internal/schema"
)

// The domains for which a tenant believed its providers are said of each that was set up, and of none of another tenant.
func TestDomainsOfProvidersOfBefore(t *testing.T) {
	for _, e := range dbxtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			db := dbxtest.Bare(t, e)
			if _, _, err := upTo(t, "0100").Apply(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			no := map[string]string{"sqlite": "0", "postgres": "FALSE"}[e.String()]
			for _, of := range []string{"'T', 'google'", "'T', 'own'", "'U', 'google'"} {
				if _, err := db.SQL().Exec(`INSERT INTO upstream (tenant, name_key, name, display, issuer, enabled, client, sealed, team, key_id, scope, portal, changed, version)
					VALUES (` + of + `, 'x', '', '', ` + no + `, '', '', '', '', '', '', 0, 1)`); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := db.SQL().Exec(`INSERT INTO setting (tenant, name_key, name, value, secret, changed) VALUES ('T', 'social.linkdomains', 'Social.LinkDomains', 'a.example,b.example', ` + no + `, 0)`); err != nil {
				t.Fatal(err)
			}
			if _, _, err := schema.Apply(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			for query, want := range map[string]int{
				`SELECT count(*) FROM upstream WHERE tenant = 'T' AND link_domains = 'a.example,b.example'`: 2,
				`SELECT count(*) FROM upstream WHERE tenant = 'U' AND link_domains = ''`:                    1,
				`SELECT count(*) FROM setting WHERE name_key = 'social.linkdomains'`:                        0,
			} {
				var got int
				if err := db.SQL().QueryRow(query).Scan(&got); err != nil || got != want {
					t.Errorf("%s gives %d %v", query, got, err)
				}
			}
		})
	}
}
