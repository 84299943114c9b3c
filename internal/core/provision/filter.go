package provision

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode"

	"limen/internal/call"
	"limen/internal/core/attribute"
	"limen/internal/core/detail"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fold"
	"limen/internal/wire/scim"
)

// field makes the condition of a comparison; of an attribute with several values what one of them must meet, whose
// comparisons name its sub-attributes. ok is false for what no index helps with, or what means nothing.
type field func(c *call.Call, f scim.Filter) (where dbx.Clause, ok bool)

// fields are what filters over a type may name, by Path.String.
type fields map[string]field

// clause makes a condition of a filter. Fault: ErrFilter.
func (fs fields) clause(c *call.Call, f scim.Filter) (dbx.Clause, error) {
	return each(f, func(f scim.Filter) (dbx.Clause, bool) {
		at := f.At
		if at.Attr.Multi {
			at.Sub, at.Where = nil, nil
		}
		of := fs[at.String()]
		if of == nil {
			return dbx.Clause{}, false
		}
		if !at.Attr.Multi {
			return of(c, f)
		}
		in := f
		switch {
		case f.Op == scim.Within:
			in = f.Of[0]
		case f.At.Sub != nil:
			in.At = scim.Path{Attr: f.At.Sub}
		default:
			in.At = scim.Path{Attr: f.At.Attr}
		}
		if f.Op == scim.Ne { // none of the values is that: also of somebody without any
			in.Op = scim.Eq
			where, ok := of(c, in)
			return dbx.Not(where), ok
		}
		return of(c, in)
	})
}

// each goes down to the comparisons of a filter.
func each(f scim.Filter, leaf func(scim.Filter) (dbx.Clause, bool)) (dbx.Clause, error) {
	if f.Op != scim.And && f.Op != scim.Or && f.Op != scim.Not {
		where, ok := leaf(f)
		if !ok {
			return where, ErrFilter.Say("%s cannot be filtered by %s here", f.At, f.Op)
		}
		return where, nil
	}
	of := make([]dbx.Clause, len(f.Of))
	for i := range f.Of {
		var err error
		if of[i], err = each(f.Of[i], leaf); err != nil {
			return of[i], err
		}
	}
	switch f.Op {
	case scim.And:
		return dbx.And(of...), nil
	case scim.Or:
		return dbx.Or(of...), nil
	}
	return dbx.Not(of[0]), nil
}

// compare is a comparison of a column that is never NULL with a value of its type. Empty text is none.
func compare(column string, op scim.Op, v any) (dbx.Clause, bool) {
	s, isText := v.(string)
	switch op {
	case scim.Pr:
		return dbx.Ne(column, ""), true
	case scim.Eq:
		return dbx.Eq(column, v), true
	case scim.Ne:
		return dbx.Ne(column, v), true
	case scim.Gt:
		return dbx.Gt(column, v), true
	case scim.Ge:
		return dbx.Ge(column, v), true
	case scim.Lt:
		return dbx.Lt(column, v), true
	case scim.Le:
		return dbx.Le(column, v), true
	case scim.Sw:
		return dbx.Prefix(column, s), isText
	case scim.Co:
		return dbx.Contains(column, s), isText
	case scim.Ew:
		return dbx.Suffix(column, s), isText
	}
	return dbx.Clause{}, false
}

// folded is what comparison keys are compared with. Of a part of a key the space at an end is looked for: keys have it within,
// and none at their own ends, so that nobody's begins or ends with it.
func folded(op scim.Op, s string) string {
	k := fold.Key(s)
	if op != scim.Sw && op != scim.Co && op != scim.Ew {
		return k
	}
	if k == "" && s != "" {
		return " "
	}
	if strings.TrimRightFunc(s, unicode.IsSpace) != s {
		k += " "
	}
	if strings.TrimLeftFunc(s, unicode.IsSpace) != s {
		k = " " + k
	}
	return k
}

// key is a field whose comparison key (fold.Key) is in a column.
func key(column string) field {
	return func(_ *call.Call, f scim.Filter) (dbx.Clause, bool) {
		s, _ := f.Arg.(string)
		return compare(column, f.Op, folded(f.Op, s))
	}
}

// exact is a field of texts as they are.
func exact(column string) field {
	return func(_ *call.Call, f scim.Filter) (dbx.Clause, bool) { return compare(column, f.Op, f.Arg) }
}

// moment is a field of milliseconds.
func moment(column string) field {
	return func(_ *call.Call, f scim.Filter) (dbx.Clause, bool) {
		at, ok := f.Arg.(time.Time)
		if f.Op == scim.Pr {
			return dbx.Clause{}, true
		}
		if !ok {
			return dbx.Clause{}, false
		}
		return compare(column, f.Op, at.UnixMilli())
	}
}

func active(_ *call.Call, f scim.Filter) (dbx.Clause, bool) {
	on, ok := f.Arg.(bool)
	if f.Op == scim.Pr {
		return dbx.Clause{}, true
	}
	if off := int64(0); ok && on == (f.Op == scim.Eq) {
		return dbx.Eq(user.Off, off), true
	}
	return dbx.Eq(user.Off, int64(1)), ok
}

// single is a field that is a detail of which there is one.
func single(kind detail.Kind) field {
	return func(c *call.Call, f scim.Filter) (dbx.Clause, bool) {
		op := f.Op
		if op == scim.Ne {
			op = scim.Eq
		}
		s, _ := f.Arg.(string)
		in, ok := compare(detail.Key, op, folded(op, s))
		where := detail.Having(c, "id", kind, in)
		if f.Op == scim.Ne {
			where = dbx.Not(where)
		}
		return where, ok
	}
}

// several is a field that is details of a kind.
func several(kind detail.Kind) field {
	return func(c *call.Call, f scim.Filter) (dbx.Clause, bool) {
		in, err := each(f, item)
		return detail.Having(c, "id", kind, dbx.And(dbx.Ne(detail.Key, ""), in)), err == nil
	}
}

// item is a comparison of one of several details.
func item(f scim.Filter) (dbx.Clause, bool) {
	s, _ := f.Arg.(string)
	switch f.At.Attr.Name {
	case "type":
		return compare(detail.Kinded, f.Op, s)
	case "primary":
		on, ok := f.Arg.(bool)
		return dbx.Eq(detail.Primed, on == (f.Op == scim.Eq)), ok
	case "display":
		return dbx.Clause{}, false
	}
	return compare(detail.Key, f.Op, folded(f.Op, s)) // the value, or whether there is any
}

// mails are the directory's address and those beside it.
func mails(c *call.Call, f scim.Filter) (dbx.Clause, bool) {
	main, err := each(f, func(f scim.Filter) (dbx.Clause, bool) { return mainMail(c, f) })
	if err != nil {
		return main, false
	}
	others, ok := several(detail.Mail)(c, f)
	either := dbx.Or(dbx.And(dbx.Ne("mail_key", ""), main), others)
	if k := sought(f); k != "" { // neither engine looks into two indexes for an OR, so it is told whom there can be at all
		either = dbx.And(dbx.InQuery("id", mailed, c.Tenant.ID, k, c.Tenant.ID, k), either)
	}
	return either, ok
}

// mailed are those who have a mail address, in either place.
var mailed = dbx.Q[string]("provision.mailed", `SELECT id FROM users WHERE tenant = ? AND mail_key = ?
	UNION ALL SELECT user_id FROM user_detail WHERE tenant = ? AND kind = 'mail' AND value_key = ?`)

// sought is the key of the value that somebody must have to meet a filter over values; empty where none is certain.
func sought(f scim.Filter) string {
	switch f.Op {
	case scim.Eq:
		if s, ok := f.Arg.(string); ok && (f.At.Attr.Name == "value" || f.At.Attr.Name == "emails") {
			return fold.Key(s)
		}
	case scim.And:
		for _, of := range f.Of {
			if k := sought(of); k != "" {
				return k
			}
		}
	}
	return ""
}

// mainMail is a comparison of the directory's address, which is the primary one. It is for work where nothing else is said.
func mainMail(c *call.Call, f scim.Filter) (dbx.Clause, bool) {
	s, _ := f.Arg.(string)
	said := func(where dbx.Clause) dbx.Clause {
		return detail.Having(c, "id", detail.Mail, dbx.And(dbx.Eq(detail.Key, ""), where))
	}
	switch f.At.Attr.Name {
	case "type":
		in, ok := compare(detail.Kinded, f.Op, s)
		where := said(in)
		if f.Match(scim.Object{"type": "work"}) {
			where = dbx.Or(where, dbx.Not(said(dbx.Clause{})))
		}
		return where, ok
	case "primary":
		on, ok := f.Arg.(bool)
		if f.Op == scim.Pr {
			return dbx.Clause{}, true
		}
		second := said(dbx.Eq(detail.Primed, false))
		if on == (f.Op == scim.Eq) {
			second = dbx.Not(second)
		}
		return second, ok
	case "display":
		return dbx.Clause{}, false
	}
	return compare("mail_key", f.Op, folded(f.Op, s))
}

// in is for the roles that a user is in.
func in(c *call.Call, f scim.Filter) (dbx.Clause, bool) {
	id, ok := f.Arg.(string)
	switch {
	case f.Op == scim.Eq && f.At.Attr.Name == "value" && ok:
		return role.Containing(c, "id", id), true
	default:
		return dbx.Clause{}, false
	}
}

func leads(c *call.Call, f scim.Filter) (dbx.Clause, bool) {
	id, _ := f.Arg.(string)
	switch {
	case f.Op == scim.Pr:
		return user.Led(c, ""), true
	case f.Op == scim.Eq && id != "":
		return user.Led(c, id), true
	case f.Op == scim.Ne && id != "":
		return dbx.Not(user.Led(c, id)), true
	}
	return dbx.Clause{}, false
}

func known(kind string) field {
	return func(c *call.Call, f scim.Filter) (dbx.Clause, bool) {
		op := f.Op
		if op == scim.Ne {
			op = scim.Eq
		}
		in, ok := compare(detail.Value, op, f.Arg)
		where := detail.KnownAs(c, "id", kind, in)
		if f.Op == scim.Ne {
			where = dbx.Not(where)
		}
		return where, ok
	}
}

// userFields are those of users, but for what a tenant defines.
var userFields = fields{
	"id": exact("id"), "externalId": known("User"), "userName": key("name_key"), "displayName": key("display_key"), "active": active,
	"meta.created": moment("created"), "meta.lastModified": moment("changed"),
	"emails": mails, "groups": in,
	"name.formatted": single(detail.Formatted), "name.givenName": single(detail.Given), "name.familyName": single(detail.Family),
	"name.middleName": single(detail.Middle), "nickName": single(detail.Nick), "title": single(detail.Title), "userType": single(detail.Type),
	"locale": single(detail.Locale), "timezone": single(detail.Zone), "ims": several(detail.IM), "entitlements": several(detail.Entitlement),
	"roles":                           several(detail.Role),
	EnterpriseURN + ":employeeNumber": single(detail.Employee), EnterpriseURN + ":costCenter": single(detail.CostCenter),
	EnterpriseURN + ":organization": single(detail.Organization), EnterpriseURN + ":division": single(detail.Division),
	EnterpriseURN + ":department": single(detail.Department), EnterpriseURN + ":manager.value": leads, EnterpriseURN + ":manager": leads,
}

// ownFields are those of the attributes that a tenant defines.
func ownFields(columns []attribute.Column) fields {
	out := fields{}
	for _, col := range columns {
		out[CustomURN+":"+col.Name] = func(c *call.Call, f scim.Filter) (dbx.Clause, bool) { return own(c, col, f) }
	}
	return out
}

func own(c *call.Call, col attribute.Column, f scim.Filter) (dbx.Clause, bool) {
	arg := f.Arg
	switch v := arg.(type) {
	case float64:
		arg = json.Number(strconv.FormatFloat(v, 'f', -1, 64))
	case time.Time:
		arg = scim.Time(v)
	}
	switch f.Op {
	case scim.Pr:
		return attribute.Any(c, "id", col), true
	case scim.Eq:
		return attribute.Equal(c, "id", col, arg)
	case scim.Ne:
		where, ok := attribute.Equal(c, "id", col, arg)
		return dbx.Not(where), ok
	case scim.Sw:
		s, ok := arg.(string)
		return attribute.Starting(c, "id", col, s), ok
	}
	return dbx.Clause{}, false
}
