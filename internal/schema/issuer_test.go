package schema_test

import (
	"io/fs"
	"os"
	"slices"
	"testing"
	"testing/fstest"

	"limen/internal/dbx/dbxtest"
	"limen/internal/schema"
)

// upTo are the migrations before a file.
func upTo(t *testing.T, next string) schema.Set {
	t.Helper()
	all := os.DirFS(".")
	names, err := fs.Glob(all, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	out := fstest.MapFS{}
	for _, name := range names {
		if name >= next {
			continue
		}
		raw, err := fs.ReadFile(all, name)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = &fstest.MapFile{Data: raw}
	}
	return schema.Set{Files: out}
}

// The applications and clients of the version before are found by their clients, and by the origins of their pages, at once.
func TestClientsBeforeTheTenantsIssuer(t *testing.T) {
	for _, e := range dbxtest.Engines {
		t.Run(e.String(), func(t *testing.T) {
			db := dbxtest.Bare(t, e)
			if _, _, err := upTo(t, "0038").Apply(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			for id, profile := range map[string]string{
				"own":    `{"ClientID":"c1","AllowedClients":["x"],"MustBeOauthClient":false,"ClientIDType":0}`,
				"listed": `{"ClientID":"","AllowedClients":["a","b","a"],"MustBeOauthClient":false,"ClientIDType":0}`,
				"people": `{"ClientID":"","AllowedClients":["svc"],"MustBeOauthClient":true,"ClientIDType":0}`,
				"typed":  `{"ClientID":"","AllowedClients":["svc"],"MustBeOauthClient":false,"ClientIDType":1}`,
				"null":   `{"ClientID":"","AllowedClients":null}`, "none": ``,
			} {
				_, err := db.SQL().Exec(`INSERT INTO app (tenant, id, name, name_key, service, service_key, template, kind, type, state, display, description, category,
					members, profile, secret, password, created, changed, version) VALUES ('T', '` + id + `', '` + id + `', '` + id + `', '', '', '', '', '', '', '', '', '', '{}', '` + profile + `', '', '', 0, 0, 1)`)
				if err != nil {
					t.Fatal(err)
				}
			}
			empty := map[string]string{"sqlite": "x''"}[e.String()]
			if empty == "" {
				empty = "''::bytea"
			}
			for id, metadata := range map[string]string{
				"spa":    `{"token_endpoint_auth_method":"none","redirect_uris":["https://Spa.example.com/back","https://spa.example.com/silent","http://localhost:4200/x","com.example.app:/done"]}`,
				"server": `{"token_endpoint_auth_method":"client_secret_basic","redirect_uris":["https://server.example.com/back"]}`,
				"bare":   `{"token_endpoint_auth_method":"none"}`,
			} {
				_, err := db.SQL().Exec(`INSERT INTO oauth_client (tenant, id, app, metadata, secret, token, created, changed, version)
					VALUES ('T', '` + id + `', 'own', '` + metadata + `', '', ` + empty + `, 0, 0, 1)`)
				if err != nil {
					t.Fatal(err)
				}
			}
			if _, _, err := schema.Apply(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			for query, want := range map[string][]string{
				`SELECT app || ' ' || client || ' ' || own FROM app_client ORDER BY 1`:           {"listed a 0", "listed b 0", "own c1 1"},
				`SELECT app || ' ' || client || ' ' || origin FROM oauth_origin ORDER BY origin`: {"own spa http://localhost:4200", "own spa https://spa.example.com"},
			} {
				rows, err := db.SQL().Query(query)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for rows.Next() {
					var s string
					if err := rows.Scan(&s); err != nil {
						t.Fatal(err)
					}
					got = append(got, s)
				}
				if err := rows.Err(); err != nil || !slices.Equal(got, want) {
					t.Errorf("%s gives %q %v", query, got, err)
				}
				_ = rows.Close()
			}
		})
	}
}
