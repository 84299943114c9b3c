package org_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/grant"
	"limen/internal/core/org"
	"limen/internal/core/report"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/tenant"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
	"limen/internal/wire/redrock"
)

// numbers are rows 1 to n, on either engine.
func numbers(n int) string {
	return fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)`, n)
}

// forest is a tenant with a tree of organizations, ten below each, and as many people in each as are asked for.
func forest(t testing.TB, db *dbx.DB, orgs, people int) (w *world, leaf string) {
	changes := &change.Log{DB: db}
	index := &tenant.Index{DB: db, Changes: changes}
	if err := index.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	roles := &role.Roles{Changes: changes}
	users := &user.Directory{DB: db, Changes: changes, Tenants: index, Roles: roles}
	w = &world{db: db, roles: roles, users: users, orgs: &org.Orgs{People: users, Roles: roles}, now: time.Now()}
	roles.Scopes = w.orgs.Scopes
	w.caller = &call.Caller{Means: call.ByShell, Held: right.Held{Tenant: right.Of(right.System)}}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	all := &tenant.Tenants{Index: index, Changes: changes, Roles: roles, Move: users.Move}
	must(db.Write(t.Context(), func(tx *dbx.Tx) error {
		made, err := all.Create(t.Context(), w.call(tx), tenant.New{Name: "Forest"})
		w.id = made.ID
		return err
	}))
	sql := func(text string) {
		t.Helper()
		_, err := db.SQL().ExecContext(t.Context(), text)
		must(err)
	}
	pad := "'0000'"
	id := func(i string) string {
		return "'o' || substr(" + pad + " || (" + i + "), length(" + pad + " || (" + i + ")) - 4)"
	}
	sql(`INSERT INTO org (tenant, id, parent, name, description, path, path_key, trail, created, changed) ` + numbers(orgs) +
		` SELECT '` + w.id + `', ` + id("i") + `, CASE WHEN i = 1 THEN '' ELSE ` + id("(i + 8) / 10") + ` END, 'n' || i, '', '/' || i, '/' || i, CASE WHEN i = 1 THEN ` + id("i") + ` || '/' ELSE '' END, 0, 0 FROM n`)
	for range 6 {
		sql(`UPDATE org SET trail = (SELECT p.trail FROM org p WHERE p.tenant = org.tenant AND p.id = org.parent) || id || '/' WHERE trail = ''
			AND EXISTS (SELECT 1 FROM org p WHERE p.tenant = org.tenant AND p.id = org.parent AND p.trail <> '')`)
	}
	if people > 0 {
		no, zero := "FALSE", "0"
		sql(`INSERT INTO users (tenant, id, name, name_key, suffix_key, display, display_key, mail, mail_key, mobile, home, office, description, culture, reports_to,
			org, locked, disabled, expired, cloud_locked, suspended, invited, active, service, oauth_client, everybody, force_change, never_expires, expires, mfa_user,
			password_changed, picture, created, changed, version) ` + numbers(orgs*people) + ` SELECT '` + w.id + `', 'u' || i, 'u' || i, 'u' || i, '', '', '', '', '', '', '', '', '', '', '',
			` + id("i % "+fmt.Sprint(orgs)+" + 1") + `, ` + no + `, ` + no + `, ` + no + `, ` + no + `, ` + no + `, 0, 0, ` + no + `, ` + no + `, TRUE, ` + no + `, ` + no + `, ` + zero + `, '', 0, 0, 0, 0, 1 FROM n`)
	}
	sql(`ANALYZE`)
	return w, fmt.Sprintf("o%05d", orgs)
}

// BenchmarkReach measures what administrators of the top and of a leaf of 5,000 organizations with 50,000 people wait for.
func BenchmarkReach(b *testing.B) {
	for _, e := range dbxtest.Engines {
		db := dbxtest.Fresh(b, e)
		w, leaf := forest(b, db, 5000, 10)
		reports, err := report.New(db)
		if err != nil {
			b.Fatal(err)
		}
		for name, over := range map[string]string{"top": "o00001", "leaf": leaf} {
			who := "u" + map[string]string{"top": "1", "leaf": "2"}[name]
			err := db.Write(b.Context(), func(tx *dbx.Tx) error {
				return w.orgs.Appoint(b.Context(), w.call(tx), over, appointees(person(who)), nil)
			})
			if err != nil {
				b.Fatal(err)
			}
			do := func(what string, f func(ctx context.Context, c *call.Call) error) {
				b.Run(fmt.Sprint(e, "/", name, "/", what), func(b *testing.B) {
					for b.Loop() {
						if err := db.Read(b.Context(), func(tx *dbx.Tx) error { return f(b.Context(), w.call(tx)) }); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
			var held right.Held
			do("rights-cold", func(ctx context.Context, c *call.Call) error {
				roles := &role.Roles{Scopes: (&org.Orgs{}).Scopes}
				m, err := roles.Of(ctx, c, who)
				held = m.Held
				return err
			})
			do("rights-role-changed", func(ctx context.Context, c *call.Call) error {
				_, err := (&role.Roles{Scopes: w.orgs.Scopes}).Of(ctx, c, who)
				return err
			})
			do("rights-cached", func(ctx context.Context, c *call.Call) error {
				_, err := w.roles.Of(ctx, c, who)
				return err
			})
			g := grant.Orgs(held.Tree, held.In(right.UserManagement)...)
			do("decide", func(context.Context, *call.Call) error {
				if !grant.Orgs(held.Tree, held.In(right.UserManagement)...).Allows("x", leaf) {
					b.Error("not allowed")
				}
				return nil
			})
			do("users-100", func(ctx context.Context, c *call.Call) error {
				rows, err := w.users.List(ctx, c, g, user.Query{Limit: 100})
				if len(rows) == 0 {
					b.Error("nobody")
				}
				return err
			})
			do("users-count", func(ctx context.Context, c *call.Call) error {
				_, err := (&user.Directory{}).Count(ctx, c, g, user.Query{})
				return err
			})
			ask := func(script string) func(ctx context.Context, c *call.Call) error {
				return func(ctx context.Context, c *call.Call) error {
					c.Caller = &call.Caller{User: who, Held: held}
					_, err := reports.Run(ctx, c, report.Ask{Script: script, Args: redrock.Args{}})
					return err
				}
			}
			do("redrock-count", ask("SELECT count(*) FROM User"))
			do("redrock-one", ask("SELECT ID, Username FROM User WHERE Username = 'u777'"))
			do("redrock-100", ask("SELECT ID, Username FROM User ORDER BY Username LIMIT 100"))
			held = right.Held{Tenant: right.Of(right.System)}
			do("redrock-count-everything", ask("SELECT count(*) FROM User"))
			do("redrock-100-everything", ask("SELECT ID, Username FROM User ORDER BY Username LIMIT 100"))
		}
	}
}
