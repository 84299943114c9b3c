package collection

import (
	"context"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/report"
	"limen/internal/fold"
	"limen/internal/wire/redrock"
)

// Member names an object.
type Member struct {
	Table string // type of the object
	Key   string
}

// Stored lists the keys that a manual set keeps, sorted. The caller needs View on the set, and on no member. Faults:
// ErrNotFound, acl.ErrDenied, ErrManual.
func (s *Sets) Stored(ctx context.Context, c *call.Call, id string) (Set, []string, error) {
	set, _, err := s.need(ctx, c, id, acl.View)
	if err == nil && set.Kind != Manual {
		err = ErrManual
	}
	if err != nil {
		return Set{}, nil, err
	}
	keys, err := members.All(ctx, c.Tx, c.Tenant.ID, set.ID)
	return set, keys, err
}

// Found are the members of a set before it is known which of them the caller may view.
type Found struct {
	Set  Set
	Keys []string // of a dynamic set
}

// Seek finds the members of a dynamic set by its query, with the caller's rights. It reads outside transactions, through
// c.Snapshot. Faults: ErrNotFound, acl.ErrDenied, report.Faults.
func (s *Sets) Seek(ctx context.Context, c *call.Call, id string) (out Found, err error) {
	err = c.Snapshot(ctx, func() (err error) {
		out.Set, _, err = s.need(ctx, c, id, acl.View)
		return err
	})
	if err != nil || out.Set.Kind != Dynamic {
		return out, err
	}
	t, err := s.Type(out.Set.Object)
	if err != nil {
		return Found{}, err
	}
	key, err := s.key(c, t, out.Set.Script)
	if err != nil {
		return Found{}, err
	}
	a, err := s.Reports.Run(ctx, c, report.Ask{Script: out.Set.Script})
	if err != nil {
		return Found{}, err
	}
	at := slices.IndexFunc(a.Columns, func(col redrock.OutColumn) bool { return col.Name == key })
	seen := map[string]bool{}
	for _, row := range a.Rows {
		if k, ok := row[at].(string); ok && k != "" && !seen[k] {
			seen[k] = true
			out.Keys = append(out.Keys, k)
		}
	}
	return out, nil
}

// key is the column of a query that has the keys of a type's objects: the primary key of its table of reports, or a key to
// it. Faults: ErrScript, report.Scripts.
func (s *Sets) key(c *call.Call, t acl.Table, script string) (string, error) {
	if strings.TrimSpace(script) == "" {
		return "", ErrScript.At("sql").Say("A dynamic set needs a query.")
	}
	columns, err := s.Reports.Columns(c, script)
	if err != nil {
		return "", err
	}
	for _, col := range columns {
		if col.TableKey == redrock.Primary && col.TableName == t.Report || col.ForeignKey == t.Report && t.Report != "" {
			return col.Name, nil
		}
	}
	return "", ErrScript.At("sql").Say("The query must give the primary key of the table %s.", t.Report)
}

// Members are the members of a set that the caller may view, in the order of their keys, or of the query. Faults: ErrNotFound.
func (s *Sets) Members(ctx context.Context, c *call.Call, f Found) (acl.Table, []acl.Row, error) {
	set, _, err := s.need(ctx, c, f.Set.ID, acl.View) // it may be another by now
	if err != nil {
		return acl.Table{}, nil, err
	}
	keys := f.Keys
	if set.Kind == Manual {
		if keys, err = members.All(ctx, c.Tx, c.Tenant.ID, set.ID); err != nil {
			return acl.Table{}, nil, err
		}
	}
	t, err := s.Type(set.Object)
	if err != nil {
		return acl.Table{}, nil, err
	}
	rows, err := s.Lists.Viewable(ctx, c, t, keys)
	return t, rows, err
}

// Keys are the keys that manual sets keep, by set, in order; sets that are not among those given are left out.
func (s *Sets) Keys(ctx context.Context, c *call.Call, of []Set) (map[string][]string, error) {
	out := map[string][]string{}
	for _, set := range of {
		if set.Kind != Manual {
			continue
		}
		keys, err := members.All(ctx, c.Tx, c.Tenant.ID, set.ID)
		if err != nil {
			return nil, err
		}
		out[set.ID] = keys
	}
	return out, nil
}

// Shift adds members to a manual set, and takes others out of it. The caller needs Edit on the set and View on what they add;
// where the set gives rights on its members, they hold these on it, with Grant. What is in the set is added again without
// effect, and so is taken out what is not in it. Faults: ErrNotFound, acl.ErrDenied, ErrDynamic, ErrType, ErrMember,
// acl.ErrNotHeld, ErrTooMany.
func (s *Sets) Shift(ctx context.Context, c *call.Call, id string, add, gone []Member) error {
	set, o, err := s.locked(ctx, c, id, acl.Edit)
	if err == nil && set.Kind != Manual {
		err = ErrDynamic
	}
	if err != nil {
		return err
	}
	for _, m := range slices.Concat(add, gone) {
		if fold.Key(m.Table) != fold.Key(set.Object) {
			return ErrType.At("Table").Say("The members of this set are of type %s.", set.Object)
		}
	}
	noted(c, set)
	added, err := s.add(ctx, c, set, o, add)
	if err != nil {
		return err
	}
	var taken []string
	for _, m := range gone {
		n, err := leave.Do(ctx, c.Tx, c.Tenant.ID, set.ID, strings.TrimSpace(m.Key), strings.ToLower(strings.TrimSpace(m.Key)))
		if err != nil {
			return err
		}
		if n > 0 {
			taken = append(taken, m.Key)
		}
	}
	if c.Event != nil && len(added) > 0 {
		c.Event.Set("Added", added)
	}
	if c.Event != nil && len(taken) > 0 {
		c.Event.Set("Removed", taken)
	}
	if len(added)+len(taken) == 0 {
		return nil
	}
	if _, err = touch.Do(ctx, c.Tx, c.Now.UnixMilli(), c.Tenant.ID, set.ID); err != nil {
		return err
	}
	return s.Lists.Changed(ctx, c)
}

func (s *Sets) add(ctx context.Context, c *call.Call, set Set, o acl.Object, add []Member) (added []string, err error) {
	if len(add) == 0 {
		return nil, nil
	}
	t, err := s.Type(set.Object)
	if err != nil {
		return nil, err
	}
	for _, m := range add {
		rows, err := s.Lists.Viewable(ctx, c, t, []string{m.Key})
		if err == nil && len(rows) == 0 {
			err = ErrMember.At("Key")
		}
		if err != nil {
			return nil, err
		}
		if err := s.Lists.Admit(ctx, c, o, acl.Object{Table: t, Row: rows[0]}); err != nil {
			return nil, err
		}
		n, err := join.Do(ctx, c.Tx, c.Tenant.ID, set.ID, set.Object, rows[0].ID, c.Now.UnixMilli(), c.User())
		if err != nil {
			return nil, err
		}
		if n > 0 {
			added = append(added, rows[0].ID)
		}
	}
	n, err := size.One(ctx, c.Tx, c.Tenant.ID, set.ID)
	if err == nil && n > maxMembers {
		err = ErrTooMany.Say("A set may have %d members.", maxMembers)
	}
	return added, err
}

// RowGone takes an object that is deleted out of all sets.
func (s *Sets) RowGone(ctx context.Context, c *call.Call, table, key string) error {
	n, err := rowGone.Do(ctx, c.Tx, c.Tenant.ID, table, key)
	if err != nil || n == 0 {
		return err
	}
	return s.Lists.Changed(ctx, c)
}
