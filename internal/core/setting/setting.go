// Package setting is what a tenant's administrators have set: known keys with a type, a default and a range, and free
// keys that clients keep for themselves. Secrets are stored sealed.
package setting

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Faults of settings.
var (
	ErrValue     = fault.New(fault.Invalid, "setting.value", "The value does not fit the setting.")
	ErrName      = fault.New(fault.Invalid, "setting.name", "A setting's name has 1 to 200 printable characters.")
	ErrTooMany   = fault.New(fault.Conflict, "setting.too_many", "The tenant has as many settings of its own as it may have.")
	ErrDuplicate = fault.New(fault.Invalid, "setting.twice", "A setting is given twice.")
)

// Limits of free settings, and of all texts.
const (
	maxFree  = 500
	maxName  = 200     // bytes
	maxValue = 8 << 10 // bytes
)

// purpose names the key that seals secrets.
const purpose = "setting"

// Sealed is a secret as it is stored; empty when none is set. Store.Open reads it.
type Sealed string

// Store keeps the settings of every tenant.
type Store struct {
	DB      *dbx.DB     // read when there is no transaction
	Changes *change.Log // topic "setting", item the tenant; Start watches it
	Ring    *crypt.Ring
	// Named is asked, by the name of a known setting, before a value of it that is not empty is stored: whether what the
	// value names is there, and fits. It runs in c.Tx.
	Named map[string]func(ctx context.Context, c *call.Call, value string) error

	// Fits are asked whether all the known settings go together, before changes of any of them are stored.
	Fits []func(v *Values) error

	cache change.Cache[*Values]
}

type row struct {
	Key    string `db:"name_key"`
	Name   string `db:"name"`
	Value  string `db:"value"`
	Secret bool   `db:"secret"`
}

var (
	list   = dbx.Q[row]("setting.list", `SELECT name_key, name, value, secret FROM setting WHERE tenant = ? ORDER BY name_key`)
	find   = dbx.Q[row]("setting.find", `SELECT name_key, name, value, secret FROM setting WHERE tenant = ? AND name_key = ?`)
	upsert = dbx.E("setting.set", `INSERT INTO setting (tenant, name_key, name, value, secret, changed) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, name_key) DO UPDATE SET name = excluded.name, value = excluded.value, secret = excluded.secret, changed = excluded.changed`)
	remove = dbx.E("setting.delete", `DELETE FROM setting WHERE tenant = ? AND name_key = ?`)
)

// Start watches for changes.
func (s *Store) Start() {
	s.cache = change.Cache[*Values]{DB: s.DB, Log: s.Changes, Read: stored}
	s.cache.Start("setting")
}

// Issuer is how authenticators and applications of codes call the call's tenant: the name of the company, or the host.
func (s *Store) Issuer(ctx context.Context, c *call.Call) (string, error) {
	v, err := s.Get(ctx, c)
	if err != nil {
		return "", err
	}
	return cmp.Or(v.Company.Name, c.Tenant.Host), nil
}

// Get gives the settings of the call's tenant, from memory while they are up to date; a transaction that has changed something
// sees what it wrote. The values are shared: read only.
func (s *Store) Get(ctx context.Context, c *call.Call) (*Values, error) { return s.cache.Get(ctx, c) }

func stored(ctx context.Context, tx *dbx.Tx, tenant string) (*Values, error) {
	rows, err := list.All(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	return read(rows), nil
}

// Open reads a secret; empty when none is set. It may read keys from the store, so it belongs outside transactions.
func (s *Store) Open(ctx context.Context, tenant, name string, secret Sealed) (string, error) {
	if secret == "" {
		return "", nil
	}
	plain, err := s.Ring.Open(ctx, tenant, purpose, string(secret), fold.Key(name))
	return string(plain), err
}

// Pair is a setting to be changed. An absent Value puts the default back.
type Pair struct {
	Name  string
	Value *string
}

// Set is a Pair with a value.
func Set(name, value string) Pair { return Pair{name, &value} }

// Unset is a Pair that puts the default back.
func Unset(name string) Pair { return Pair{Name: name} }

// Ready are changes that were checked, with secrets sealed.
type Ready struct{ rows []row }

// Prepare checks changes and seals the secrets among them; outside transactions. Faults: ErrName, ErrValue with the
// setting as its field, ErrDuplicate.
func (s *Store) Prepare(ctx context.Context, c *call.Call, pairs ...Pair) (Ready, error) {
	var out Ready
	for _, p := range pairs {
		r, err := check(p)
		if err != nil {
			return Ready{}, err
		}
		if slices.ContainsFunc(out.rows, func(o row) bool { return o.Key == r.Key }) {
			return Ready{}, ErrDuplicate.At(p.Name)
		}
		if r.Secret && r.Value != "" {
			if r.Value, err = s.Ring.Seal(ctx, c.Tenant.ID, purpose, []byte(r.Value), r.Key); err != nil {
				return Ready{}, err
			}
		}
		out.rows = append(out.rows, r)
	}
	return out, nil
}

func check(p Pair) (row, error) {
	name := strings.TrimSpace(p.Name)
	if name == "" || len(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return row{}, ErrName
	}
	r := row{Key: fold.Key(name), Name: name}
	k := byKey[r.Key]
	if k != nil {
		r.Name, r.Secret = k.Name, k.Secret
	}
	if p.Value == nil {
		return r, nil
	}
	r.Value = *p.Value
	switch {
	case moved[r.Key] != "":
		return row{}, ErrValue.At(r.Name).Say("The setting %s %s.", r.Name, moved[r.Key])
	case len(r.Value) > maxValue || !utf8.ValidString(r.Value) || strings.ContainsRune(r.Value, 0):
		return row{}, ErrValue.At(r.Name).Say("The value of %s may have %d bytes of text.", r.Name, maxValue)
	case k == nil:
		if r.Value == "" {
			r.Value = " " // a free setting that is set to nothing is set: only Unset removes it
		}
		return r, nil
	}
	var into Values
	value, err := k.set(&into, r.Value)
	if err != nil {
		return row{}, ErrValue.At(r.Name).Say("The value of %s %s.", r.Name, err.Error())
	}
	r.Value = value
	return r, nil
}

// Overlay gives the values as they would be with some settings changed, without storing anything. A secret among the
// pairs is left out: it is not sealed.
func Overlay(v *Values, pairs ...Pair) (*Values, error) {
	out := *v
	for _, p := range pairs {
		r, err := check(p)
		if err != nil {
			return nil, err
		}
		k := byKey[r.Key]
		if k == nil || k.Secret {
			continue
		}
		text := r.Value
		if text == "" {
			text = k.Default
		}
		if _, err := k.set(&out, text); err != nil && text != "" {
			return nil, ErrValue.At(r.Name)
		}
	}
	return &out, nil
}

// Write stores prepared changes.
func (s *Store) Write(ctx context.Context, c *call.Call, ready Ready) error {
	old, err := list.All(ctx, c.Tx, c.Tenant.ID)
	if err != nil {
		return err
	}
	free := 0
	was := map[string]row{}
	for _, r := range old {
		was[r.Key] = r
		if byKey[r.Key] == nil {
			free++
		}
	}
	for _, r := range ready.rows {
		before, had := was[r.Key]
		if named := s.Named[r.Name]; named != nil && r.Value != "" {
			if err := named(ctx, c, r.Value); err != nil {
				return err
			}
		}
		switch {
		case r.Value == "" && had:
			_, err = remove.Do(ctx, c.Tx, c.Tenant.ID, r.Key)
		case r.Value != "" && (!had || before.Value != r.Value):
			if !had && byKey[r.Key] == nil {
				if free++; free > maxFree {
					return ErrTooMany
				}
			}
			_, err = upsert.Do(ctx, c.Tx, c.Tenant.ID, r.Key, r.Name, r.Value, r.Secret, c.Now.UnixMilli())
		}
		if err != nil {
			return err
		}
		before.Key = r.Key
		noted(c, r, before)
	}
	v, err := stored(ctx, c.Tx, c.Tenant.ID)
	if err != nil {
		return err
	}
	if err := v.consistent(); err != nil {
		return err
	}
	for _, fits := range s.Fits {
		if err := fits(v); err != nil {
			return err
		}
	}
	return s.Changes.Put(ctx, c, "setting", c.Tenant.ID)
}

// noted keeps the change in the event; of secrets, and of free settings, which may be some, only that they changed.
func noted(c *call.Call, now, before row) {
	if c.Event == nil {
		return
	}
	if c.Event.Target == "" {
		c.Event.Target, c.Event.Kind, c.Event.Name = now.Name, "Setting", now.Name
	}
	from, to := before.audited(), now.audited()
	if from == to && before.Value == now.Value {
		return
	}
	c.Event.Change(now.Name, from, to)
}

// audited is the value as events keep it: a boolean, a number or a text.
func (r row) audited() any {
	k := byKey[r.Key]
	switch {
	case r.Value == "" && (k == nil || k.Secret):
		return ""
	case k == nil || k.Secret:
		return Mask
	case r.Value == "":
		r.Value = k.Default
	}
	switch k.Kind {
	case "bool":
		return r.Value == "true"
	case "int":
		n, _ := strconv.ParseInt(r.Value, 10, 64) // it was checked when it was set
		return n
	}
	return r.Value
}

// shown is a free setting's value.
func shown(r row) string {
	if byKey[r.Key] == nil && r.Value == " " {
		return ""
	}
	return r.Value
}

// Mask stands for a secret that is set.
const Mask = "********"

// Shown is a setting as administrators see it.
type Shown struct {
	Name  string
	Value string // Mask for a secret
}

// Find gives one setting as text: what is set, else the default of a known key. ok is false when neither is there.
func (s *Store) Find(ctx context.Context, c *call.Call, name string) (value string, ok bool, err error) {
	r, err := find.One(ctx, c.Tx, c.Tenant.ID, fold.Key(name))
	if errors.Is(err, dbx.ErrNoRow) {
		if k := byKey[fold.Key(name)]; k != nil && k.Default != "" {
			return k.Default, true, nil
		}
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	if r.Secret {
		return Mask, true, nil
	}
	return shown(r), true, nil
}

// List gives every setting: the known ones with what is set or their default, and the free ones; by name.
func (s *Store) List(ctx context.Context, c *call.Call) ([]Shown, error) {
	rows, err := list.All(ctx, c.Tx, c.Tenant.ID)
	if err != nil {
		return nil, err
	}
	var out []Shown
	set := map[string]row{}
	for _, r := range rows {
		set[r.Key] = r
		if byKey[r.Key] == nil {
			out = append(out, Shown{r.Name, shown(r)})
		}
	}
	for i := range keys {
		k := &keys[i]
		v := Shown{k.Name, k.Default}
		if r, ok := set[fold.Key(k.Name)]; ok {
			v.Value = r.Value
			if r.Secret {
				v.Value = Mask
			}
		}
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b Shown) int { return strings.Compare(fold.Key(a.Name), fold.Key(b.Name)) })
	return out, nil
}
