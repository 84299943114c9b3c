package dynamic

import (
	"context"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/attribute"
	"limen/internal/dbx"
	"limen/internal/fold"
)

// rights stands among what a script reads when what the role carries matters to who is in it: because it reads what people
// change themselves.
const rights = "(rights)"

// ofOneself are the properties that people change of their own account, by what they edit or by what they do (users.yaml n 92).
var ofOneself = []string{"DisplayName", "Mail", "MobileNumber", "LastModifiedDate", "LastPasswordChangeDate", "Version"}

var readsOf = dbx.Q[string]("dynamic.readsOf", `SELECT name FROM role_script_read WHERE tenant = ? AND role = ? ORDER BY name`)

// editable are the properties that people change of themselves, by fold.Key.
func editable(ctx context.Context, c *call.Call) (map[string]string, error) {
	out := map[string]string{}
	for _, name := range ofOneself {
		out[fold.Key(name)] = name
	}
	columns, err := attribute.Attributes{}.Schema(ctx, c)
	for _, col := range columns {
		if col.Editable {
			out[fold.Key(col.Name)] = col.Name
		}
	}
	return out, err
}

// among gives those of names that people change themselves.
func among(own map[string]string, names []string) (out []string) {
	for _, name := range names {
		if is, ok := own[fold.Key(name)]; ok && !slices.Contains(out, is) {
			out = append(out, is)
		}
	}
	return out
}

// Chosen lists what a role's script is known to have read that people change themselves, so that they choose whether they are
// members.
func (s *Scripts) Chosen(ctx context.Context, c *call.Call, roleID string) ([]string, error) {
	names, err := readsOf.All(ctx, c.Tx, c.Tenant.ID, roleID)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	own, err := editable(ctx, c)
	return among(own, names), err
}

// Refused is Chosen unless the tenant lets such roles carry rights; role.Roles asks it.
func (s *Scripts) Refused(ctx context.Context, c *call.Call, roleID string) ([]string, error) {
	if free, err := s.free(ctx, c); err != nil || free {
		return nil, err
	}
	return s.Chosen(ctx, c, roleID)
}

// Own lists those of names that people change themselves.
func (s *Scripts) Own(ctx context.Context, c *call.Call, names []string) ([]string, error) {
	own, err := editable(ctx, c)
	return among(own, names), err
}

// Rated has scripts judge everybody for whom it matters what their roles carry.
func (s *Scripts) Rated(ctx context.Context, c *call.Call) error {
	return s.Note(ctx, c, everybody, rights)
}

// warn says in the event of a new script what people change themselves that its text names, and which rights hang on it.
func (s *Scripts) warn(ctx context.Context, c *call.Call, roleID, text string) error {
	own, err := editable(ctx, c)
	if err != nil || c.Event == nil {
		return err
	}
	var named []string
	for _, name := range own {
		if strings.Contains(fold.Key(text), fold.Key(name)) {
			named = append(named, name)
		}
	}
	if len(named) == 0 {
		return nil
	}
	carries, err := s.Roles.Endows(ctx, c, roleID)
	if err != nil || len(carries) == 0 {
		return err
	}
	slices.Sort(named)
	c.Event.Set("SelfEditable", named)
	c.Event.Set("Rights", carries)
	return nil
}

// limits is what keeps people from choosing a role that carries rights.
type limits struct {
	own   map[string]string // what people change themselves
	rated bool              // the role carries rights, and the tenant does not let people choose it
}

func (s *Scripts) limits(ctx context.Context, c *call.Call, roleID string) (l limits, err error) {
	if l.own, err = editable(ctx, c); err != nil {
		return l, err
	}
	free, err := s.free(ctx, c)
	if err != nil || free {
		return l, err
	}
	carries, err := s.Roles.Endows(ctx, c, roleID)
	l.rated = len(carries) > 0
	return l, err
}

func (s *Scripts) free(ctx context.Context, c *call.Call) (bool, error) {
	if s.Free == nil {
		return false, nil
	}
	return s.Free(ctx, c)
}

// chosen says why somebody whom a script took for a member is none; empty: they are.
func (l limits) chosen(v *Verdict) string {
	if !l.rated || v.Member == nil || !*v.Member {
		return ""
	}
	by := among(l.own, v.Read)
	if slices.Contains(v.Read, all) {
		by = append(by, "everything")
	}
	if len(by) == 0 {
		return ""
	}
	return "is no member: the role carries rights, and the script reads what people may change themselves: " + strings.Join(by, ", ")
}
