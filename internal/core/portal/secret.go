package portal

import (
	"context"
	"encoding/json"
	"errors"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Secret is what somebody keeps with an application or an item, sealed.
type Secret struct {
	Username string  `json:"u,omitempty"`
	Password string  `json:"p,omitempty"`
	Notes    string  `json:"n,omitempty"`
	TOTP     string  `json:"t,omitempty"` // seed of one-time codes, as it was imported
	Fields   []Field `json:"f,omitempty"`
}

// Field is a further field of a secured item.
type Field struct {
	Key    string `json:"k"`
	Value  string `json:"v"`
	Hidden bool   `json:"h,omitempty"` // clients draw it as a password
}

// Edit is a partial change of a secret; nil keeps.
type Edit struct {
	Username, Password, Notes *string
	Fields                    *[]Field
}

func (s Secret) empty() bool {
	return s.Username == "" && s.Password == "" && s.Notes == "" && s.TOTP == "" && len(s.Fields) == 0
}

// check bounds a secret. Faults: ErrSize with the field, fault.ErrInvalid.
func (s Secret) check() error {
	for _, f := range []struct {
		name string
		ok   bool
	}{
		{"Username", len(s.Username) <= maxLogin}, {"Password", len(s.Password) <= maxPassword}, {"Notes", len(s.Notes) <= maxNotes},
		{"TOTP", len(s.TOTP) <= maxLogin}, {"CustomFields", len(s.Fields) <= maxFields},
	} {
		if !f.ok {
			return ErrSize.At(f.name).Say("The value of %s is too long.", f.name)
		}
	}
	if !Login(s.Username) {
		return fault.Bad("Username", "has control characters")
	}
	if !prose(s.Password, maxPassword) || !prose(s.Notes, maxNotes) || !plain(s.TOTP, maxLogin) {
		return fault.Bad("Password", "is no text")
	}
	for _, f := range s.Fields {
		if f.Key == "" || !plain(f.Key, maxName) || !prose(f.Value, maxPassword) {
			return fault.Bad("CustomFields", "must have a key of at most %d bytes and a value of at most %d", maxName, maxPassword)
		}
	}
	return nil
}

// Login says whether a name can be kept as the name that somebody has with an application.
func Login(name string) bool { return plain(name, maxLogin) }

// with is the secret after a change, and the names of the fields that the change sets.
func (s Secret) with(e Edit) (Secret, []string) {
	var changed []string
	for _, f := range []struct {
		name string
		to   *string
		from *string
	}{{"Username", &s.Username, e.Username}, {"Password", &s.Password, e.Password}, {"Notes", &s.Notes, e.Notes}} {
		if f.from != nil && *f.to != *f.from {
			*f.to, changed = *f.from, append(changed, f.name)
		}
	}
	if e.Fields != nil {
		s.Fields, changed = *e.Fields, append(changed, "CustomFields")
	}
	return s, changed
}

// bound is what a secret belongs to: it opens nowhere else.
func bound(userID, target string) string { return userID + "/" + target }

// seal seals a secret; of an empty one nothing is kept.
func (p *Portal) seal(ctx context.Context, c *call.Call, userID, target string, s Secret) (string, error) {
	if s.empty() {
		return "", nil
	}
	raw, err := json.Marshal(s) //nolint:gosec // it is sealed at once
	if err != nil {
		return "", err
	}
	return p.Seal(ctx, c, raw, bound(userID, target))
}

// open opens what a person keeps.
func (p *Portal) open(ctx context.Context, c *call.Call, userID string, e entry) (s Secret, err error) {
	if e.Secret == "" {
		return s, nil
	}
	raw, err := p.Open(ctx, c, e.Secret, bound(userID, e.Target))
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(raw, &s)
}

// unranked is the place of what nobody has put anywhere: behind what has a place.
const unranked = 1000

// kept reads what a person keeps with a target; where there is nothing, an entry that is not stored.
func kept(ctx context.Context, c *call.Call, userID, target string) (entry, error) {
	e, err := findEntry.One(ctx, c.Tx, c.Tenant.ID, userID, target)
	if errors.Is(err, dbx.ErrNoRow) {
		return entry{Target: target, Place: unranked}, nil
	}
	return e, err
}

// keep stores an entry as it was changed. ErrStale when somebody else changed it meanwhile.
func keep(ctx context.Context, c *call.Call, userID string, e entry) error {
	n, err := putEntry.Do(ctx, c.Tx, c.Tenant.ID, userID, e.Target, e.Secret, e.Added, e.Visited, e.Place, e.Matching, e.Pattern, c.Now.UnixMilli(), e.Version)
	if err == nil && n == 0 {
		err = ErrStale
	}
	return err
}

// edit changes what the caller keeps with a target, and gives the names of the fields that it changed.
func (p *Portal) edit(ctx context.Context, c *call.Call, target string, change Edit) ([]string, error) {
	e, err := kept(ctx, c, c.User(), target)
	if err != nil {
		return nil, err
	}
	s, err := p.open(ctx, c, c.User(), e)
	if err != nil {
		return nil, err
	}
	s, changed := s.with(change)
	if len(changed) == 0 {
		return nil, nil
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	if e.Secret, err = p.seal(ctx, c, c.User(), target, s); err != nil {
		return nil, err
	}
	return changed, keep(ctx, c, c.User(), e)
}

// SetCredentials stores the caller's name and password for an application: of their own, or one whose names people set
// themselves. Faults: ErrNotFound, acl.ErrDenied, ErrMapping, ErrSize, ErrStale.
func (p *Portal) SetCredentials(ctx context.Context, c *call.Call, key string, change Edit) error {
	t, err := p.Find(ctx, c, key)
	if err != nil {
		return err
	}
	about(c, t.kind(), t.ID)
	if t.App != nil && !t.setByUser() {
		return ErrMapping
	}
	changed, err := p.edit(ctx, c, t.ID, change)
	about(c, t.kind(), t.ID, changed...)
	return err
}

// Credentials gives the name and password that the caller uses an application with: their own, or those that everybody has
// where administrators let people see them. ok is false where nothing is kept. Faults: ErrNotFound, acl.ErrDenied, ErrView.
func (p *Portal) Credentials(ctx context.Context, c *call.Call, key string) (s Secret, ok bool, err error) {
	t, err := p.Find(ctx, c, key)
	if err != nil {
		return s, false, err
	}
	about(c, t.kind(), t.ID)
	may, err := p.allows(ctx, c, c.User(), keyView, false)
	if err == nil && !may {
		err = ErrView
	}
	if err != nil {
		return s, false, err
	}
	e, err := kept(ctx, c, c.User(), t.ID)
	if err != nil {
		return s, false, err
	}
	if s, err = p.open(ctx, c, c.User(), e); err != nil {
		return s, false, err
	}
	if t.App != nil && !t.setByUser() {
		notes := s.Notes
		s = Secret{Notes: notes}
		if err := p.admits(ctx, c, *t.App); err != nil {
			return s, false, err
		}
		if s.Username, s.Password, err = p.Apps.Common(ctx, c, *t.App); err != nil {
			return s, false, err
		}
	}
	return s, !s.empty(), nil
}
