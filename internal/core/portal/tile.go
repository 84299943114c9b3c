package portal

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/app"
	"limen/internal/core/user"
	"limen/internal/fold"
)

// Tile is an application on somebody's portal. For others than its owner it has nothing but the application itself.
type Tile struct {
	App       app.App // an assigned application; of one's own the zero value
	Item      *Item   // one's own; nil of an assigned one
	Automatic bool    // it is there by itself
	Added     bool    // its owner put it there
	Through   []app.Holder
	Tags      []string
	Rank      int64
	Visited   int64 // ms since 1970 UTC; 0: never
	Matching  string
	Pattern   string
	Icon      string // data URI of an uploaded picture; empty: none
	Login     string // the name that its owner has with it; empty where it is not known
	LoginSet  bool   // people set that name themselves
	Secret    Secret
}

// Name is the application's name.
func (t Tile) Name() string {
	if t.Item != nil {
		return t.Item.Name
	}
	return t.App.Name
}

// Shelf is somebody's portal.
type Shelf struct {
	Tiles []Tile // by rank, then name
	Tags  []string
}

// Of gives the portal of a person: assigned applications that are there by themselves or were put there, and to the owner
// their own. Others see what is assigned, and nothing of what the owner keeps.
func (p *Portal) Of(ctx context.Context, c *call.Call, u user.User) (Shelf, error) {
	return p.shelf(ctx, c, u, func(t Tile) bool { return t.Automatic || t.Added })
}

// Reach gives the applications that a person has on their portal, or may put there, as Of does.
func (p *Portal) Reach(ctx context.Context, c *call.Call, u user.User) ([]Tile, error) {
	s, err := p.shelf(ctx, c, u, func(Tile) bool { return true })
	return s.Tiles, err
}

// mine is what somebody keeps, by application or item.
type mine struct {
	user    user.User
	entries map[string]entry
	tags    map[string][]string
	icons   map[string]string
}

func (p *Portal) shelf(ctx context.Context, c *call.Call, u user.User, on func(Tile) bool) (out Shelf, err error) {
	m := mine{user: u}
	if m.entries, err = entriesOf(ctx, c, u.ID); err != nil {
		return out, err
	}
	own := u.ID == c.User()
	var personal []Item
	if own {
		if m.tags, err = tagsBy(ctx, c, u.ID); err != nil {
			return out, err
		}
		if m.icons, err = pictures(ctx, c, u.ID, App); err != nil {
			return out, err
		}
		if personal, err = items.All(ctx, c.Tx, c.Tenant.ID, u.ID, App); err != nil {
			return out, err
		}
		if out.Tags, err = p.Tags(ctx, c); err != nil {
			return out, err
		}
	}
	assigned, err := p.assigned(ctx, c, u.ID)
	if err != nil {
		return out, err
	}
	for _, h := range assigned {
		t := Tile{App: h.App, Automatic: h.Automatic, Added: m.entries[h.ID].Added, Through: h.Through, Rank: unranked}
		if on(t) {
			out.Tiles = append(out.Tiles, t)
		}
	}
	for _, it := range personal {
		out.Tiles = append(out.Tiles, Tile{Item: &it, Added: true})
	}
	for i := range out.Tiles {
		if own {
			if err := p.fill(ctx, c, &out.Tiles[i], m); err != nil {
				return out, err
			}
		}
	}
	slices.SortStableFunc(out.Tiles, func(a, b Tile) int {
		return cmp.Or(cmp.Compare(a.Rank, b.Rank), strings.Compare(fold.Key(a.Name()), fold.Key(b.Name())))
	})
	return out, nil
}

// assigned are the applications that a person is given and that have a place on portals, by name.
func (p *Portal) assigned(ctx context.Context, c *call.Call, userID string) ([]app.Held, error) {
	m, err := p.Roles.Of(ctx, c, userID)
	if err != nil {
		return nil, err
	}
	all, err := p.Apps.Held(ctx, c, append([]string{userID}, m.Roles...))
	return slices.DeleteFunc(all, func(h app.Held) bool { return !h.Listed() }), err
}

// fill adds what its owner keeps.
func (p *Portal) fill(ctx context.Context, c *call.Call, t *Tile, m mine) (err error) {
	id := t.App.ID
	if t.Item != nil {
		id = t.Item.ID
	}
	e, there := m.entries[id]
	if t.Rank = e.Place; !there {
		t.Rank = unranked
	}
	t.Tags, t.Icon = m.tags[id], m.icons[id]
	t.Visited, t.Matching, t.Pattern = e.Visited, e.Matching, e.Pattern
	if t.Secret, err = p.open(ctx, c, m.user.ID, e); err != nil {
		return err
	}
	t.LoginSet = t.Item != nil || t.App.Strategy() == app.SetByUser
	t.Login = nameWith(*t, m.user)
	return nil
}

// nameWith is the name that somebody has with an application. Names that scripts make are not known here.
func nameWith(t Tile, u user.User) string {
	if t.LoginSet {
		return t.Secret.Username
	}
	switch t.App.Strategy() {
	case app.Fixed:
		if t.App.Flag("AllowViewFixedCredentials", false) {
			return t.App.FixedName()
		}
	case app.ByAttribute:
		return attribute(t.App.Text("UserNameArg"), u)
	}
	return ""
}

// attribute is what a person has of the attributes that names are taken from.
func attribute(name string, u user.User) string {
	switch fold.Key(strings.TrimSpace(name)) {
	case "", "userprincipalname", "username", "loginname", "name":
		return u.Name
	case "mail", "email":
		return u.Mail
	case "displayname", "cn":
		return u.Display
	case "samaccountname", "shortname", "uid":
		local, _, _ := strings.Cut(u.Name, "@")
		return local
	}
	return ""
}

func entriesOf(ctx context.Context, c *call.Call, userID string) (map[string]entry, error) {
	rows, err := entries.All(ctx, c.Tx, c.Tenant.ID, userID)
	out := make(map[string]entry, len(rows))
	for _, e := range rows {
		out[e.Target] = e
	}
	return out, err
}

// Tile gives one application of the caller's by its key, be it on their portal or not. Faults: ErrNotFound, acl.ErrDenied.
func (p *Portal) Tile(ctx context.Context, c *call.Call, u user.User, key string) (Tile, error) {
	t, err := p.Find(ctx, c, key)
	if err != nil {
		return Tile{}, err
	}
	all, err := p.Reach(ctx, c, u)
	if err != nil {
		return Tile{}, err
	}
	for _, have := range all {
		if have.Item != nil && have.Item.ID == t.ID || have.Item == nil && have.App.ID == t.ID {
			return have, nil
		}
	}
	if t.App == nil {
		return Tile{}, ErrNotFound
	}
	return Tile{App: *t.App, Rank: unranked}, nil // an administrator looks at what nobody has given them
}

// Visit notes that the caller has opened an application.
func (p *Portal) Visit(ctx context.Context, c *call.Call, key string) error {
	t, err := p.Find(ctx, c, key)
	if err != nil {
		return err
	}
	about(c, t.kind(), t.ID)
	return visited(ctx, c, t.ID)
}

func visited(ctx context.Context, c *call.Call, target string) error {
	now := c.Now.UnixMilli()
	_, err := visit.Do(ctx, c.Tx, c.Tenant.ID, c.User(), target, false, now, unranked, now)
	return err
}

// Launch gives the address of the page that opens an application, and notes that the caller has opened it. Where the rules of the
// application want more of the caller than their session rests on, the error is a login.DueError. Faults:
// ErrNotFound, acl.ErrDenied, app.ErrClosed, app.ErrRules, app.ErrNotReady, app.ErrNoAddress, app.ErrSAML.
func (p *Portal) Launch(ctx context.Context, c *call.Call, key string) (string, error) {
	t, err := p.Find(ctx, c, key)
	if err != nil {
		return "", err
	}
	about(c, t.kind(), t.ID)
	at := ""
	if t.App != nil {
		c.Event.Name = t.App.Name
		c.Event.Set("ApplicationName", t.App.Name)
		if err = p.admits(ctx, c, *t.App); err == nil {
			at, err = t.App.Address()
		}
	} else if at = t.Item.URL; !app.Page(at) {
		err = app.ErrNoAddress
	}
	if err != nil {
		return "", err
	}
	return at, visited(ctx, c, t.ID)
}

// SecuredTile is a secured item with what its owner sees of it before they open it.
type SecuredTile struct {
	Item
	Icon                    string // data URI; empty: none
	Tags                    []string
	LoginSet, PasswordSet   bool
	NotesSet, FurtherFields bool
}

// Secured lists the caller's secured items, by name.
func (p *Portal) Secured(ctx context.Context, c *call.Call) ([]SecuredTile, error) {
	all, err := items.All(ctx, c.Tx, c.Tenant.ID, c.User(), Secured)
	if err != nil {
		return nil, err
	}
	held, err := entriesOf(ctx, c, c.User())
	on, err2 := tagsBy(ctx, c, c.User())
	pics, err3 := pictures(ctx, c, c.User(), Secured)
	if err := errors.Join(err, err2, err3); err != nil {
		return nil, err
	}
	out := make([]SecuredTile, 0, len(all))
	for _, it := range all {
		s, err := p.open(ctx, c, c.User(), held[it.ID])
		if err != nil {
			return nil, err
		}
		out = append(out, SecuredTile{it, pics[it.ID], on[it.ID], s.Username != "", s.Password != "", s.Notes != "", len(s.Fields) > 0})
	}
	slices.SortFunc(out, func(a, b SecuredTile) int {
		return cmp.Or(strings.Compare(a.NameKey, b.NameKey), strings.Compare(a.ID, b.ID))
	})
	return out, nil
}
