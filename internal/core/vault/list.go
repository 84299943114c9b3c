package vault

import (
	"context"
	"errors"
	"strings"

	"limen/internal/call"
	"limen/internal/core/detail"
	"limen/internal/core/grant"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fold"
	"limen/internal/wire/pvwa"
)

// Query asks for users.
type Query struct {
	Type      string // name of a type; empty: any
	Component *bool  // whether they are programs; nil: any
	Name      string // user name; empty: any
	Status    string // Active, Disabled or Suspended; empty: any
	Source    string // CyberArk or LDAP; empty: any
	Search    string // words, each to be found in user name, first or last name
	Sort      []pvwa.Order
	Extended  bool  // groups, states, and where people work
	Offset    int64 // users left out before the page
	Size      int   // most users of the page; 0: all

	nobody bool // is suspended
}

// Fields of filters and orders.
var (
	FilterFields = []string{"userType", "componentUser", "userName"}
	SortFields   = []string{"username", "source", "userType", "location", "lastname", "firstname", "middlename"}
	statuses     = []string{"Active", "Disabled", "Suspended"}
)

// MaxUsers is how many users one answer has at most.
const MaxUsers = 100_000

// row is a user as lists read it.
type row struct {
	ID      string `db:"id"`
	Number  int64  `db:"number"`
	Name    string `db:"name"`
	NameKey string `db:"name_key"`
	Org     string `db:"org"`
	Service bool   `db:"service"`
	Off     bool   `db:"off"`
	Type    string `db:"user_type"`
	TypeKey string `db:"type_key"`
	Barred  string `db:"interfaces"`
	Allowed string `db:"allowed"`
}

// The type is the profile's where that fits what the directory says, as Profile.of has it.
var (
	kindOf = `CASE WHEN v.user_type IS NOT NULL AND (v.user_type IN (` + components() + `)) = u.service
		THEN v.user_type WHEN u.service THEN '` + Program + `' ELSE '` + Person + `' END`
	selected = `SELECT u.id AS id, n.number AS number, u.name AS name, u.name_key AS name_key, u.org AS org, u.service AS service,
		u.disabled OR u.suspended OR u.locked OR u.cloud_locked AS off, ` + kindOf + ` AS user_type, lower(` + kindOf + `) AS type_key,
		COALESCE(v.interfaces, '') AS interfaces, COALESCE(v.allowed, '') AS allowed`
	from = ` FROM users u JOIN object_number n ON n.tenant = u.tenant AND n.kind = 'User' AND n.object = u.id
		LEFT JOIN vault_user v ON v.tenant = u.tenant AND v.user_id = u.id`
)

var (
	listed = dbx.L[row]("vault.users", selected+from+` WHERE u.tenant = ?`)
	bare   = dbx.L[counted]("vault.counted", `SELECT u.id AS id, u.name_key AS name_key, u.org AS org, u.service AS service,
		u.disabled OR u.suspended OR u.locked OR u.cloud_locked AS off FROM users u WHERE u.tenant = ?`)
	// Names and places are joined for orders by them alone.
	sorted = dbx.L[ordered]("vault.sorted", selected+`, COALESCE(g.value_key, '') AS given_key,
		COALESCE(m.value_key, '') AS middle_key, COALESCE(f.value_key, '') AS family_key, COALESCE(o.path_key, '') AS place_key`+
		from+` LEFT JOIN user_detail g ON g.tenant = u.tenant AND g.user_id = u.id AND g.kind = 'name.given' AND g.ord = 0
		LEFT JOIN user_detail m ON m.tenant = u.tenant AND m.user_id = u.id AND m.kind = 'name.middle' AND m.ord = 0
		LEFT JOIN user_detail f ON f.tenant = u.tenant AND f.user_id = u.id AND f.kind = 'name.family' AND f.ord = 0
		LEFT JOIN org o ON o.tenant = u.tenant AND o.id = u.org WHERE u.tenant = ?`)
)

// counted is what conditions are about besides the type.
type counted struct {
	ID      string `db:"id"`
	NameKey string `db:"name_key"`
	Org     string `db:"org"`
	Service bool   `db:"service"`
	Off     bool   `db:"off"`
}

// ordered is a row with what it can be sorted by besides.
type ordered struct {
	row
	Given  string `db:"given_key"`
	Middle string `db:"middle_key"`
	Family string `db:"family_key"`
	Place  string `db:"place_key"`
}

// columns of orders; all users have one source.
var columns = map[string]string{
	"username": "name_key", "userType": "type_key", "location": "place_key", "lastname": "family_key", "firstname": "given_key", "middlename": "middle_key",
}

// order is the columns that a query is sorted by, and whether others than those of listed are among them. Login names are unique, and
// come last.
func (q Query) order() (out []dbx.Order, joins bool) {
	for _, o := range q.Sort {
		col := columns[o.Name]
		if col == "" {
			continue
		}
		out = append(out, dbx.Order{Column: col, Desc: o.Desc})
		if col == "name_key" {
			return out, joins
		}
		joins = joins || col != "type_key"
	}
	return append(out, dbx.Order{Column: "name_key"}), joins
}

// where is the condition of a query. Faults: ErrValue.
func (v *Vault) where(ctx context.Context, c *call.Call, g grant.Grant, q Query) (dbx.Clause, error) {
	and := []dbx.Clause{user.AllowedBy(c, g, "org", "id")}
	if q.Type != "" {
		and = append(and, dbx.Eq("type_key", strings.ToLower(q.Type)))
	}
	if q.Component != nil {
		and = append(and, dbx.Eq("service", *q.Component))
	}
	if q.Name != "" {
		full, err := v.Full(ctx, c, q.Name)
		if err != nil {
			return dbx.Clause{}, err
		}
		and = append(and, dbx.Eq("name_key", fold.Key(full)))
	}
	if q.Source != "" && !strings.EqualFold(q.Source, source) {
		if !strings.EqualFold(q.Source, "LDAP") {
			return dbx.Clause{}, ErrValue.At("source").Say("source can be CyberArk or LDAP.")
		}
		and = append(and, dbx.Or()) // nobody
	}
	switch strings.ToLower(q.Status) {
	case "":
	case "active":
		and = append(and, dbx.Eq("off", false))
	case "suspended":
		if and = append(and, dbx.Eq("off", false)); q.nobody {
			and = append(and, dbx.Or())
		}
	case "disabled":
		and = append(and, dbx.Eq("off", true))
	default:
		return dbx.Clause{}, ErrValue.At("userStatus").Say("userStatus can be %s.", strings.Join(statuses, ", "))
	}
	for word := range strings.FieldsSeq(q.Search) {
		and = append(and, v.worded(c, word))
	}
	return dbx.And(and...), nil
}

// worded holds for those in whose user name, first or last name a word is.
func (v *Vault) worded(c *call.Call, word string) dbx.Clause {
	key := fold.Key(word)
	in := dbx.Contains(detail.Key, key)
	return dbx.Or(dbx.Contains("name_key", key), detail.Having(c, "id", detail.Given, in), detail.Having(c, "id", detail.Family, in))
}

// Users gives the users that a query finds, as far as the grant allows. Faults: ErrValue, ErrMany.
func (v *Vault) Users(ctx context.Context, c *call.Call, g grant.Grant, q Query) (out pvwa.Users, err error) {
	out.Users = []pvwa.Listed{}
	if g.Nothing() {
		return out, nil
	}
	if q.inMemory() {
		some, err := v.Throttle.Refuses(ctx, c)
		if err != nil {
			return out, err
		}
		q.nobody = !some
	}
	where, err := v.where(ctx, c, g, q)
	if err != nil {
		return out, err
	}
	rows, total, err := q.rows(ctx, c, where)
	if err != nil {
		return out, err
	}
	rows, locked, err := v.states(ctx, c, q, rows)
	if err != nil {
		return out, err
	}
	if q.inMemory() {
		total = int64(len(rows))
		rows = rows[min(q.Offset, total):]
		if q.Size > 0 {
			rows = rows[:min(q.Size, len(rows))]
		}
	}
	out.Total = total
	out.Users, err = v.shown(ctx, c, q, rows, locked)
	return out, err
}

// inMemory says whether a page is cut of what is read: who is suspended is kept under a digest of the name, which no statement can find
// for all people. Where nobody is, none is needed.
func (q Query) inMemory() bool {
	return !q.nobody && q.Status != "" && !strings.EqualFold(q.Status, "disabled")
}

// rows reads a page, or everybody, and counts all.
func (q Query) rows(ctx context.Context, c *call.Call, where dbx.Clause) (out []row, total int64, err error) {
	order, joins := q.order()
	limit, offset := q.Size, q.Offset
	if limit == 0 || q.inMemory() {
		limit = MaxUsers
	}
	if q.inMemory() {
		offset = 0
	}
	at := where
	if joins {
		var rows []ordered
		if at, err = behind(ctx, c, sorted, at, order, offset, func(r ordered) []any { return r.values(order) }); err == nil {
			rows, err = sorted.Rows(ctx, c.Tx, at, order, limit, c.Tenant.ID)
		}
		for _, r := range rows {
			out = append(out, r.row)
		}
	} else if at, err = behind(ctx, c, listed, at, order, offset, func(r row) []any { return ordered{row: r}.values(order) }); err == nil {
		out, err = listed.Rows(ctx, c.Tx, at, order, limit, c.Tenant.ID)
	}
	if errors.Is(err, dbx.ErrNoRow) { // the offset is behind the last
		err = nil
	}
	if err != nil {
		return nil, 0, err
	}
	if total = offset + int64(len(out)); len(out) == 0 && offset > 0 || len(out) == limit {
		total, err = q.count(ctx, c, where)
		if err == nil && q.Size == 0 && total > offset+MaxUsers {
			err = ErrMany.Say("%d users are too many for one answer. Ask for pages with pageOffset and pageSize.", total)
		}
	}
	return out, total, err
}

// count counts all that a condition finds; without what is joined where the condition is not about it.
func (q Query) count(ctx context.Context, c *call.Call, where dbx.Clause) (int64, error) {
	if q.Type == "" {
		return bare.Count(ctx, c.Tx, where, c.Tenant.ID)
	}
	return listed.Count(ctx, c.Tx, where, c.Tenant.ID)
}

// behind is the condition for what follows a number of rows.
func behind[R any](ctx context.Context, c *call.Call, l dbx.List[R], where dbx.Clause, order []dbx.Order, offset int64, values func(R) []any) (dbx.Clause, error) {
	if offset == 0 {
		return where, nil
	}
	last, err := l.At(ctx, c.Tx, where, order, offset-1, c.Tenant.ID)
	if err != nil {
		return where, err
	}
	return dbx.And(where, dbx.After(order, values(last)...)), nil
}

// values are a row's in the columns of an order.
func (r ordered) values(order []dbx.Order) []any {
	out := make([]any, len(order))
	for i, o := range order {
		switch o.Column {
		case "name_key":
			out[i] = r.NameKey
		case "type_key":
			out[i] = r.TypeKey
		case "given_key":
			out[i] = r.Given
		case "middle_key":
			out[i] = r.Middle
		case "family_key":
			out[i] = r.Family
		case "place_key":
			out[i] = r.Place
		}
	}
	return out
}

// states finds who is suspended, and leaves those whom the query wants.
func (v *Vault) states(ctx context.Context, c *call.Call, q Query, rows []row) ([]row, map[string]bool, error) {
	if !q.Extended && !q.inMemory() {
		return rows, nil, nil
	}
	names := make([]string, len(rows))
	for i := range rows {
		names[i] = rows[i].Name
	}
	locked, err := v.Throttle.Locked(ctx, c, names...)
	if err != nil || !q.inMemory() {
		return rows, locked, err
	}
	want, left := strings.EqualFold(q.Status, "suspended"), rows[:0]
	for _, r := range rows {
		if locked[r.Name] == want {
			left = append(left, r)
		}
	}
	return left, locked, nil
}

// shown makes of rows what is answered.
func (v *Vault) shown(ctx context.Context, c *call.Call, q Query, rows []row, locked map[string]bool) ([]pvwa.Listed, error) {
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	names, err := v.names(ctx, c, q, ids)
	if err != nil {
		return nil, err
	}
	short, err := v.shorter(ctx, c)
	if err != nil {
		return nil, err
	}
	paths, err := v.Orgs.Paths(ctx, c)
	if err != nil {
		return nil, err
	}
	m, err := v.entitled(ctx, c)
	if err == nil && q.Extended {
		m, err = v.memberships(ctx, c, ids...)
	}
	if err != nil {
		return nil, err
	}
	out, lists := make([]pvwa.Listed, len(rows)), interfaces{}
	for i, r := range rows {
		out[i] = pvwa.Listed{
			ID: r.Number, Username: short(r.Name), Source: source, UserType: r.Type, ComponentUser: r.Service, VaultAuthorization: m.authorizations(r.ID),
			AuthorizedInterfaces: lists.of(r), UnAuthorizedInterfaces: parted(r.Barred), AllowedAuthenticationMethods: parted(r.Allowed),
			Location: location(paths(r.Org)), PersonalDetails: names[r.ID],
		}
		if q.Extended {
			on, suspended := !r.Off, locked[r.Name]
			out[i].GroupsMembership, out[i].Enabled, out[i].EnableUser, out[i].Suspended = m.groups(r.ID), &on, &on, &suspended
		}
	}
	return out, nil
}

// interfaces remembers which interfaces users have, by their type and what they are kept from.
type interfaces map[[2]string][]string

func (m interfaces) of(r row) []string {
	key := [2]string{r.Type, r.Barred}
	if list, ok := m[key]; ok {
		return list
	}
	t, _ := TypeOf(r.Type)
	out := []string{}
	for _, name := range t.Interfaces {
		if !strings.Contains(","+strings.ToLower(r.Barred)+",", ","+strings.ToLower(name)+",") {
			out = append(out, name)
		}
	}
	m[key] = out
	return out
}

// names gives what lists tell of who people are.
func (v *Vault) names(ctx context.Context, c *call.Call, q Query, ids []string) (map[string]pvwa.Named, error) {
	kinds := []detail.Kind{detail.Given, detail.Middle, detail.Family}
	if q.Extended {
		kinds = append(kinds, detail.Organization, detail.Department)
	}
	out := make(map[string]pvwa.Named, len(ids))
	err := detail.Each(ctx, c, ids, kinds, func(id string, kind detail.Kind, value string) {
		n := out[id]
		switch kind {
		case detail.Given:
			n.FirstName = value
		case detail.Middle:
			n.MiddleName = value
		case detail.Family:
			n.LastName = value
		case detail.Organization:
			n.Organization = &value
		case detail.Department:
			n.Department = &value
		}
		out[id] = n
	})
	return out, err
}
