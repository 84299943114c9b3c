package outbound

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"limen/internal/call"
	"limen/internal/core/provision"
	"limen/internal/core/role"
	"limen/internal/dbx"
	"limen/internal/wire/scim"
)

type memberRow struct {
	Role   string `db:"role"`
	User   string `db:"user_id"`
	Remote string `db:"remote"`
	Wanted bool   `db:"wanted"`
	There  bool   `db:"there"`
}

var (
	membersOf = dbx.Q[memberRow]("outbound.members_of", `SELECT role, user_id, remote, wanted, there FROM outbound_member WHERE tenant = ? AND app = ? AND user_id = ?`)
	openOnes  = dbx.Q[memberRow]("outbound.open_members", `SELECT role, user_id, remote, wanted, there FROM outbound_member
		WHERE tenant = ? AND app = ? AND role = ? AND wanted <> there ORDER BY user_id LIMIT ?`)
	wantedOnes = dbx.Q[memberRow]("outbound.wanted_members", `SELECT role, user_id, remote, wanted, there FROM outbound_member
		WHERE tenant = ? AND app = ? AND role = ? AND (wanted OR there) ORDER BY user_id`)
	putMember = dbx.E("outbound.put_member", `INSERT INTO outbound_member (tenant, app, role, user_id, remote, wanted, there) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, app, role, user_id) DO UPDATE SET remote = excluded.remote, wanted = excluded.wanted, there = excluded.there`)
	toldMember  = dbx.E("outbound.told_member", `UPDATE outbound_member SET there = ? WHERE tenant = ? AND app = ? AND role = ? AND user_id = ? AND remote = ?`)
	leftMembers = dbx.E("outbound.left_members", `DELETE FROM outbound_member WHERE tenant = ? AND app = ? AND role = ? AND wanted = ? AND there = ?`)
	dropMember  = dbx.E("outbound.drop_member", `DELETE FROM outbound_member WHERE tenant = ? AND app = ? AND role = ? AND user_id = ?`)
	dropGroup   = dbx.E("outbound.drop_group", `DELETE FROM outbound_member WHERE tenant = ? AND app = ? AND role = ?`)
	dropMembers = dbx.E("outbound.drop_members", `DELETE FROM outbound_member WHERE tenant = ? AND app = ?`)
	noneThere   = dbx.E("outbound.none_there", `UPDATE outbound_member SET there = ? WHERE tenant = ? AND app = ? AND role = ? AND there = ?`)
	touchGroup  = dbx.E("outbound.touch_group", `UPDATE outbound_account SET token = ?, due = ? WHERE tenant = ? AND app = ? AND kind = 'Group' AND object = ?`)
)

// chunk is how many members one request names.
const chunk = 100

// join notes, in the transaction that settles somebody's account, in which groups they are to be.
func (o *Outbound) join(ctx context.Context, c *call.Call, t *Target, a *account, roles []string) error {
	have, err := membersOf.All(ctx, c.Tx, t.tenant, t.App, a.Object)
	if err != nil {
		return err
	}
	groups := map[string]bool{} // whether they are to be in it
	for _, g := range t.Settings.Groups {
		groups[g.Role] = a.There == Active && slices.Contains(roles, g.Role)
	}
	for _, m := range have {
		want := groups[m.Role]
		delete(groups, m.Role)
		switch {
		case m.Remote != a.Remote && a.Remote == "": // the service forgets who is not there
			_, err = dropMember.Do(ctx, c.Tx, t.tenant, t.App, m.Role, a.Object)
		case m.Remote != a.Remote, m.Wanted != want:
			err = o.member(ctx, c, t, memberRow{m.Role, a.Object, a.Remote, want, m.There && m.Remote == a.Remote})
		}
		if err != nil {
			return err
		}
	}
	for id, want := range groups {
		if !want {
			continue
		}
		if err := o.member(ctx, c, t, memberRow{id, a.Object, a.Remote, true, false}); err != nil {
			return err
		}
	}
	return nil
}

func (o *Outbound) member(ctx context.Context, c *call.Call, t *Target, m memberRow) error {
	if _, err := putMember.Do(ctx, c.Tx, t.tenant, t.App, m.Role, m.User, m.Remote, m.Wanted, m.There); err != nil {
		return err
	}
	_, err := touchGroup.Do(ctx, c.Tx, c.NewID(), o.now().Add(debounce).UnixMilli(), t.tenant, t.App, m.Role)
	return err
}

// group has a group be there as its role is.
func (o *Outbound) group(ctx context.Context, t *Target, a *account) ([]*call.Event, error) {
	r := remote{o, t}
	want, name, err := o.groupName(ctx, t, a.Object)
	if err != nil {
		return nil, err
	}
	if !want {
		return r.removeGroup(ctx, a)
	}
	a.Name = name
	resource := scim.Object{"schemas": []any{provision.GroupURN}, "displayName": name, "externalId": a.Object}
	events, err := r.keepGroup(ctx, a, resource)
	if err != nil {
		return events, err
	}
	more, err := r.members(ctx, a, resource)
	return append(events, more...), err
}

// groupName is what a role is called there; no role that is none, or is no group any more.
func (o *Outbound) groupName(ctx context.Context, t *Target, roleID string) (want bool, name string, err error) {
	i := slices.IndexFunc(t.Settings.Groups, func(g Group) bool { return g.Role == roleID })
	if i < 0 {
		return false, "", nil
	}
	err = o.DB.Read(ctx, func(tx *dbx.Tx) error {
		c := o.Call(t.tenant)
		c.Tx = tx
		r, err := role.Find(ctx, c, roleID)
		want, name = err == nil, r.Name
		if errors.Is(err, role.ErrNotFound) {
			return nil
		}
		return err
	})
	if t.Settings.Groups[i].Name != "" {
		name = t.Settings.Groups[i].Name
	}
	return want, name, err
}

// keepGroup finds, makes or renames a group; its members are another matter.
func (r remote) keepGroup(ctx context.Context, a *account, want scim.Object) ([]*call.Event, error) {
	if a.Remote == "" {
		found, err := r.matchGroup(ctx, a, want)
		if err != nil {
			return nil, err
		}
		if !found {
			s, err := r.ask(ctx, http.MethodPost, endpoint(KindGroup), want, "")
			if err != nil {
				return nil, err
			}
			if s.id == "" {
				return nil, &failure{class: Server, status: s.Status, why: "The service made a group and does not say which."}
			}
			a.Remote = s.id
			if err := r.forgetMembers(ctx, a); err != nil {
				return nil, err
			}
			return []*call.Event{event("create", nil)}, a.acknowledged(want, Active)
		}
	}
	ds := scim.Differences(a.last(), want)
	if len(ds) == 0 {
		a.There = Active
		return nil, nil
	}
	_, err := r.ask(ctx, http.MethodPatch, at(KindGroup, a.Remote), scim.Object{"schemas": []any{scim.PatchURN}, "Operations": ds}, "")
	if err != nil {
		return nil, r.lost(ctx, a, err)
	}
	return []*call.Event{event("change", nil)}, a.acknowledged(want, Active)
}

// lost forgets a group that is not there any more, so that the next try makes it.
func (r remote) lost(ctx context.Context, a *account, err error) error {
	if status(err) != http.StatusNotFound {
		return err
	}
	a.Remote, a.ETag, a.Sent, a.There = "", "", "", ""
	if err := r.forgetMembers(ctx, a); err != nil {
		return err
	}
	return &failure{class: Server, why: "The group was removed by somebody else."}
}

// forgetMembers says that a group has no members, as one that is new.
func (r remote) forgetMembers(ctx context.Context, a *account) error {
	return r.o.DB.Write(ctx, func(tx *dbx.Tx) error {
		_, err := noneThere.Do(ctx, tx, false, r.t.tenant, r.t.App, a.Object, true)
		return err
	})
}

func (r remote) matchGroup(ctx context.Context, a *account, want scim.Object) (bool, error) {
	found, err := r.find(ctx, KindGroup, ByExternalID, a.Object)
	if err != nil && !unfilterable(err) {
		return false, err
	}
	for _, o := range found {
		if id, _ := o["externalId"].(string); err == nil && id == a.Object {
			return true, r.take(a, o, want)
		}
	}
	name, _ := want["displayName"].(string)
	if found, err = r.find(ctx, KindGroup, "displayName", name); err != nil || len(found) == 0 {
		return false, err
	}
	if len(found) > 1 {
		return false, &failure{class: Taken, why: "The service has several groups with this displayName."}
	}
	return true, r.adopt(a, found[0], "displayName", want)
}

// members tells who joined and left.
func (r remote) members(ctx context.Context, a *account, want scim.Object) (events []*call.Event, err error) {
	if r.t.Settings.Method == Put {
		return nil, r.putMembers(ctx, a, want)
	}
	for {
		var open []memberRow
		err := r.o.DB.Read(ctx, func(tx *dbx.Tx) (err error) {
			open, err = openOnes.All(ctx, tx, r.t.tenant, r.t.App, a.Object, chunk)
			return err
		})
		if err != nil || len(open) == 0 {
			return events, err
		}
		body := scim.Object{"schemas": []any{scim.PatchURN}, "Operations": operations(open)}
		if _, err := r.ask(ctx, http.MethodPatch, at(KindGroup, a.Remote), body, ""); err != nil {
			return events, r.lost(ctx, a, err)
		}
		if err := r.joined(ctx, a, open); err != nil {
			return events, err
		}
		e := event("members", nil)
		e.Set("Members", len(open))
		events = append(events, e)
	}
}

// operations are those of a PATCH that has people join and leave.
func operations(open []memberRow) (out []scim.Difference) {
	var add []any
	for _, m := range open {
		if m.Wanted {
			add = append(add, scim.Object{"value": m.Remote})
		} else {
			out = append(out, scim.Difference{Op: "remove", Path: "members[value eq " + scim.Quoted(m.Remote) + "]"})
		}
	}
	if len(add) > 0 {
		out = append(out, scim.Difference{Op: "add", Path: "members", Value: add})
	}
	return out
}

// joined notes what was acknowledged of members.
func (r remote) joined(ctx context.Context, a *account, ms []memberRow) error {
	return r.o.DB.Write(ctx, func(tx *dbx.Tx) error {
		for _, m := range ms {
			if _, err := toldMember.Do(ctx, tx, m.Wanted, r.t.tenant, r.t.App, a.Object, m.User, m.Remote); err != nil {
				return err
			}
		}
		_, err := leftMembers.Do(ctx, tx, r.t.tenant, r.t.App, a.Object, false, false)
		return err
	})
}

// putMembers replaces a group with all of its members, where one joined or left.
func (r remote) putMembers(ctx context.Context, a *account, want scim.Object) error {
	var all []memberRow
	err := r.o.DB.Read(ctx, func(tx *dbx.Tx) (err error) {
		all, err = wantedOnes.All(ctx, tx, r.t.tenant, r.t.App, a.Object)
		return err
	})
	if err != nil || !slices.ContainsFunc(all, func(m memberRow) bool { return m.Wanted != m.There }) {
		return err
	}
	in := []any{}
	for _, m := range all {
		if m.Wanted {
			in = append(in, scim.Object{"value": m.Remote})
		}
	}
	body := scim.Object{"id": a.Remote, "members": in}
	for name, v := range want {
		body[name] = v
	}
	if _, err := r.ask(ctx, http.MethodPut, at(KindGroup, a.Remote), body, ""); err != nil {
		return r.lost(ctx, a, err)
	}
	return r.joined(ctx, a, all)
}

// removeGroup deletes the group of a role that is none any more, where those who lose the application are deleted, too; else it stays.
func (r remote) removeGroup(ctx context.Context, a *account) ([]*call.Event, error) {
	var events []*call.Event
	if r.t.Settings.Loss == Delete && a.Remote != "" {
		_, err := r.ask(ctx, http.MethodDelete, at(KindGroup, a.Remote), nil, "")
		if s := status(err); err != nil && s != http.StatusNotFound {
			return nil, err
		}
		events = append(events, event("remove", nil))
	}
	a.Remote, a.ETag, a.Sent, a.There = "", "", "", ""
	return events, r.o.DB.Write(ctx, func(tx *dbx.Tx) error {
		_, err := dropGroup.Do(ctx, tx, r.t.tenant, r.t.App, a.Object)
		return err
	})
}
