package provision

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/detail"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/wire/scim"
)

// Create makes a user of a draft: a member of Everybody, without an invitation. Who administers one organization only makes
// users there.
func (d *Directory) Create(ctx context.Context, c *call.Call, in Draft) (Resource, error) {
	t, err := d.User(ctx, c)
	if err != nil {
		return Resource{}, err
	}
	var u user.User
	items := fill(&u, in.object)
	n := user.New{
		Name: u.Name, Mail: u.Mail, Display: u.Display, Mobile: u.Mobile, Home: u.Home, Office: u.Office, Culture: u.Culture, Everybody: true,
		ReportsTo: manager(in.object), Suspended: in.object["active"] == false,
	}
	if n.Display == "" {
		n.Display = called(items)
	}
	if n.Org, err = d.settle(ctx, c); err == nil {
		err = d.leads(ctx, c, n.ReportsTo)
	}
	if err != nil {
		return Resource{}, err
	}
	made, err := d.People.Create(ctx, c, n)
	if err != nil {
		return Resource{}, manage(err)
	}
	if in.hashed {
		if err := d.Passwords.Put(ctx, c, made.ID, in.hash, false); err != nil {
			return Resource{}, err
		}
	}
	if err := d.beside(ctx, c, made.ID, parts{}, in.object, items, false); err != nil {
		return Resource{}, err
	}
	return d.again(ctx, c, t, made.ID)
}

// called is the name that people see, where none was given.
func called(items []detail.Item) string {
	if whole, ok := detail.Find(items, detail.Formatted); ok {
		return whole.Value
	}
	given, _ := detail.Find(items, detail.Given)
	family, _ := detail.Find(items, detail.Family)
	return strings.TrimSpace(given.Value + " " + family.Value)
}

// settle is the organization of a new user: none, or the only one that the caller administers.
func (d *Directory) settle(ctx context.Context, c *call.Call) (string, error) {
	if c.Grant.Everything() {
		return "", nil
	}
	id, ok, err := d.Orgs.Only(ctx, c, c.Grant)
	if err == nil && !ok {
		err = ErrNoOrg
	}
	return id, err
}

// leads refuses a manager whom the caller does not administer, as one who is not there.
func (d *Directory) leads(ctx context.Context, c *call.Call, id string) error {
	if id == "" {
		return nil
	}
	u, err := d.People.ByID(ctx, c, id)
	if errors.Is(err, user.ErrNotFound) || err == nil && !c.Grant.Allows(u.ID, u.Org) {
		err = ErrValue.Say("there is no user %.60q to be the manager", id)
	}
	return err
}

// manage says of a manager in the words of the resource what is wrong.
func manage(err error) error {
	if errors.Is(err, user.ErrManager) || errors.Is(err, user.ErrCycle) {
		return ErrValue.Say("manager: %s", fault.Of(err).Public)
	}
	return err
}

func (d *Directory) again(ctx context.Context, c *call.Call, t *scim.Type, id string) (Resource, error) {
	u, err := d.People.ByID(ctx, c, id)
	if err != nil {
		return Resource{}, err
	}
	r, err := d.Users(ctx, c, t, scim.Selection{}, u)
	if err != nil {
		return Resource{}, err
	}
	return r[0], nil
}

// Replace makes a user what a client sends: what is left out is cleared, but for the password and whether the user is active.
// match is what the resource must be, as If-Match has it; empty: whatever it is.
func (d *Directory) Replace(ctx context.Context, c *call.Call, id, match string, in Draft) (Resource, error) {
	return d.change(ctx, c, id, match, in, func(*scim.Type, scim.Object) (scim.Object, error) { return in.object, nil })
}

// Patch changes a user by operations, all of them or none.
func (d *Directory) Patch(ctx context.Context, c *call.Call, id, match string, in Draft, body []byte) (Resource, error) {
	return d.change(ctx, c, id, match, in, func(t *scim.Type, o scim.Object) (scim.Object, error) {
		ops, err := t.Patch(body)
		if err != nil {
			return nil, Fault(err)
		}
		out, err := t.Apply(o, ops)
		if err == nil && out["active"] == nil {
			err = ErrMutable.Say("active cannot be removed")
		}
		return out, Fault(err)
	})
}

func (d *Directory) change(ctx context.Context, c *call.Call, id, match string, in Draft, f func(*scim.Type, scim.Object) (scim.Object, error)) (Resource, error) {
	t, err := d.User(ctx, c)
	if err != nil {
		return Resource{}, err
	}
	u, err := d.within(ctx, c, id)
	if err != nil {
		return Resource{}, err
	}
	p, err := d.gather(ctx, c, scim.Selection{}, []user.User{u})
	if err != nil {
		return Resource{}, err
	}
	was := p.resource(c, t, &u)
	if !Matches(match, was.Version) {
		return Resource{}, ErrVersion
	}
	now, err := f(t, was.Object)
	if err != nil {
		return Resource{}, err
	}
	if err := d.save(ctx, c, u, p, was.Object, now, in); err != nil {
		return Resource{}, err
	}
	return d.again(ctx, c, t, id)
}

// within finds a user again in the transaction that changes it: meanwhile it may have moved out of the caller's reach.
func (d *Directory) within(ctx context.Context, c *call.Call, id string) (user.User, error) {
	u, err := d.People.ByID(ctx, c, id)
	if err == nil && !c.Grant.Allows(u.ID, u.Org) {
		return user.User{}, user.ErrNotFound
	}
	return u, err
}

// Matches says whether a version is one of those in If-Match; an empty list has all.
func Matches(list, version string) bool {
	if strings.TrimSpace(list) == "" {
		return true
	}
	bare := strings.TrimPrefix(version, "W/")
	for tag := range strings.SplitSeq(list, ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || strings.TrimPrefix(tag, "W/") == bare {
			return true
		}
	}
	return false
}

// save stores how a user differs.
func (d *Directory) save(ctx context.Context, c *call.Call, u user.User, p parts, was, now scim.Object, in Draft) error {
	if err := d.Roles.Guard(ctx, c, u.ID, ErrSystem, user.ErrStronger); err != nil {
		return err
	}
	if in.own {
		if err := d.Own(ctx, c, u.ID); err != nil {
			return err
		}
	}
	want := user.User{}
	items := fill(&want, now)
	ch := differs(u, want)
	ch.Version = u.Version
	if on, said := now["active"].(bool); said && on != was["active"] {
		ch.Suspended = new(!on)
		if on {
			ch.State = &user.State{Locked: u.Locked}
		}
	}
	if boss := manager(now); boss != u.ReportsTo {
		if err := d.leads(ctx, c, boss); err != nil {
			return err
		}
		ch.ReportsTo = &boss
	}
	reroutes := ch.Mail != nil || ch.Mobile != nil
	if u.ID == c.User() && (reroutes || ch.Suspended != nil || in.hashed) {
		return ErrSelf
	}
	ch.Touched = !detail.Same(p.details[u.ID], items) || texts(now["externalId"]) != p.external[u.ID]
	ch.Touched = ch.Touched && len(p.own(u.ID, now)) == 0 // storing these touches the row, too
	store := func() error { _, err := d.People.Change(ctx, c, u.ID, ch); return manage(err) }
	if reroutes {
		if err := d.Keep(ctx, c, u.ID, store); err != nil {
			return err
		}
	} else if err := store(); err != nil {
		return err
	}
	if err := d.beside(ctx, c, u.ID, p, now, items, in.own); err != nil || !in.hashed {
		return err
	}
	c.Event.Set("PasswordChanged", true)
	if err := d.Passwords.Put(ctx, c, u.ID, in.hash, false); err != nil {
		return err
	}
	return d.People.End(ctx, c, u.ID)
}

// differs is what the directory has to change.
func differs(is, want user.User) (ch user.Change) {
	for _, f := range [...]struct {
		is, want string
		to       **string
	}{
		{is.Name, want.Name, &ch.Name}, {is.Mail, want.Mail, &ch.Mail}, {is.Display, want.Display, &ch.Display}, {is.Mobile, want.Mobile, &ch.Mobile},
		{is.Home, want.Home, &ch.Home}, {is.Office, want.Office, &ch.Office}, {is.Culture, want.Culture, &ch.Culture},
	} {
		if f.is != f.want {
			*f.to = &f.want
		}
	}
	return ch
}

// beside stores what does not stand in the directory's row; own: for the person.
func (d *Directory) beside(ctx context.Context, c *call.Call, id string, p parts, now scim.Object, items []detail.Item, own bool) error {
	if set := p.own(id, now); len(set) > 0 { // which changes the row, and so waits for others who do
		if err := d.Attributes.Set(ctx, c, id, set, own); err != nil {
			return err
		}
	}
	if _, err := detail.Set(ctx, c, id, p.details[id], items); err != nil {
		return err
	}
	_, err := detail.Know(ctx, c, "User", id, p.external[id], texts(now["externalId"]))
	return err
}

// own are the values of the tenant's own attributes that are to be others; nil: none.
func (p parts) own(id string, now scim.Object) map[string]any {
	was, is := values(p.values[id]), map[string]any{}
	want, _ := now[CustomURN].(scim.Object)
	for name, v := range want {
		if !reflect.DeepEqual(was[name], v) {
			is[name] = v
		}
	}
	for name := range was {
		if _, stays := want[name]; !stays {
			is[name] = nil
		}
	}
	return is
}

func texts(v any) string {
	s, _ := v.(string)
	return s
}

// whole is a whole number; of anything else 0.
func whole(v any) int64 {
	n, _ := v.(json.Number)
	i, err := n.Int64()
	if err != nil {
		return 0
	}
	return i
}

func manager(o scim.Object) string {
	ent, _ := o[EnterpriseURN].(scim.Object)
	m, _ := ent["manager"].(scim.Object)
	return referred(m)
}

// referred is the id of what a value refers to: it is said, or stands at the end of the address.
func referred(o scim.Object) string {
	if id := texts(o["value"]); id != "" {
		return id
	}
	ref := texts(o["$ref"])
	return ref[strings.LastIndexByte(ref, '/')+1:]
}

// fill writes into a directory's row what stands there of a resource, and gives the rest as details.
func fill(u *user.User, o scim.Object) (items []detail.Item) {
	u.Name, u.Display, u.Culture = texts(o["userName"]), texts(o["displayName"]), texts(o["preferredLanguage"])
	name, _ := o["name"].(scim.Object)
	ent, _ := o[EnterpriseURN].(scim.Object)
	for _, s := range singles {
		from := map[string]scim.Object{"": o, "name": name, EnterpriseURN: ent}[s.in]
		if v := texts(from[s.name]); v != "" {
			items = append(items, detail.Item{Kind: s.kind, Value: v})
		}
	}
	for _, m := range multiples {
		list, _ := o[m.name].([]any)
		switch m.kind {
		case detail.Mail:
			items = append(items, fillMail(u, list)...)
		case detail.Phone:
			items = append(items, fillPhones(u, list)...)
		default:
			for _, v := range list {
				items = append(items, writeItem(m.kind, v.(scim.Object)))
			}
		}
	}
	return items
}

// fillMail takes the primary address for the directory's: else the first for work, else the first.
func fillMail(u *user.User, list []any) (items []detail.Item) {
	main := -1
	for _, is := range [...]func(detail.Item) bool{
		func(i detail.Item) bool { return i.Main }, func(i detail.Item) bool { return i.Type == "work" }, func(detail.Item) bool { return true },
	} {
		if main < 0 {
			main = slices.IndexFunc(list, func(v any) bool { return is(writeItem(detail.Mail, v.(scim.Object))) })
		}
	}
	for n, v := range list {
		i := writeItem(detail.Mail, v.(scim.Object))
		if n == main {
			u.Mail, i.Value, i.Main = strings.TrimSpace(i.Value), "", v.(scim.Object)["primary"] != false
			if n == 0 && i.Type == "work" && i.More == "" {
				continue // as it is where nothing else is said
			}
		}
		items = append(items, i)
	}
	return items
}

// fillPhones takes the first number of each type that the directory has a column for.
func fillPhones(u *user.User, list []any) (items []detail.Item) {
	for _, v := range list {
		i := writeItem(detail.Phone, v.(scim.Object))
		to := map[string]*string{"work": &u.Office, "mobile": &u.Mobile, "home": &u.Home}[i.Type]
		if to != nil && *to == "" {
			*to, i.Value = strings.TrimSpace(strings.TrimPrefix(i.Value, "tel:")), ""
		}
		items = append(items, i)
	}
	return items
}

// Delete removes a user with all that is kept of them.
func (d *Directory) Delete(ctx context.Context, c *call.Call, id, match string) error {
	if id == c.User() {
		return ErrSelf
	}
	u, err := d.within(ctx, c, id)
	if err == nil && !Matches(match, version(u)) {
		err = ErrVersion
	}
	if err != nil {
		return err
	}
	if err := d.Roles.Guard(ctx, c, id, ErrSystem, user.ErrStronger); err != nil {
		return err
	}
	return d.People.Delete(ctx, c, id)
}
