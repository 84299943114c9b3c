package portal

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"unicode"

	"limen/internal/call"
	"limen/internal/core/app"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Types of people's own applications.
const (
	Added    = "Added"
	Imported = "Imported"
)

func (t Target) setByUser() bool { return t.App.Strategy() == app.SetByUser }

// item finds one of the caller's own by its id. ErrNotFound.
func (p *Portal) item(ctx context.Context, c *call.Call, id, kind string) (Target, error) {
	it, err := findItem.One(ctx, c.Tx, c.Tenant.ID, strings.ToLower(strings.TrimSpace(id)), c.User(), kind)
	if errors.Is(err, dbx.ErrNoRow) {
		err = ErrNotFound
	}
	return Target{ID: it.ID, Item: &it}, err
}

// NewItem is an application or a secured item to be made.
type NewItem struct {
	Kind, Type, Name, Description, URL string
	Secret                             Secret
}

// check wants what can be kept, and puts addresses in form.
func (n *NewItem) check() error {
	n.Name, n.Type = strings.TrimSpace(n.Name), strings.TrimSpace(n.Type)
	if !plain(n.Type, maxType) || strings.ContainsFunc(n.Type, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '-' }) {
		return fault.Bad("SecuredItemType", "must be a word of at most %d bytes", maxType)
	}
	it := Item{Name: n.Name, Description: n.Description, URL: n.URL}
	if err := it.check(); err != nil {
		return err
	}
	n.URL = it.URL
	return n.Secret.check()
}

func (i *Item) check() error {
	switch {
	case i.Name == "" || !plain(i.Name, maxName):
		return ErrName
	case !prose(i.Description, maxDescription):
		return ErrSize.At("Description").Say("A description may have %d bytes.", maxDescription)
	}
	at, err := address(i.URL)
	i.URL = at
	return err
}

// address reads the address of a page; without a scheme it means https. Empty stays empty.
func address(s string) (string, error) {
	if s = strings.TrimSpace(s); s == "" {
		return "", nil
	}
	if u, err := url.Parse(s); err == nil && u.Scheme == "" && !strings.HasPrefix(s, "/") {
		s = "https://" + s
	}
	if !plain(s, maxAddress) || !app.Page(s) {
		return "", ErrAddress
	}
	return s, nil
}

// Add makes an application or a secured item of the caller's own, and gives its id. Faults: ErrSelfService, ErrName,
// ErrAddress, ErrSize, ErrMany.
func (p *Portal) Add(ctx context.Context, c *call.Call, n NewItem) (Item, error) {
	if n.Kind == App {
		if err := p.selfService(ctx, c); err != nil {
			return Item{}, err
		}
	}
	it, err := p.add(ctx, c, n)
	if err != nil {
		return Item{}, err
	}
	about(c, Target{Item: &it}.kind(), it.ID)
	return it, p.room(ctx, c, c.User())
}

// selfService asks the policy whether the caller may have applications of their own; they may where no policy says.
func (p *Portal) selfService(ctx context.Context, c *call.Call) error {
	may, err := p.allows(ctx, c, c.User(), keyAdd, true)
	if err == nil && !may {
		err = ErrSelfService
	}
	return err
}

func (p *Portal) add(ctx context.Context, c *call.Call, n NewItem) (Item, error) {
	if err := n.check(); err != nil {
		return Item{}, err
	}
	now := c.Now.UnixMilli()
	it := Item{
		ID: c.NewID(), User: c.User(), Kind: n.Kind, Type: n.Type, Name: n.Name, NameKey: fold.Key(n.Name), Description: n.Description,
		URL: n.URL, Created: now, Changed: now,
	}
	if _, err := putItem.Do(ctx, c.Tx, c.Tenant.ID, it.ID, it.User, it.Kind, it.Type, it.Name, it.NameKey, it.Description, it.URL, now, now); err != nil {
		return Item{}, err
	}
	e := entry{Target: it.ID, Place: unranked}
	var err error
	if e.Secret, err = p.seal(ctx, c, it.User, it.ID, n.Secret); err != nil || e.Secret == "" {
		return it, err
	}
	return it, keep(ctx, c, it.User, e)
}

// room fails with ErrMany when somebody has more than they may.
func (p *Portal) room(ctx context.Context, c *call.Call, userID string) error {
	n, err := countItem.One(ctx, c.Tx, c.Tenant.ID, userID)
	if err == nil && n > maxItems {
		err = ErrMany.Say("A person may have %d applications of their own and secured items.", maxItems)
	}
	return err
}

// Change is a partial change of an application of the caller's own; nil keeps, empty clears.
type Change struct {
	Name, Description, Notes, URL *string
}

// Update changes an application of the caller's own. Faults: ErrNotFound, ErrName, ErrAddress, ErrSize, ErrStale.
func (p *Portal) Update(ctx context.Context, c *call.Call, key string, ch Change) error {
	t, err := p.personal(ctx, c, key)
	if err != nil {
		return err
	}
	it := *t.Item
	var changed []string
	for _, f := range []struct {
		name string
		to   *string
		from *string
	}{{"Name", &it.Name, ch.Name}, {"Description", &it.Description, ch.Description}, {"Url", &it.URL, ch.URL}} {
		if f.from != nil && *f.to != strings.TrimSpace(*f.from) {
			*f.to, changed = strings.TrimSpace(*f.from), append(changed, f.name)
		}
	}
	if err := it.check(); err != nil {
		return err
	}
	if len(changed) > 0 {
		_, err := setItem.Do(ctx, c.Tx, it.Name, fold.Key(it.Name), it.Description, it.URL, c.Now.UnixMilli(), c.Tenant.ID, it.ID, it.User)
		if err != nil {
			return err
		}
	}
	also, err := p.edit(ctx, c, it.ID, Edit{Notes: ch.Notes})
	about(c, t.kind(), it.ID, append(changed, also...)...)
	return err
}

// personal finds an application of the caller's own. ErrNotFound.
func (p *Portal) personal(ctx context.Context, c *call.Call, key string) (Target, error) {
	id, ok := own(c, strings.TrimSpace(key))
	if !ok {
		id = key
	}
	t, err := p.item(ctx, c, id, App)
	if err == nil {
		about(c, t.kind(), t.ID)
	}
	return t, err
}

// Settings are what somebody sets of an application on their portal; nil keeps.
type Settings struct {
	Notes    *string
	Matching *string // empty, or one of Matchings
	Pattern  *string
	Rank     *int64 // 0 to 1,000
}

// Matchings are the ways in which the browser extension knows the page of an application.
var Matchings = []string{"BaseDomain", "RegularExpression", "ExactMatch", "Hostname"}

// Set changes the caller's settings of an application. Faults: ErrNotFound, acl.ErrDenied, ErrMatching, ErrPattern, ErrSize,
// ErrStale.
func (p *Portal) Set(ctx context.Context, c *call.Call, key string, s Settings) error {
	t, err := p.Find(ctx, c, key)
	if err != nil {
		return err
	}
	about(c, t.kind(), t.ID)
	changed, err := p.edit(ctx, c, t.ID, Edit{Notes: s.Notes})
	if err != nil {
		return err
	}
	e, err := kept(ctx, c, c.User(), t.ID)
	if err != nil {
		return err
	}
	before := e
	if err := e.set(s); err != nil {
		return err
	}
	if c.Event != nil {
		call.Changed(c.Event, "UrlMatchDetection", before.Matching, e.Matching)
		call.Changed(c.Event, "Rank", before.Place, e.Place)
	}
	if e.Pattern != before.Pattern {
		changed = append(changed, "MatchPattern")
	}
	about(c, t.kind(), t.ID, changed...)
	if e == before {
		return nil
	}
	return keep(ctx, c, c.User(), e)
}

// AddAssigned puts an application that the caller may use on their portal, and RemoveAssigned takes it off again. Those that
// are there by themselves stay. Faults: ErrNotFound, acl.ErrDenied, ErrStale.
func (p *Portal) AddAssigned(ctx context.Context, c *call.Call, key string) error {
	return p.shift(ctx, c, key, true)
}

func (p *Portal) shift(ctx context.Context, c *call.Call, key string, on bool) error {
	t, err := p.Find(ctx, c, key)
	if err == nil && t.App == nil {
		err = ErrNotFound
	}
	if err != nil {
		return err
	}
	about(c, t.kind(), t.ID)
	e, err := kept(ctx, c, c.User(), t.ID)
	if err != nil || e.Added == on {
		return err
	}
	if c.Event != nil {
		call.Changed(c.Event, "Added", e.Added, on)
	}
	e.Added = on
	return keep(ctx, c, c.User(), e)
}

// Remove deletes an application of the caller's own with what they keep for it, or takes an assigned one that they have added
// off their portal. Faults: ErrNotFound, acl.ErrDenied, ErrStale.
func (p *Portal) Remove(ctx context.Context, c *call.Call, key string) error {
	t, err := p.Find(ctx, c, key)
	if err != nil {
		return err
	}
	if t.App != nil {
		return p.shift(ctx, c, t.ID, false)
	}
	return p.drop(ctx, c, t)
}

// RemoveSecured deletes a secured item of the caller's. ErrNotFound.
func (p *Portal) RemoveSecured(ctx context.Context, c *call.Call, id string) error {
	t, err := p.item(ctx, c, id, Secured)
	if err != nil {
		return err
	}
	return p.drop(ctx, c, t)
}

func (p *Portal) drop(ctx context.Context, c *call.Call, t Target) error {
	about(c, t.kind(), t.ID)
	if c.Event != nil {
		c.Event.Set("Deleted", true)
	}
	_, err := dropItem.Do(ctx, c.Tx, c.Tenant.ID, t.ID, c.User())
	for _, e := range []dbx.Exec{dropEntry, dropTaggedOne} {
		_, err2 := e.Do(ctx, c.Tx, c.Tenant.ID, c.User(), t.ID)
		err = errors.Join(err, err2)
	}
	_, err2 := dropIcon.Do(ctx, c.Tx, c.Tenant.ID, t.ID)
	return errors.Join(err, err2)
}

// Reveal gives what the caller keeps in a secured item. ErrNotFound.
func (p *Portal) Reveal(ctx context.Context, c *call.Call, id string) (Secret, error) {
	t, err := p.item(ctx, c, id, Secured)
	if err != nil {
		return Secret{}, err
	}
	about(c, t.kind(), t.ID)
	e, err := kept(ctx, c, c.User(), t.ID)
	if err != nil {
		return Secret{}, err
	}
	return p.open(ctx, c, c.User(), e)
}

// SetSecured changes what the caller keeps in a secured item. Faults: ErrNotFound, ErrSize, ErrStale.
func (p *Portal) SetSecured(ctx context.Context, c *call.Call, id string, change Edit) error {
	t, err := p.item(ctx, c, id, Secured)
	if err != nil {
		return err
	}
	about(c, t.kind(), t.ID)
	changed, err := p.edit(ctx, c, t.ID, change)
	about(c, t.kind(), t.ID, changed...)
	return err
}

// PersonGone forgets everything of a person who is deleted.
func (p *Portal) PersonGone(ctx context.Context, c *call.Call, userID string) error {
	_, err := dropIcons.Do(ctx, c.Tx, c.Tenant.ID, c.Tenant.ID, userID)
	for _, e := range []dbx.Exec{dropItems, dropEntries, dropTaggedAll, dropTags, dropImports} {
		_, err2 := e.Do(ctx, c.Tx, c.Tenant.ID, userID)
		err = errors.Join(err, err2)
	}
	return err
}

// AppGone forgets what people keep for an application that is deleted.
func (p *Portal) AppGone(ctx context.Context, c *call.Call, id string) error {
	_, err := dropTarget.Do(ctx, c.Tx, c.Tenant.ID, id)
	_, err2 := dropTaggedGone.Do(ctx, c.Tx, c.Tenant.ID, id)
	return errors.Join(err, err2)
}
