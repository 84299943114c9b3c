package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"limen/bench/load"
	"limen/internal/app"
	"limen/internal/core/audit"
	"limen/internal/core/org"
	"limen/internal/core/role"
	"limen/internal/core/session"
	"limen/internal/core/tenant"
	"limen/internal/core/user"
	"limen/internal/dbx"
)

// extent is how large a large world is.
type extent struct {
	People, Roles, Depth, Crowd, Orgs, Tenants, Policies, Scripts int
}

var (
	largeExtent = extent{People: 1_000_000, Roles: 10_000, Depth: 8, Crowd: 100_000, Orgs: 5_000, Tenants: 20_000, Policies: 200, Scripts: 20}
	quickExtent = extent{People: 600, Roles: 40, Depth: 8, Crowd: 250, Orgs: 30, Tenants: 12, Policies: 10, Scripts: 4}
)

// of is an extent with another number of people.
func (e extent) of(people int) extent {
	e.Tenants = max(1, int(int64(e.Tenants)*int64(people)/int64(e.People)))
	e.People, e.Crowd = people, min(e.Crowd, people)
	return e
}

// directory is a large tenant beside many small ones. It is kept where it was made, so that it is made once.
type directory struct {
	extent
	Tenant, Suffix, Admin string
	URL                   string // of the database

	*site  `json:"-"`
	*world `json:"-"`
}

// big gives the large directory, in a program of its own.
func (w *world) big(ctx context.Context) (*directory, error) {
	if w.large != nil {
		return w.large, nil
	}
	at := filepath.Join(w.b.large, w.engine)
	if w.b.large == "" {
		at = filepath.Join(w.dir, "large")
	}
	if err := os.MkdirAll(at, 0o750); err != nil {
		return nil, err
	}
	d := &directory{}
	text, err := os.ReadFile(filepath.Join(at, "world.json"))
	switch {
	case err == nil:
		err = json.Unmarshal(text, d)
	case errors.Is(err, os.ErrNotExist):
		d, err = w.makeLarge(ctx, at)
	}
	if err != nil {
		return nil, err
	}
	// What listens, and the log that goes nowhere, are as those of the world beside.
	d.world = &world{b: w.b, engine: w.engine, row: w.row, dir: at, url: d.URL, null: w.null, sites: map[int]*site{}}
	if err := d.open(ctx); err != nil {
		return nil, errors.Join(err, d.halt())
	}
	w.large = d
	return d, nil
}

// open starts the program on the directory and signs its administrator in.
func (d *directory) open(ctx context.Context) (err error) {
	if d.app, err = d.program(ctx, d.dir, d.url); err != nil {
		return err
	}
	d.site = &site{id: d.Tenant, suffix: d.Suffix, host: d.Suffix, admin: "admin@" + d.Suffix}
	if d.site.bearer, err = bearer(ctx, d.app, d.Tenant, d.Admin); err != nil {
		return err
	}
	return d.listen(ctx)
}

// bearer signs somebody in without asking for proof.
func bearer(ctx context.Context, a *app.App, tenantID, userID string) (string, error) {
	var token string
	c := a.Shell(tenantID)
	err := a.Write(ctx, c, audit.Login, func(ctx context.Context) (err error) {
		token, _, err = a.Sessions.Create(ctx, c, session.New{User: userID, Level: session.High})
		return err
	})
	return "Authorization: Bearer " + token, err
}

// makeLarge writes the directory. What the program makes one of stands as the sample of the rest, which is written through
// the store in large batches.
func (w *world) makeLarge(ctx context.Context, at string) (*directory, error) {
	d := &directory{extent: largeExtent.of(w.b.scale), URL: "sqlite"}
	if w.b.large == "" {
		d.extent = quickExtent
	}
	if w.engine == "postgres" {
		var err error
		if d.URL, err = w.database(ctx); err != nil {
			return nil, err
		}
		if w.b.large != "" {
			w.made = w.made[:len(w.made)-1] // it stays
		}
	}
	a, err := w.program(ctx, at, d.URL)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	s, err := addSite(ctx, a)
	if err != nil {
		return nil, err
	}
	d.Tenant, d.Suffix = s.id, s.suffix
	m := &maker{directory: d, app: a, ctx: ctx, now: time.Now().UnixMilli()}
	for _, step := range []struct {
		what string
		make func() error
	}{
		{"administrator", m.admin}, {"people", m.people}, {"roles", m.roles}, {"members", m.members}, {"organizations", m.orgs},
		{"policy sets", m.policies}, {"scripts", m.scripts}, {"tenants", m.tenants}, {"keys", m.keys},
		{"statistics", m.analyze},
	} {
		began := time.Now()
		if err := step.make(); err != nil {
			return nil, fmt.Errorf("%s: %w", step.what, err)
		}
		if w.b.large != "" {
			fmt.Fprintf(os.Stderr, "bench: large directory on %s: %s after %v\n", w.engine, step.what, time.Since(began).Round(time.Second/10))
		}
	}
	text, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	return d, os.WriteFile(filepath.Join(at, "world.json"), text, 0o600)
}

// personID, roleID and orgID name what was made.
func (d *directory) personID(i int) string {
	return fmt.Sprintf("01900000-0000-7000-8000-%012x", i)
}
func (d *directory) roleID(i int) string { return fmt.Sprintf("01900000_0000_7000_9000_%012x", i) }
func (d *directory) orgID(i int) string  { return fmt.Sprintf("01900000-0000-7000-a000-%012x", i) }

// The roles stand in chains of Depth: each but the first of a chain is a member of the one before it. The last of the first
// chain has the crowd.
func (d *directory) crowd() string { return d.roleID(d.Depth - 1) }
func (d *directory) outer() string { return d.roleID(0) }

// maker writes a directory.
type maker struct {
	*directory
	app *app.App
	ctx context.Context
	now int64
}

// largeBatch is how many rows a transaction writes.
const largeBatch = 2000

// rows writes n rows of a table.
func (m *maker) rows(table string, columns []string, n int, row func(i int) []any) error {
	insert := dbx.E(fmt.Sprintf("bench.large.%s.%d", table, serial.Add(1)),
		"INSERT INTO "+table+" ("+strings.Join(columns, ", ")+") VALUES ("+strings.Repeat("?, ", len(columns)-1)+"?)")
	for from := 0; from < n; from += largeBatch {
		err := m.app.DB.Write(m.ctx, func(tx *dbx.Tx) error {
			for i := from; i < min(n, from+largeBatch); i++ {
				if err := insert.Later(m.ctx, tx, row(i)...); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// like writes n rows like the one with an id, which the program has just made; others differs from it in some columns.
func (m *maker) like(table, id string, n int, others func(i int) map[string]any) error {
	t, err := readTable(m.ctx, m.app.DB.SQL(), table+" WHERE id = '"+id+"'")
	if err != nil {
		return err
	}
	for _, sample := range t.records {
		return m.rows(table, t.columns, n, func(i int) []any {
			row, differ := slices.Clone(sample), others(i)
			for at, column := range t.columns {
				if v, ok := differ[column]; ok {
					row[at] = v
				}
			}
			return row
		})
	}
	return fmt.Errorf("%s has no %s", table, id)
}

func (m *maker) admin() error {
	c := m.app.Shell(m.Tenant)
	return c.Snapshot(m.ctx, func() error {
		u, err := m.app.People.ByName(m.ctx, c, "admin@"+m.Suffix)
		m.Admin = u.ID
		return err
	})
}

func (m *maker) people() error {
	s := &site{suffix: m.Suffix}
	var sample user.User
	c := m.app.Shell(m.Tenant)
	err := m.app.Write(m.ctx, c, audit.UserCreate, func(ctx context.Context) (err error) {
		sample, err = m.app.People.Create(ctx, c, user.New{Name: "sample@" + m.Suffix, Mail: "sample@example.com", Everybody: true})
		return err
	})
	if err != nil {
		return err
	}
	return m.like("users", sample.ID, m.People, func(i int) map[string]any {
		p := s.person(i)
		return map[string]any{
			"id": m.personID(i), "name": p.Name, "name_key": p.Name, "display": p.Display, "display_key": strings.ToLower(p.Display), "mail": p.Mail,
			"mail_key": p.Mail, "mobile": p.Mobile, "description": p.Description, "org": m.orgID(i % m.Orgs),
		}
	})
}

func (m *maker) roles() error {
	var sample role.Role
	c := m.app.Shell(m.Tenant)
	err := m.app.Write(m.ctx, c, audit.RoleCreate, func(ctx context.Context) (err error) {
		sample, err = m.app.Roles.Create(ctx, c, role.New{Name: "Sample", Description: "A role of the bench"})
		return err
	})
	if err != nil {
		return err
	}
	err = m.like("role", sample.ID, m.Roles, func(i int) map[string]any {
		kind := role.Static
		if i >= m.Roles-m.Scripts {
			kind = role.Dynamic
		}
		return map[string]any{"id": m.roleID(i), "name": fmt.Sprintf("Role %05d", i), "name_key": fmt.Sprintf("role %05d", i), "kind": kind}
	})
	if err != nil {
		return err
	}
	paths := []string{"/lib/rights/dsman.json", "/lib/rights/appman.json", "/lib/rights/reports.json", "/lib/rights/roleman.json"}
	return m.rows("role_right", []string{"tenant", "role", "path", "since", "until", "reason", "granter"}, m.Roles/5, func(i int) []any {
		return []any{m.Tenant, m.roleID(5 * i), paths[i%len(paths)], 0, 0, "", ""}
	})
}

// members puts everybody into one role, the crowd into one more, and each role of a chain into the one before it.
func (m *maker) members() error {
	s := &site{suffix: m.Suffix}
	columns := []string{"tenant", "role", "kind", "member", "name_key", "since", "until", "reason", "granter"}
	person := func(roleID string, i int) []any {
		return []any{m.Tenant, roleID, role.User, m.personID(i), s.name(i), 0, 0, "", m.Admin}
	}
	size := map[string]int64{}
	err := m.rows("role_member", columns, m.People, func(i int) []any { return person(m.roleID(i%m.static()), i) })
	if err != nil {
		return err
	}
	for i := range m.People {
		size[m.roleID(i%m.static())]++
	}
	var more []int // those of the crowd who are not in its role already
	for i := range m.Crowd {
		if i%m.static() != m.Depth-1 {
			more = append(more, i)
		}
	}
	size[m.crowd()] += int64(len(more))
	if err := m.rows("role_member", columns, len(more), func(i int) []any { return person(m.crowd(), more[i]) }); err != nil {
		return err
	}
	var inner []int
	for i := range m.static() {
		if i%m.Depth != 0 {
			inner = append(inner, i)
			size[m.roleID(i-1)]++
		}
	}
	err = m.rows("role_member", columns, len(inner), func(i int) []any {
		return []any{m.Tenant, m.roleID(inner[i] - 1), role.Sub, m.roleID(inner[i]), fmt.Sprintf("role %05d", inner[i]), 0, 0, "", m.Admin}
	})
	if err != nil {
		return err
	}
	return m.rows("role_tally", []string{"tenant", "role", "id", "n", "mark"}, m.static(), func(i int) []any {
		return []any{m.Tenant, m.roleID(i), "first", size[m.roleID(i)], i}
	})
}

// static is how many roles have members that no script decides.
func (d *directory) static() int { return d.Roles - d.Scripts }

// orgs makes three levels, and gives some roles rights over some of them.
func (m *maker) orgs() error {
	c := m.app.Shell(m.Tenant)
	var sample org.Org
	err := m.app.Write(m.ctx, c, audit.UserCreate, func(ctx context.Context) (err error) {
		sample, err = m.app.Orgs.Create(ctx, c, org.New{Name: "Sample"})
		return err
	})
	if err != nil {
		return err
	}
	const wide = 17
	err = m.like("org", sample.ID, m.Orgs, func(i int) map[string]any {
		above := []int{i}
		for up := i; up >= wide; {
			up = up/wide - 1
			above = append(above, up)
		}
		var path, trail strings.Builder
		for _, at := range slices.Backward(above) {
			fmt.Fprintf(&path, "/Unit %04d", at)
			trail.WriteString(m.orgID(at) + "/")
		}
		parent := ""
		if len(above) > 1 {
			parent = m.orgID(above[1])
		}
		return map[string]any{
			"id": m.orgID(i), "parent": parent, "name": fmt.Sprintf("Unit %04d", i), "path": path.String(), "path_key": strings.ToLower(path.String()),
			"trail": trail.String(),
		}
	})
	if err != nil {
		return err
	}
	columns := []string{"tenant", "org", "kind", "principal", "path", "granted", "granter"}
	return m.rows("org_right", columns, m.Orgs/10, func(i int) []any {
		return []any{m.Tenant, m.orgID(10 * i), role.Sub, m.roleID(i % m.static()), "/lib/rights/dsman.json", m.now, m.Admin}
	})
}

// policies links sets of ten settings to a role each.
func (m *maker) policies() error {
	columns := []string{"tenant", "name_key", "name", "description", "stamp", "settings", "position", "link", "params", "created", "changed"}
	return m.rows("policy_block", columns, m.Policies, func(i int) []any {
		var settings []string
		for k := range 10 {
			settings = append(settings, fmt.Sprintf(`"/Bench/Setting%02d":%d`, (i+k)%40, i))
		}
		return []any{
			m.Tenant, fmt.Sprintf("set %04d", i), fmt.Sprintf("Set %04d", i), "", 1, "{" + strings.Join(settings, ",") + "}", i + 1, "Role",
			`["` + m.roleID(i%m.static()) + `"]`, m.now, m.now,
		}
	})
}

// script reads one attribute. Half of the scripts read another one than the other half.
func (d *directory) script(i int) (text, reads string) {
	reads = []string{"MobileNumber", "DisplayName"}[i%2]
	return `user.Properties.Get("` + reads + `") == "nobody ` + fmt.Sprint(i) + `"`, reads
}

// scripts have judged everybody, and found nobody.
func (m *maker) scripts() error {
	first := m.static()
	err := m.rows("role_script", []string{"tenant", "role", "script", "revision", "error", "failed", "told", "changed", "wanted", "done"}, m.Scripts, func(i int) []any {
		text, _ := m.script(i)
		return []any{m.Tenant, m.roleID(first + i), text, 1, "", 0, 0, m.now, 1, 1}
	})
	if err != nil {
		return err
	}
	return m.rows("role_script_read", []string{"tenant", "role", "name"}, m.Scripts, func(i int) []any {
		_, reads := m.script(i)
		return []any{m.Tenant, m.roleID(first + i), reads}
	})
}

// tenants are made by the program, a hundred in a transaction, with somebody in each.
func (m *maker) tenants() error {
	const some = 100
	for from := 0; from < m.Tenants; from += some {
		c := m.app.Shell("")
		err := m.app.DB.Write(m.ctx, func(tx *dbx.Tx) error {
			defer func() { c.Tx = nil }()
			for i := from; i < min(m.Tenants, from+some); i++ {
				c.Tx, c.Tenant.ID = tx, ""
				suffix := fmt.Sprintf("t%05d.%s", i, m.Suffix)
				t, err := m.app.Tenants.Create(m.ctx, c, tenant.New{ID: m.tenantID(i), Name: "Beside", Suffix: suffix, Hosts: []string{suffix}})
				if err != nil {
					return err
				}
				c.Tenant.ID = t.ID
				if _, err := m.app.People.Create(m.ctx, c, user.New{Name: "somebody@" + suffix, Mail: "somebody@example.com", Everybody: true}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// keys gives the tenants their keys, as a start does.
func (m *maker) keys() error {
	_, err := m.app.FirstStart(m.ctx)
	return err
}

func (d *directory) tenantID(i int) string {
	return fmt.Sprintf("BE%c%04d", 'A'+rune(i/10_000), i%10_000)
}

// analyze does what the servers do by themselves after a while.
func (m *maker) analyze() error {
	if m.app.DB.Engine() == dbx.SQLite {
		return m.app.DB.Optimize(m.ctx)
	}
	_, err := m.app.DB.SQL().ExecContext(m.ctx, "VACUUM ANALYZE")
	return err
}

// ask makes a turn of one caller who succeeds with whatever request next makes.
func (d *directory) ask(ctx context.Context, next func() []byte) turn {
	return d.asks(ctx, 1, func(int) []byte { return next() })
}

// after is a turn of one caller of whose calls only the second half is measured.
func after(ctx context.Context, addr string, first func() error, then func(c *load.Conn) error) turn {
	return func(d time.Duration) (load.Sample, error) {
		var took []time.Duration
		s, err := load.Ask(ctx, addr, 1, d, func(_ int, c *load.Conn) error {
			if err := first(); err != nil {
				return err
			}
			at := time.Now()
			err := then(c)
			took = append(took, time.Since(at))
			return err
		})
		s.Each, s.CPU = took, 0
		return s, err
	}
}
