package role_test

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fold"
)

// naive is what the rows of the store say of who is in a role, without anything that the program keeps about them: the
// members' names in order, in parentheses those who come by nesting alone.
func (w *world) naive(roleID string) []string {
	w.t.Helper()
	type membership struct{ role, kind, id, name string }
	text := fmt.Sprintf(`SELECT m.role, m.kind, m.member, COALESCE(u.name, r.name) FROM role_member m
		LEFT JOIN users u ON u.tenant = m.tenant AND m.kind = 'User' AND u.id = m.member LEFT JOIN role r ON r.tenant = m.tenant AND m.kind = 'Role' AND r.id = m.member
		WHERE m.tenant = '%s' AND (m.until = 0 OR m.until > %d)`, w.id, w.now.UnixMilli())
	open := map[string]bool{}
	var all []membership
	err := eachRow(w.db.SQL(), text, func(scan func(...any) error) error {
		var m membership
		err := scan(&m.role, &m.kind, &m.id, &m.name)
		all = append(all, m)
		return err
	})
	err2 := eachRow(w.db.SQL(), fmt.Sprintf(`SELECT role, member FROM role_member WHERE tenant = '%s' AND kind = 'Role' AND since <= %d AND (until = 0 OR until > %d)`,
		w.id, w.now.UnixMilli(), w.now.UnixMilli()), func(scan func(...any) error) error {
		var to, from string
		err := scan(&to, &from)
		open[to+" "+from] = true
		return err
	})
	if err := errors.Join(err, err2); err != nil {
		w.t.Fatal(err)
	}
	inside := map[string]bool{roleID: true}
	for n := 0; n != len(inside); {
		n = len(inside)
		for e := range open {
			if to, from, _ := strings.Cut(e, " "); inside[to] {
				inside[from] = true
			}
		}
	}
	of := map[string]membership{}
	for _, m := range all {
		if old, known := of[m.kind+m.id]; inside[m.role] && (!known || old.role != roleID) {
			of[m.kind+m.id] = m
		}
	}
	var found []membership
	for _, m := range of {
		found = append(found, m)
	}
	slices.SortFunc(found, func(a, b membership) int {
		return cmp.Or(strings.Compare(fold.Key(a.name), fold.Key(b.name)), strings.Compare(a.id, b.id))
	})
	out := []string{}
	for _, m := range found {
		name, _, _ := strings.Cut(m.name, "@")
		if m.role != roleID {
			name = "(" + name + ")"
		}
		out = append(out, name)
	}
	return out
}

func eachRow(db *sql.DB, text string, f func(scan func(...any) error) error) error {
	rows, err := db.Query(text)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Whatever happens to roles, pages have who the rows of the store say are members, and as many as there are.
func TestPagesAreWhatIsStored(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		rnd := rand.New(rand.NewPCG(7, 11))
		w.roles.RememberFrom(1)
		var people, roles []string
		for i := range 14 {
			people = append(people, w.user(fmt.Sprintf("%c%d", 'z'-rune(i), i)))
		}
		for i := range 7 {
			roles = append(roles, w.role(fmt.Sprintf("%cole%d", 'a'+rune(3*i), i)))
		}
		any := func(ids []string) string { return ids[rnd.IntN(len(ids))] }
		member := func(kind, id string) role.Member {
			m := role.Member{Kind: kind, ID: id}
			if rnd.IntN(3) == 0 {
				m.Until = w.now.Add(time.Duration(1+rnd.IntN(90)) * time.Minute)
			}
			if rnd.IntN(4) == 0 {
				m.Since = w.now.Add(-time.Hour)
			}
			return m
		}
		for step := range 220 {
			to := any(roles)
			w.now = w.now.Add(time.Duration(rnd.IntN(6)) * time.Minute)
			w.try(func(ctx context.Context, c *call.Call) error {
				switch n := rnd.IntN(20); {
				case n < 8:
					return w.roles.Add(ctx, c, to, member(role.User, any(people)), member(role.User, any(people)))
				case n < 11:
					return w.roles.Add(ctx, c, to, member(role.Sub, any(roles)))
				case n < 13:
					return w.roles.Remove(ctx, c, to, person(any(people)), sub(any(roles)), person(any(people)))
				case n < 14:
					return w.roles.Remove(ctx, c, to, sub(any(roles)))
				case n < 15:
					name := fmt.Sprintf("%c-renamed%d@%s", 'a'+rune(rnd.IntN(26)), step, strings.ToLower(w.id))
					_, err := w.users.Change(ctx, c, any(people), user.Change{Name: &name})
					return err
				case n < 16:
					return w.roles.Rename(ctx, c, to, fmt.Sprintf("%c role %d", 'a'+rune(rnd.IntN(26)), step), "")
				case n < 18:
					_, err := w.roles.Decide(ctx, c, to, any(people), rnd.IntN(2) == 0)
					return err
				case n < 19:
					return w.roles.Gone(ctx, c, any(people))
				case step%4 == 0:
					return w.roles.Delete(ctx, c, to)
				}
				return nil
			})
			if rnd.IntN(20) == 0 {
				if err := w.roles.Sweep(t.Context(), w.db, w.now.Add(time.Duration(rnd.IntN(26))*time.Hour)); err != nil {
					t.Fatal(err)
				}
			}
			of := any(roles)
			w.compare(of, 1+rnd.IntN(9), rnd.IntN(2) == 0)
			if t.Failed() {
				t.Fatalf("after step %d", step)
			}
		}
		if w.roles.Remembered() == 0 {
			t.Error("nobody's place in a list is remembered")
		}
	})
}

// TestSweepOfMany forgets more members than a transaction removes, and counts each.
func TestSweepOfMany(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.role("old")
		for _, text := range []string{
			`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1203) INSERT INTO role_member
				(tenant, role, kind, member, name_key, since, until, reason, granter) SELECT $t, $r, 'User', 'm' || i, '', 0, CASE WHEN i > 3 THEN 1 ELSE 0 END, '', '' FROM n`,
			`INSERT INTO role_tally (tenant, role, id, n, mark) VALUES ($t, $r, 'first', 1203, 1)`,
		} {
			if _, err := w.db.SQL().ExecContext(t.Context(), strings.NewReplacer("$t", "'"+w.id+"'", "$r", "'"+r+"'").Replace(text)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.roles.Sweep(t.Context(), w.db, w.now); err != nil {
			t.Fatal(err)
		}
		for table, what := range map[string]string{"role_member": "count(*)", "role_tally": "sum(n)"} {
			var n int64
			err := w.db.SQL().QueryRowContext(t.Context(), `SELECT `+what+` FROM `+table+` WHERE tenant = '`+w.id+`' AND role = '`+r+`'`).Scan(&n)
			if err != nil || n != 3 {
				t.Errorf("%s of %s is %d, %v", what, table, n, err)
			}
		}
	})
}

// try makes a change that the program may refuse.
func (w *world) try(f func(ctx context.Context, c *call.Call) error) {
	w.t.Helper()
	err := w.db.Write(w.t.Context(), func(tx *dbx.Tx) error { return f(w.t.Context(), w.call(tx)) })
	for _, known := range []error{role.ErrCycle, role.ErrNotFound, role.ErrMember} {
		if errors.Is(err, known) {
			return
		}
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// compare reads all the pages of a role, in the given order, and what is stored.
func (w *world) compare(roleID string, size int, desc bool) {
	w.t.Helper()
	want := w.naive(roleID)
	if desc {
		slices.Reverse(want)
	}
	err := w.db.Read(w.t.Context(), func(tx *dbx.Tx) error {
		c := w.call(tx)
		is, err := w.roles.Get(w.t.Context(), c, roleID)
		if errors.Is(err, role.ErrNotFound) {
			return nil // deleted
		}
		if err != nil {
			return err
		}
		for n := range len(want)/size + 2 {
			rows, all, err := w.roles.Page(w.t.Context(), c, grant.All(), is, role.Query{Size: size, Desc: desc}, n+1)
			if err != nil {
				return err
			}
			from := min(n*size, len(want))
			if got := shown(rows); all != int64(len(want)) || strings.Join(got, " ") != strings.Join(want[from:min(from+size, len(want))], " ") {
				w.t.Errorf("page %d of %d each, descending %t: %v of %d, want of %v", n+1, size, desc, got, all, want)
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func shown(rows []role.MemberRow) (out []string) {
	for _, m := range rows {
		name, _, _ := strings.Cut(m.Name, "@")
		if m.Through != "" {
			name = "(" + name + ")"
		}
		out = append(out, name)
	}
	return out
}

// Many who change the members of one role at once leave a count that is right, in few rows.
func TestCountsAreRightAfterManyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := w.role("crowded")
		var people []string
		for i := range 20 {
			people = append(people, w.user(fmt.Sprintf("p%02d", i)))
		}
		var wg sync.WaitGroup
		for i := range 12 {
			wg.Go(func() {
				rnd := rand.New(rand.NewPCG(uint64(i), 1))
				for range 25 {
					m := person(people[rnd.IntN(len(people))])
					w.try(func(ctx context.Context, c *call.Call) error {
						if rnd.IntN(3) == 0 {
							return w.roles.Remove(ctx, c, r, m)
						}
						return w.roles.Add(ctx, c, r, m)
					})
				}
			})
		}
		wg.Wait()
		w.compare(r, 7, false)
		rows := 0
		if err := w.db.SQL().QueryRow(fmt.Sprintf(`SELECT count(*) FROM role_tally WHERE tenant = '%s' AND role = '%s'`, w.id, r)).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		if rows > 250 {
			t.Errorf("%d rows of about 250 changes", rows)
		}
	})
}

// A program of an older version does not count.
func TestCountsAreMended(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r, s := w.role("r"), w.role("s")
		a, b := w.user("a"), w.user("b")
		w.add(nil, r, person(a), person(b))
		w.add(nil, s, person(a))
		for _, text := range []string{
			`DELETE FROM role_member WHERE tenant = '%s' AND role = '` + r + `' AND member = '` + a + `'`,
			`INSERT INTO role_member (tenant, role, kind, member, name_key, since, until, reason, granter) VALUES ('%s', '` + s + `', 'User', '` + b + `', 'b', 0, 0, '', '')`,
		} {
			if _, err := w.db.SQL().Exec(fmt.Sprintf(text, w.id)); err != nil {
				t.Fatal(err)
			}
		}
		n, err := w.roles.Mend(t.Context(), w.db)
		if err != nil || n < 2 {
			t.Fatal(n, err)
		}
		for _, x := range []struct {
			role string
			want int64
		}{{r, 1}, {s, 2}} {
			if got, all := w.page(grant.All(), x.role, role.Query{Size: 9}, 1); all != x.want {
				t.Errorf("%s of %d, want %d", got, all, x.want)
			}
		}
	})
}
