package portal

import (
	"context"
	"errors"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// tagName checks the name of a tag.
func tagName(field, s string) (name, key string, err error) {
	if s = strings.TrimSpace(s); s == "" {
		return "", "", fault.Blank(field)
	}
	if !plain(s, maxTag) {
		return "", "", fault.Bad(field, "may have %d bytes and no control characters", maxTag)
	}
	return s, fold.Key(s), nil
}

// Tags lists the caller's tags, by name.
func (p *Portal) Tags(ctx context.Context, c *call.Call) ([]string, error) {
	return tags.All(ctx, c.Tx, c.Tenant.ID, c.User())
}

// CreateTag makes a tag of the caller's. Names are the same whatever their case. Faults: ErrTagExists, ErrMany.
func (p *Portal) CreateTag(ctx context.Context, c *call.Call, name string) error {
	name, key, err := tagName("tagname", name)
	if err != nil {
		return err
	}
	n, err := putTag.Do(ctx, c.Tx, c.Tenant.ID, c.User(), key, name)
	if err == nil && n == 0 {
		err = ErrTagExists.At("tagname")
	}
	if err != nil {
		return err
	}
	about(c, "Tag", "", "Created")
	return p.tagRoom(ctx, c)
}

func (p *Portal) tagRoom(ctx context.Context, c *call.Call) error {
	n, err := countTag.One(ctx, c.Tx, c.Tenant.ID, c.User())
	if err == nil && n > maxTags {
		err = ErrMany.Say("A person may have %d tags.", maxTags)
	}
	return err
}

// RenameTag gives a tag another name; what carries it carries it still. Faults: ErrTag, ErrTagExists.
func (p *Portal) RenameTag(ctx context.Context, c *call.Call, from, to string) error {
	_, was, err := tagName("tagname", from)
	if err != nil {
		return err
	}
	name, key, err := tagName("newTagname", to)
	if err != nil {
		return err
	}
	if key != was {
		if _, err := findTag.One(ctx, c.Tx, c.Tenant.ID, c.User(), key); !errors.Is(err, dbx.ErrNoRow) {
			return errors.Join(err, ErrTagExists.At("newTagname"))
		}
	}
	n, err := renameTag.Do(ctx, c.Tx, key, name, c.Tenant.ID, c.User(), was)
	switch {
	case errors.Is(err, dbx.ErrExists):
		return ErrTagExists.At("newTagname")
	case err != nil:
		return err
	case n == 0:
		return ErrTag
	}
	about(c, "Tag", "", "Name")
	_, err = moveTagged.Do(ctx, c.Tx, key, c.Tenant.ID, c.User(), was)
	return err
}

// DeleteTag takes a tag off everything and deletes it. ErrTag.
func (p *Portal) DeleteTag(ctx context.Context, c *call.Call, name string) error {
	_, key, err := tagName("tagname", name)
	if err != nil {
		return err
	}
	n, err := dropTag.Do(ctx, c.Tx, c.Tenant.ID, c.User(), key)
	if err == nil && n == 0 {
		err = ErrTag
	}
	if err != nil {
		return err
	}
	about(c, "Tag", "", "Deleted")
	_, err = dropTaggedTag.Do(ctx, c.Tx, c.Tenant.ID, c.User(), key)
	return err
}

// TagApp makes names the whole list of the caller's tags on an application; those that there are not are made. Faults:
// ErrNotFound, acl.ErrDenied, ErrMany.
func (p *Portal) TagApp(ctx context.Context, c *call.Call, key string, names []string) error {
	t, err := p.Find(ctx, c, key)
	if err != nil {
		return err
	}
	return p.tag(ctx, c, t, names)
}

// TagSecured is TagApp for a secured item.
func (p *Portal) TagSecured(ctx context.Context, c *call.Call, id string, names []string) error {
	t, err := p.item(ctx, c, id, Secured)
	if err != nil {
		return err
	}
	return p.tag(ctx, c, t, names)
}

func (p *Portal) tag(ctx context.Context, c *call.Call, t Target, names []string) error {
	about(c, t.kind(), t.ID, "Tags")
	if len(names) > maxOn {
		return ErrMany.Say("An application or item may have %d tags.", maxOn)
	}
	if _, err := dropTaggedOne.Do(ctx, c.Tx, c.Tenant.ID, c.User(), t.ID); err != nil {
		return err
	}
	var on []string
	for _, s := range names {
		name, key, err := tagName("tagnames", s)
		if err != nil {
			return err
		}
		if slices.Contains(on, key) {
			continue
		}
		on = append(on, key)
		if _, err := putTag.Do(ctx, c.Tx, c.Tenant.ID, c.User(), key, name); err != nil {
			return err
		}
		if _, err := putTagged.Do(ctx, c.Tx, c.Tenant.ID, c.User(), t.ID, key); err != nil {
			return err
		}
	}
	return p.tagRoom(ctx, c)
}

// TagsOf lists the caller's tags on an application. Faults: ErrNotFound, acl.ErrDenied.
func (p *Portal) TagsOf(ctx context.Context, c *call.Call, key string) ([]string, error) {
	t, err := p.Find(ctx, c, key)
	if err != nil {
		return nil, err
	}
	all, err := tagsBy(ctx, c, c.User())
	return all[t.ID], err
}

// tagsBy are a person's tags by what carries them.
func tagsBy(ctx context.Context, c *call.Call, userID string) (map[string][]string, error) {
	rows, err := tagged.All(ctx, c.Tx, c.Tenant.ID, userID)
	out := map[string][]string{}
	for _, r := range rows {
		out[r.Target] = append(out[r.Target], r.Name)
	}
	return out, err
}
