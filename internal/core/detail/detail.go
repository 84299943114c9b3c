// Package detail is what is known of people beside the directory's row: the parts of their names, their job, further mail and
// postal addresses, numbers and the like; and the ids by which provisioning clients know people and roles. What the directory
// has a column for stands there alone.
package detail

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Faults of details.
var (
	ErrLong = fault.New(fault.Invalid, "detail.long", "The text is too long.")
	ErrMany = fault.New(fault.Invalid, "detail.many", "There are too many values.")
	ErrText = fault.New(fault.Invalid, "detail.text", "The value is not text.")
)

// Kind is what a detail tells.
type Kind string

// The kinds of which a person has one at most.
const (
	Formatted    Kind = "name.formatted"
	Given        Kind = "name.given"
	Middle       Kind = "name.middle"
	Family       Kind = "name.family"
	Prefix       Kind = "name.prefix"
	Suffix       Kind = "name.suffix"
	Nick         Kind = "nick"
	Title        Kind = "title"
	Type         Kind = "type"
	Locale       Kind = "locale"
	Zone         Kind = "zone"
	Profile      Kind = "profile" // URL
	Employee     Kind = "employee"
	CostCenter   Kind = "cost_center"
	Organization Kind = "organization"
	Division     Kind = "division"
	Department   Kind = "department"
)

// The kinds of which there can be several.
const (
	Mail        Kind = "mail"
	Phone       Kind = "phone"
	IM          Kind = "im"
	Photo       Kind = "photo" // URL
	Address     Kind = "address"
	Entitlement Kind = "entitlement"
	Role        Kind = "role" // in the words of clients; what people may do here comes of core/role alone
	Certificate Kind = "certificate"
)

// Limits, in bytes.
const (
	MaxText  = 400      // of what people are found by
	MaxLong  = 8 << 10  // of URLs, postal addresses and certificates
	MaxTotal = 64 << 10 // of all that is kept of one person
	maxItems = 100      // of one kind
)

// Item is one detail of a person.
type Item struct {
	Kind  Kind   `db:"kind"`
	Ord   int64  `db:"ord"` // its place among those of its kind; 0 where there is one
	Value string `db:"value"`
	Type  string `db:"type"`
	Main  bool   `db:"main"` // the primary one of several
	More  string `db:"more"` // JSON of what else there is; empty: nothing
}

// long are the kinds that nobody is found by.
var long = []Kind{Profile, Photo, Address, Certificate}

// key is by what an item is found.
func (i Item) key() string {
	if slices.Contains(long, i.Kind) {
		return ""
	}
	return fold.Key(i.Value)
}

func (i Item) check() error {
	most := MaxText
	if slices.Contains(long, i.Kind) {
		most = MaxLong
	}
	switch {
	case len(i.Value) > most || len(i.Type) > MaxText || len(i.More) > MaxLong:
		return ErrLong.At(string(i.Kind)).Say("%s may have %d bytes.", i.Kind, most)
	case !utf8.ValidString(i.Value + i.Type + i.More):
		return ErrText.At(string(i.Kind))
	}
	for _, r := range i.Value + i.Type {
		if r == 0 {
			return ErrText.At(string(i.Kind))
		}
	}
	return nil
}

type row struct {
	User string `db:"user_id"`
	Item
}

var (
	ofUsers = dbx.L[row]("detail.ofUsers", `SELECT user_id, kind, ord, value, type, main, more FROM user_detail WHERE tenant = ?`).By("value_key")
	insert  = dbx.E("detail.insert", `INSERT INTO user_detail (tenant, user_id, kind, ord, value, value_key, type, main, more)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, user_id, kind, ord) DO UPDATE SET value = excluded.value, value_key = excluded.value_key,
		type = excluded.type, main = excluded.main, more = excluded.more`)
	remove = dbx.E("detail.remove", `DELETE FROM user_detail WHERE tenant = ? AND user_id = ? AND kind = ? AND ord = ?`)
	drop   = dbx.E("detail.drop", `DELETE FROM user_detail WHERE tenant = ? AND user_id = ?`)
)

// chunk is of how many people one statement reads, and few is how many details most of them have at most.
const (
	chunk = 100
	few   = 1000
)

// Of gives the details of people by their UUIDs, those of each in the order of kinds and places.
func Of(ctx context.Context, c *call.Call, users ...string) (map[string][]Item, error) {
	out := make(map[string][]Item, len(users))
	for part := range slices.Chunk(users, chunk) {
		if err := read(ctx, c, out, part); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// read reads the details of some people; of half of them at a time, where they have more than one statement gives.
func read(ctx context.Context, c *call.Call, out map[string][]Item, part []string) error {
	order := []dbx.Order{{Column: "user_id"}, {Column: "kind"}, {Column: "ord"}}
	limit := max(len(part)*few, MaxTotal)
	rows, err := ofUsers.Rows(ctx, c.Tx, dbx.In("user_id", part...), order, limit, c.Tenant.ID)
	if err != nil {
		return err
	}
	if half := len(part) / 2; len(rows) == limit && half > 0 {
		return errors.Join(read(ctx, c, out, part[:half]), read(ctx, c, out, part[half:]))
	}
	for _, r := range rows {
		out[r.User] = append(out[r.User], r.Item)
	}
	return nil
}

type bare struct {
	User  string `db:"user_id"`
	Kind  string `db:"kind"`
	Value string `db:"value"`
}

var bares = dbx.L[bare]("detail.bare", `SELECT user_id, kind, value FROM user_detail WHERE tenant = ?`)

// Each tells f of every detail of some kinds that people have, by their UUIDs, in no order.
func Each(ctx context.Context, c *call.Call, users []string, kinds []Kind, f func(user string, kind Kind, value string)) error {
	of := make([]string, len(kinds))
	for i, k := range kinds {
		of[i] = string(k)
	}
	for part := range slices.Chunk(users, chunk) {
		rows, err := bares.Rows(ctx, c.Tx, dbx.And(dbx.In("user_id", part...), dbx.In("kind", of...)), nil, len(part)*len(kinds)*maxItems, c.Tenant.ID)
		if err != nil {
			return err
		}
		for _, r := range rows {
			f(r.User, Kind(r.Kind), r.Value)
		}
	}
	return nil
}

// Set makes a person's details those given, and says whether they are others than before. Items without a place get it in the
// order in which they are given. The person's row must be locked by the caller. Faults: ErrLong, ErrMany, ErrText.
func Set(ctx context.Context, c *call.Call, user string, was, now []Item) (changed bool, err error) {
	now, err = placed(now)
	if err != nil {
		return false, err
	}
	left := map[Item]bool{}
	for _, i := range was {
		left[Item{Kind: i.Kind, Ord: i.Ord}] = true
	}
	for _, i := range now {
		delete(left, Item{Kind: i.Kind, Ord: i.Ord})
		if slices.Contains(was, i) {
			continue
		}
		changed = true
		if _, err := insert.Do(ctx, c.Tx, c.Tenant.ID, user, string(i.Kind), i.Ord, i.Value, i.key(), i.Type, i.Main, i.More); err != nil {
			return changed, err
		}
	}
	for i := range left {
		changed = true
		if _, err := remove.Do(ctx, c.Tx, c.Tenant.ID, user, string(i.Kind), i.Ord); err != nil {
			return changed, err
		}
	}
	if changed {
		noted(c, was, now)
	}
	return changed, nil
}

func placed(items []Item) ([]Item, error) {
	out, next, total := slices.Clone(items), map[Kind]int64{}, 0
	for i := range out {
		at := &out[i]
		at.Ord = next[at.Kind]
		if next[at.Kind]++; next[at.Kind] > maxItems {
			return nil, ErrMany.At(string(at.Kind)).Say("There may be %d values of %s.", maxItems, at.Kind)
		}
		if err := at.check(); err != nil {
			return nil, err
		}
		if total += len(at.Value) + len(at.More) + len(at.Type); total > MaxTotal {
			return nil, ErrLong.Say("All that is known of a person may have %d bytes.", MaxTotal)
		}
	}
	return out, nil
}

// noted keeps in the event which kinds changed, with their values before and now.
func noted(c *call.Call, was, now []Item) {
	if c.Event == nil {
		return
	}
	told := func(items []Item) map[Kind]string {
		out := map[Kind]string{}
		for _, i := range items {
			s := i.Value
			if i.Kind == Certificate || i.Kind == Photo {
				s = "..."
			}
			if i.Type != "" {
				s += " (" + i.Type + ")"
			}
			if out[i.Kind] += s; i.More != "" {
				out[i.Kind] += " " + i.More
			}
			out[i.Kind] += "\n"
		}
		return out
	}
	before, after := told(was), told(now)
	kinds := map[Kind]bool{}
	for _, i := range slices.Concat(was, now) {
		kinds[i.Kind] = true
	}
	for kind := range kinds {
		call.Changed(c.Event, string(kind), cut(before[kind]), cut(after[kind]))
	}
}

// cut leaves the last line's end out, and what is too much for an event.
func cut(s string) string {
	if n := len(s); n > 0 {
		s = s[:n-1]
	}
	const most = 1000
	for i := range s {
		if i > most {
			return s[:i] + "..."
		}
	}
	return s
}

// Drop removes what is kept of a person who is being deleted.
func Drop(ctx context.Context, c *call.Call, user string) error {
	_, err := drop.Do(ctx, c.Tx, c.Tenant.ID, user)
	if err != nil {
		return err
	}
	return Unknown(ctx, c, "User", user)
}

// Having holds, of the column of people's UUIDs, for those with a detail of a kind that meets the condition, whose columns are
// Key, Place and Kinded.
func Having(c *call.Call, column string, kind Kind, where dbx.Clause) dbx.Clause {
	return dbx.InList(column, ofUsers, "user_id", dbx.And(dbx.Eq("kind", string(kind)), where), c.Tenant.ID)
}

// Columns of conditions.
const (
	Key    = "value_key" // fold.Key of the value
	Kinded = "type"
	Primed = "main"
)

type keyed struct {
	User string `db:"user_id"`
	Key  string `db:"value_key"`
}

var byKey = dbx.L[keyed]("detail.byKey", `SELECT user_id, value_key FROM user_detail WHERE tenant = ?`).By("kind")

// Place is where somebody stands among those who have a detail of a kind.
type Place struct{ Key, User string }

// Sort is an order of people by a detail.
type Sort struct {
	Kind  Kind
	Desc  bool
	Among dbx.Clause // condition of the column user_id
}

func (s Sort) where() dbx.Clause {
	return dbx.And(dbx.Eq("kind", string(s.Kind)), dbx.Ne(Key, ""), s.Among)
}

func (s Sort) order() []dbx.Order {
	return []dbx.Order{{Column: Key, Desc: s.Desc}, {Column: "user_id", Desc: s.Desc}}
}

// Page gives a page of those who have the detail: behind a place, if there is one, and behind offset others.
func (s Sort) Page(ctx context.Context, c *call.Call, behind *Place, offset int64, limit int) ([]Place, error) {
	where := s.where()
	after := func(p Place) { where = dbx.And(where, dbx.After(s.order(), p.Key, p.User)) }
	if behind != nil {
		after(*behind)
	}
	if offset > 0 {
		last, err := byKey.At(ctx, c.Tx, where, s.order(), offset-1, c.Tenant.ID)
		if errors.Is(err, dbx.ErrNoRow) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		after(Place{last.Key, last.User})
	}
	rows, err := byKey.Rows(ctx, c.Tx, where, s.order(), limit, c.Tenant.ID)
	out := make([]Place, len(rows))
	for i, r := range rows {
		out[i] = Place{r.Key, r.User}
	}
	return out, err
}

// Count counts those who have the detail.
func (s Sort) Count(ctx context.Context, c *call.Call) (int64, error) {
	return byKey.Count(ctx, c.Tx, s.where(), c.Tenant.ID)
}

// Same says whether some items are those of a person, whatever places they have.
func Same(was, now []Item) bool {
	now, err := placed(now)
	return err == nil && slices.Equal(Sorted(was), Sorted(now))
}

// Find gives the first of some items that is of a kind.
func Find(items []Item, kind Kind) (Item, bool) {
	i := slices.IndexFunc(items, func(i Item) bool { return i.Kind == kind })
	if i < 0 {
		return Item{}, false
	}
	return items[i], true
}

// Name gives the given and the family name on record; ok says that there is one of them.
func Name(items []Item) (given, family string, ok bool) {
	first, has := Find(items, Given)
	last, had := Find(items, Family)
	return first.Value, last.Value, has || had
}

// Named gives the given and the family name: those on record, and without any the display name cut before its last word.
func Named(items []Item, display string) (given, family string) {
	if given, family, ok := Name(items); ok {
		return given, family
	}
	words := strings.Fields(display)
	if len(words) < 2 {
		return display, ""
	}
	return strings.Join(words[:len(words)-1], " "), words[len(words)-1]
}

// Renamed gives a person's items with another given and family name.
func Renamed(items []Item, given, family string) []Item {
	out := slices.DeleteFunc(slices.Clone(items), func(i Item) bool { return i.Kind == Given || i.Kind == Family })
	for _, i := range []Item{{Kind: Given, Value: given}, {Kind: Family, Value: family}} {
		if i.Value != "" {
			out = append(out, i)
		}
	}
	return Sorted(out)
}

// Sorted puts items into the order in which Of gives them.
func Sorted(items []Item) []Item {
	return slices.SortedStableFunc(slices.Values(items), func(a, b Item) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Ord, b.Ord))
	})
}
