package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"
)

// crowd is how many people dynamic roles are computed of.
const crowd = 1200

// killPasses kills the program while scripts judge everybody and people change at the same time: when all is settled, the members
// are those that a computation from nothing gives, and the events tell how they came to be.
func killPasses(ctx context.Context, p place, rounds int) (cut int, err error) {
	st, done, err := p.set(ctx)
	if err != nil {
		return 0, err
	}
	defer done()
	m := &membership{stage: st}
	if err := m.begin(ctx); err != nil {
		return 0, err
	}
	for round := 1; round <= rounds; round++ {
		n, err := m.round(ctx, round)
		if err != nil {
			return cut, fmt.Errorf("recomputation %d: %w\nserver's log:\n%s", round, err, st.server.Log(20))
		}
		cut += n
	}
	return cut, st.server.Stop()
}

// membership are two dynamic roles, of which one asks for a static one.
type membership struct {
	*stage
	people []string // ids
	length int      // the remainder of a display name's length that makes a member of Long
}

func (m *membership) begin(ctx context.Context) error {
	for _, r := range []map[string]any{{"Name": "Picked"}, {"Name": "Long", "RoleType": "Script"}, {"Name": "Chosen", "RoleType": "Script"}} {
		if err := m.ask(ctx, "/Roles/StoreRole", r, nil); err != nil {
			return err
		}
	}
	if err := m.submitNames(ctx); err != nil {
		return err
	}
	if err := m.each(ctx, `SELECT id FROM users WHERE name LIKE 'm%'`, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		m.people = append(m.people, id)
		return err
	}); err != nil {
		return err
	}
	if len(m.people) != crowd {
		return fmt.Errorf("there are %d people", len(m.people))
	}
	script := `return User.InRoleByNames(['Picked']) && User.DisplayName.length % 3 != 0`
	return m.ask(ctx, "/Roles/SetDynamicRoleScript", map[string]any{"ID": "Chosen", "Script": script}, nil)
}

// submitNames makes the people, from the command line's own import.
func (m *membership) submitNames(ctx context.Context) error {
	var table strings.Builder
	table.WriteString("Login Name,Email Address,Display Name\n")
	for i := range crowd {
		fmt.Fprintf(&table, "m%d@%s,m@example.com,%s\n", i, m.suffix, strings.Repeat("x", 1+i%20))
	}
	if err := m.upload(ctx, table.String()); err != nil {
		return err
	}
	return m.await(ctx, "the import", m.job("state"), "done")
}

// round sets a script anew, changes people meanwhile, and kills the program, once or twice.
func (m *membership) round(ctx context.Context, round int) (cut int, err error) {
	m.length = round % 4
	script := fmt.Sprintf(`return User.DisplayName.length %% 4 == %d;`, m.length)
	if err := m.ask(ctx, "/Roles/SetDynamicRoleScript", map[string]any{"ID": "Long", "Script": script}, nil); err != nil {
		return 0, err
	}
	for blow := range 1 + round%2 {
		stop := m.disturb(ctx)
		err := m.strike(ctx, 600*time.Millisecond, round%5 == 0)
		stop()
		if err != nil {
			return cut, err
		}
		pending := 0
		if err := m.db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM role_script WHERE wanted <> done) +
			(SELECT count(*) FROM role_script_person WHERE due <> 0)`).Scan(&pending); err != nil {
			return cut, err
		}
		if pending > 0 {
			cut++
		}
		fmt.Fprintf(m.out, "recomputation %d, blow %d: %d passes and people were left\n", round, blow+1, pending)
	}
	if err := m.await(ctx, "passes", `SELECT CAST(count(*) AS TEXT) FROM role_script WHERE wanted <> done`, "0"); err != nil {
		return cut, err
	}
	if err := m.await(ctx, "people", `SELECT CAST(count(*) AS TEXT) FROM role_script_person WHERE due <> 0`, "0"); err != nil {
		return cut, err
	}
	return cut, errors.Join(m.exact(ctx), m.told(ctx), verified(ctx, m.server))
}

// disturb changes names and the static role until stop. Calls that a blow leaves without an answer may have happened or not: the
// store says which.
func (m *membership) disturb(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	client := *m.admin
	client.Patient = false
	for range 2 {
		wg.Go(func() {
			for ctx.Err() == nil {
				id := m.people[rand.IntN(len(m.people))]
				if rand.IntN(3) > 0 {
					_, _ = client.Post(ctx, "/CDirectoryService/ChangeUser", map[string]any{"ID": id, "DisplayName": strings.Repeat("y", 1+rand.IntN(20))})
				} else {
					what := []string{"Add", "Delete"}[rand.IntN(2)]
					_, _ = client.Post(ctx, "/Roles/UpdateRole", map[string]any{"Name": "Picked", "Users": map[string]any{what: []string{id}}})
				}
				time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
			}
		})
	}
	return func() { cancel(); wg.Wait() }
}

// exact compares the members with a computation from nothing.
func (m *membership) exact(ctx context.Context) (all error) {
	err := m.each(ctx, `SELECT u.name, u.display,
		(SELECT count(*) FROM role_member x JOIN role r ON r.tenant = x.tenant AND r.id = x.role WHERE r.name = 'Picked' AND x.tenant = u.tenant AND x.member = u.id),
		(SELECT count(*) FROM role_member x JOIN role r ON r.tenant = x.tenant AND r.id = x.role WHERE r.name = 'Long' AND x.tenant = u.tenant AND x.member = u.id),
		(SELECT count(*) FROM role_member x JOIN role r ON r.tenant = x.tenant AND r.id = x.role WHERE r.name = 'Chosen' AND x.tenant = u.tenant AND x.member = u.id)
		FROM users u`, func(scan func(...any) error) error {
		var name, display string
		var picked, long, chosen int
		if err := scan(&name, &display, &picked, &long, &chosen); err != nil {
			return err
		}
		if want := len([]rune(display))%4 == m.length; want != (long == 1) {
			all = errors.Join(all, fmt.Errorf("%s with a name of %d letters is in Long: %v", name, len(display), long == 1))
		}
		if want := picked == 1 && len([]rune(display))%3 != 0; want != (chosen == 1) {
			all = errors.Join(all, fmt.Errorf("%s (picked: %v) with a name of %d letters is in Chosen: %v", name, picked == 1, len(display), chosen == 1))
		}
		return nil
	})
	return errors.Join(err, all)
}

// told wants the events of the dynamic roles to add up to their members: nobody is made or left without one, and none tells of
// what was rolled back.
func (m *membership) told(ctx context.Context) error {
	sum := map[string]int{} // role and person
	err := m.each(ctx, `SELECT e.target, e.fields FROM event e JOIN role r ON r.tenant = e.tenant AND r.id = e.target AND r.kind = 'Script'
		WHERE e.type = 'Cloud.Core.RoleMembers'`, func(scan func(...any) error) error {
		var role, text string
		var fields struct{ Added, Removed []string }
		err := scan(&role, &text)
		if err == nil {
			err = json.Unmarshal([]byte(text), &fields)
		}
		for _, id := range fields.Added {
			sum[role+" "+id]++
		}
		for _, id := range fields.Removed {
			sum[role+" "+id]--
		}
		return err
	})
	if err != nil {
		return err
	}
	err = m.each(ctx, `SELECT x.role, x.member FROM role_member x JOIN role r ON r.tenant = x.tenant AND r.id = x.role AND r.kind = 'Script'`, func(scan func(...any) error) error {
		var role, id string
		err := scan(&role, &id)
		sum[role+" "+id]--
		return err
	})
	for who, n := range sum {
		if n != 0 {
			err = errors.Join(err, errors.New(who+": the events and the members differ by "+strconv.Itoa(n)))
		}
	}
	return err
}
